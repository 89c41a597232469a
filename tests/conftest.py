"""A real Postgres for every test that wants one: one cluster a session, one database a test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from retention import schemas
from retention.database import postgres
from retention.settings import Settings
from retention.warehouse import Warehouse
from tests.places import ROOT

_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Importing Airflow writes its settings; not into the home of whoever runs the tests."""
    home = tempfile.mkdtemp(prefix="retention-airflow-home-")
    os.environ["AIRFLOW_HOME"] = home
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones last: what is wrong with the fast ones is known within a minute."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Settings]:
    """A running embedded cluster with a migrated database ``retention_template``."""
    folder = Path(tempfile.mkdtemp(prefix="retention-tests-", dir=_fast_folder()))
    folder.chmod(0o755)  # the server's own system user has to reach its data
    settings = Settings(root=ROOT, state=folder, company="template")
    try:
        # Nothing outlives a test session, so nothing needs to survive a power cut.
        options = ("fsync=off", "full_page_writes=off", "max_wal_size=256MB")
        postgres.start(settings, options=options)
        schemas.migrate(Warehouse.from_settings(settings))
        yield settings
    finally:
        postgres.destroy(settings)
        shutil.rmtree(folder)


def _fast_folder() -> str | None:
    """Memory where there is plenty: copying a database for each test is all writing."""
    memory = Path("/dev/shm")
    fits = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    return str(memory) if fits and os.access(memory, os.W_OK) else None


@pytest.fixture
def warehouse(cluster: Settings) -> Iterator[Warehouse]:
    """A fresh, migrated warehouse for one test."""
    yield from _fresh(cluster)


@pytest.fixture(scope="module")
def module_warehouse(cluster: Settings) -> Iterator[Warehouse]:
    """A fresh, migrated warehouse that the tests of one module share."""
    yield from _fresh(cluster)


def _fresh(cluster: Settings) -> Iterator[Warehouse]:
    settings = replace(cluster, company=f"test{next(_numbers)}")
    copy_database(cluster, settings)
    try:
        yield Warehouse.from_settings(settings)
    finally:
        drop_database(settings)


def copy_database(template: Settings, settings: Settings) -> None:
    """Make the database of ``settings`` a copy of the template's, with the same closed doors."""
    name = sql.Identifier(settings.database)
    with psycopg.connect(postgres.admin_url(template), autocommit=True) as conn:
        statement = sql.SQL("create database {} template {} strategy wal_log")
        conn.execute(statement.format(name, sql.Identifier(template.database)))
        # A copy takes the objects and their grants along, but not the database's own.
        conn.execute(sql.SQL("revoke all on database {} from public").format(name))
        everyone = sql.SQL("grant connect on database {} to pipeline, bi_reader, cs_reader, eraser")
        conn.execute(everyone.format(name))
        writers = sql.SQL(
            "grant temporary on database {} to loader, transformer, publisher, eraser"
        )
        conn.execute(writers.format(name))


def drop_database(settings: Settings) -> None:
    with psycopg.connect(postgres.admin_url(settings), autocommit=True) as conn:
        name = sql.Identifier(settings.database)
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(name))
