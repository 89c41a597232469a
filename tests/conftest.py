"""Fixtures with a real Postgres: one cluster per session, one database per test."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from retention import migration
from retention.settings import Settings
from retention.warehouse import Warehouse, postgres
from tests.places import ROOT

_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Point AIRFLOW_HOME to a temporary folder: importing Airflow writes its settings there."""
    home = tempfile.mkdtemp(prefix="retention-airflow-home-")
    os.environ["AIRFLOW_HOME"] = home
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow tests last, so that failures of the fast ones show within a minute."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Settings]:
    """Start an embedded cluster with a migrated database ``retention_template``."""
    folder = Path(tempfile.mkdtemp(prefix="retention-tests-", dir=_fast_folder()))
    folder.chmod(0o755)  # the server runs as a system user of its own
    settings = Settings(root=ROOT, state=folder, company="template")
    try:
        # The cluster is deleted at the end of the session: durability is not needed.
        options = ("fsync=off", "full_page_writes=off", "max_wal_size=256MB")
        postgres.start(settings, options=options)
        migration.migrate(Warehouse.from_settings(settings))
        yield settings
    finally:
        postgres.destroy(settings)
        shutil.rmtree(folder)


def _fast_folder() -> str | None:
    """Return a memory file system with 4 GiB free: each test copies a database."""
    memory = Path("/dev/shm")
    fits = memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30
    return str(memory) if fits and os.access(memory, os.W_OK) else None


@pytest.fixture
def warehouse(cluster: Settings) -> Iterator[Warehouse]:
    """Create a migrated warehouse for one test."""
    yield from _fresh(cluster)


@pytest.fixture(scope="module")
def module_warehouse(cluster: Settings) -> Iterator[Warehouse]:
    """Create a migrated warehouse that the tests of one module share."""
    yield from _fresh(cluster)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds this thread decided to wait; a loaded machine may take longer."""
    noted: list[float] = []
    sleep, asker = time.sleep, threading.current_thread()

    def noting(seconds: float) -> None:
        if threading.current_thread() is asker:
            noted.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", noting)
    return noted


@pytest.fixture(scope="session")
def built_once(cluster: Settings) -> Iterator[Warehouse]:
    """Build the company of three customers once; a template that no test touches."""
    from tests.dbt_project.marts_company import build_day, found_company

    settings = replace(cluster, company="built")
    copy_database(cluster, settings)
    wh = Warehouse.from_settings(settings)
    found_company(wh)
    build_day(wh)
    disconnect(settings)
    yield wh
    drop_database(settings)


@pytest.fixture(scope="module")
def built(cluster: Settings, built_once: Warehouse) -> Iterator[Warehouse]:
    """Copy the built company of three customers for the tests of one module."""
    assert built_once.settings is not None
    settings = replace(cluster, company=f"test{next(_numbers)}")
    copy_database(built_once.settings, settings)
    artifacts = settings.state / "dbt"
    shutil.copytree(artifacts / built_once.settings.company, artifacts / settings.company)
    try:
        yield Warehouse.from_settings(settings)
    finally:
        drop_database(settings)


def _fresh(cluster: Settings) -> Iterator[Warehouse]:
    settings = replace(cluster, company=f"test{next(_numbers)}")
    copy_database(cluster, settings)
    try:
        yield Warehouse.from_settings(settings)
    finally:
        drop_database(settings)


def copy_database(template: Settings, settings: Settings) -> None:
    """Copy the template database with its privileges."""
    name = sql.Identifier(settings.database)
    with psycopg.connect(postgres.admin_url(template), autocommit=True) as conn:
        statement = sql.SQL("create database {} template {} strategy wal_log")
        conn.execute(statement.format(name, sql.Identifier(template.database)))
        # Postgres copies objects with their grants, but not the grants on the database.
        conn.execute(sql.SQL("revoke all on database {} from public").format(name))
        everyone = sql.SQL("grant connect on database {} to pipeline, bi_reader, cs_reader, eraser")
        conn.execute(everyone.format(name))
        writers = sql.SQL(
            "grant temporary on database {} to loader, transformer, publisher, eraser"
        )
        conn.execute(writers.format(name))


def disconnect(settings: Settings) -> None:
    """End every session of a database: it is copied only while no session is open."""
    with psycopg.connect(postgres.admin_url(settings), autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [settings.database],
        )


def drop_database(settings: Settings) -> None:
    with psycopg.connect(postgres.admin_url(settings), autocommit=True) as conn:
        name = sql.Identifier(settings.database)
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(name))
