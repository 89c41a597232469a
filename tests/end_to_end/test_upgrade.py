"""A warehouse of version 0.1: restored, migrated, built, checked and published by today's code."""

from __future__ import annotations

import lzma
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention import migration, steps
from retention.builds.build import manifest_path
from retention.errors import PublishError
from retention.publishing import mart, publish
from retention.settings import Settings
from retention.sources import SOURCES
from retention.warehouse import Warehouse, postgres
from retention.warehouse.cluster import program
from tests.conftest import drop_database
from tests.loading import query
from tests.places import FIXTURES

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(1800)]

DUMP = FIXTURES / "states" / "0.1.sql.xz"
DAY = date(2026, 7, 2)
LAST_PUBLISH = 3


@pytest.fixture(scope="module")
def old(cluster: Settings) -> Iterator[Warehouse]:
    """The restored state, before any of today's code has touched it."""
    settings = replace(cluster, company="upgraded")
    with psycopg.connect(postgres.admin_url(cluster), autocommit=True) as conn:
        name = sql.Identifier(settings.database)
        conn.execute(sql.SQL("create database {} template template0").format(name))
    url = postgres.admin_url(settings, settings.database)
    subprocess.run(
        [program("psql"), "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", url],
        input=lzma.decompress(DUMP.read_bytes()),
        check=True,
    )
    try:
        yield Warehouse.from_settings(settings)
    finally:
        drop_database(settings)


def raw_rows(wh: Warehouse) -> dict[str, tuple[Any, ...]]:
    """Count and checksum of every raw table."""
    tables = query(wh, "select tablename from pg_tables where schemaname = 'raw'")
    found = {}
    for (table,) in tables:
        text = (
            "select count(*), md5(string_agg(md5(rows::text), '' order by rows::text))"
            f" from raw.{table} as rows"
        )
        found[table] = query(wh, text)[0]
    return found


def shown(wh: Warehouse, text: str) -> list[tuple[Any, ...]]:
    return query(wh, text, role="bi_reader")


def views(wh: Warehouse) -> set[tuple[str, str]]:
    with wh.connect("publisher") as conn:
        return mart.views(conn)


def test_a_state_of_version_0_1_is_migrated_built_and_published(old: Warehouse) -> None:
    before = raw_rows(old)
    assert sum(count for count, _ in before.values()) > 5_000
    assert shown(old, "select publish_id, as_of from publish.as_of") == [(LAST_PUBLISH, DAY)]
    customers = "select customer_id from publish.dim_customers order by 1"
    told = shown(old, customers)
    assert len(told) == 12
    known_views = views(old)

    migration.migrate(old, SOURCES)
    assert shown(old, customers) == told  # readers keep the last publish
    steps.gate_arrived(old, DAY, SOURCES)
    built = steps.build(old, DAY, full_refresh=True)  # the dump has no rows of derived tables
    steps.gate_marts(old, built.build_id)
    assert shown(old, customers) == told

    assert old.settings
    wanted = {(each.audience, each.name) for each in mart.declared(manifest_path(old.settings))}
    if known_views - wanted:
        with pytest.raises(PublishError, match="readers would lose"):
            steps.publish(old, built.build_id, actor="test")
    done = steps.publish(old, built.build_id, actor="test", allow_drop=True)
    assert (done.publish_id, done.as_of) == (LAST_PUBLISH + 1, DAY)
    assert shown(old, customers) == told
    # The dump does not say what was published of a month, so no month counts as restated.
    assert shown(old, "select count(*) from publish.fct_restatements") == [(0,)]
    # A table that is gone has no view left; every declared one has.
    assert views(old) == wanted

    after = raw_rows(old)
    assert {table: after[table] for table in before} == before

    # A publish of the old code can be shown again, and pruned afterwards.
    publish.rollback(old, LAST_PUBLISH - 1, actor="test")
    assert shown(old, "select publish_id, as_of from publish.as_of") == [(2, date(2026, 7, 1))]
    assert shown(old, customers) == told
    publish.rollback(old, done.publish_id, actor="test")
    publish.prune(old, keep=1)
    assert shown(old, "select publish_id from publish.as_of") == [(done.publish_id,)]
    assert shown(old, customers) == told
