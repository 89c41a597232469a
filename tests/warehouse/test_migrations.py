"""Migrations on a real Postgres: repeated, concurrent, edited and failing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from retention import migration
from retention.errors import ConfigurationError
from retention.landing import records
from retention.settings import Settings
from retention.sources import SOURCES
from retention.statistics import STATISTICS
from retention.warehouse import Warehouse, migrations, postgres
from tests.conftest import drop_database
from tests.loading import SHOP, THINGS, load, query, thing, window
from tests.places import ROOT

# One process per company named: forked after the imports, all past the barrier together.
MIGRATE = """
import multiprocessing, sys
from dataclasses import replace
from retention import migration
from retention.settings import Settings
from retention.sources import SOURCES
from retention.warehouse import Warehouse

def migrate(company):
    warehouse = Warehouse.from_settings(replace(Settings.from_env(), company=company))
    barrier.wait()
    applied.put(len(migration.migrate(warehouse, SOURCES)))

companies = sys.argv[1:]
context = multiprocessing.get_context("fork")
barrier, applied = context.Barrier(len(companies)), context.Queue()
migrating = [context.Process(target=migrate, args=[company]) for company in companies]
for each in migrating:
    each.start()
for each in migrating:
    each.join()
assert [each.exitcode for each in migrating] == [0] * len(companies)
print(*sorted(applied.get() for _ in companies))
"""


def test_migrating_is_idempotent(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    assert migration.migrate(warehouse, [SHOP]) == []
    assert migrations.pending(warehouse) == []
    assert len(query(warehouse, "select * from raw.shop_things")) == 1


def test_every_script_is_idempotent(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    assert warehouse.settings
    before = _grants(warehouse)
    with psycopg.connect(
        postgres.admin_url(warehouse.settings, warehouse.settings.database)
    ) as admin:
        admin.execute("truncate ops.migrations")
    assert migrations.pending(warehouse) == [script.name for script in migrations.scripts()]
    assert len(migration.migrate(warehouse)) == len(migrations.scripts()) >= 5
    assert len(query(warehouse, "select * from raw.shop_things")) == 1
    assert _grants(warehouse) == before


def _grants(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(
        wh,
        "select n.nspname, c.relname, c.relacl::text from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('raw', 'ops', 'publish', 'published') order by 1, 2",
    )


def test_warehouses_of_one_server_can_be_migrated_concurrently(cluster: Settings) -> None:
    companies = [replace(cluster, company=f"twin{number}") for number in range(3)]
    try:
        with ThreadPoolExecutor(6) as pool:
            applied = list(
                pool.map(
                    lambda s: migration.migrate(Warehouse.from_settings(s), [SHOP]), companies * 2
                )
            )
        counts = sorted(len(names) for names in applied)
        assert counts == [0, 0, 0, *[len(migrations.scripts())] * 3]
        for settings in companies:
            found = query(Warehouse.from_settings(settings), "select * from raw.shop_things")
            assert found == []
    finally:
        for settings in companies:
            drop_database(settings)


@pytest.mark.parametrize(
    "companies",
    [["single"] * 5, ["first", "second", "third"] * 2],
    ids=["one company", "several companies of one server"],
)
def test_processes_can_migrate_at_once(cluster: Settings, companies: list[str]) -> None:
    environment = {
        **os.environ,
        "RETENTION_STATE": str(cluster.state),
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", MIGRATE, *companies],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        once = [len(migrations.scripts())] * len(set(companies))
        again = [0] * (len(companies) - len(once))
        assert [int(count) for count in done.stdout.split()] == [*again, *once]
        for company in set(companies):
            _require_every_table(replace(cluster, company=company))
    finally:
        for company in set(companies):
            drop_database(replace(cluster, company=company))


def _require_every_table(settings: Settings) -> None:
    wh = Warehouse.from_settings(settings)
    found = query(wh, "select schemaname, tablename from pg_tables", role="loader")
    wanted = {
        ("raw", records.table_name(source, stream))
        for source in SOURCES
        for stream in source.streams
    } | {("statistics", statistic.name) for statistic in STATISTICS}
    assert len(wanted) > 20
    assert wanted <= set(found)


def test_an_edited_migration_is_refused(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in migrations.scripts():
        (tmp_path / f"{script.name}.sql").write_text(script.text)
    monkeypatch.setattr(migrations, "SCRIPTS", tmp_path)
    (tmp_path / "0002_ledger.sql").write_text("select 1")
    with pytest.raises(ConfigurationError, match="0002_ledger was edited"):
        migration.migrate(warehouse)


def test_a_failing_migration_is_rolled_back_and_named(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in migrations.scripts():
        (tmp_path / f"{script.name}.sql").write_text(script.text)
    (tmp_path / "9999_wrong.sql").write_text("create table ops.half (id int); select 1/0;")
    monkeypatch.setattr(migrations, "SCRIPTS", tmp_path)
    with pytest.raises(ConfigurationError, match="9999_wrong failed"):
        migration.migrate(warehouse)
    assert query(warehouse, "select to_regclass('ops.half') is null") == [(True,)]
    assert migrations.pending(warehouse) == ["9999_wrong"]


def test_an_external_warehouse_needs_an_administrator_to_migrate(
    warehouse: Warehouse, cluster: Settings
) -> None:
    """RETENTION_WAREHOUSE accepts any Postgres; this test uses the embedded one."""
    own = replace(cluster, company="own", warehouse_url=warehouse.url)
    with pytest.raises(ConfigurationError, match="RETENTION_WAREHOUSE_ADMIN"):
        migration.migrate(Warehouse.from_settings(own))
    with_admin = replace(own, admin_url=postgres.admin_url(cluster))
    assert migration.migrate(Warehouse.from_settings(with_admin)) == []


def test_a_source_that_cannot_name_a_table_is_refused(warehouse: Warehouse) -> None:
    for name in ("Shop", 'x"; drop table raw.c; --', "s" * 60):
        with pytest.raises(ConfigurationError, match="cannot name a raw table"):
            migration.migrate(warehouse, [replace(SHOP, name=name)])


def test_a_usage_stream_gets_a_table_of_days(warehouse: Warehouse) -> None:
    usage = replace(THINGS, name="events", kind="usage")
    migration.migrate(warehouse, [replace(SHOP, streams=(usage,))])
    assert query(warehouse, "select event_date, units from raw.shop_usage_daily") == []


def test_published_scores_move_to_the_history_of_scores(warehouse: Warehouse) -> None:
    assert warehouse.settings
    url = postgres.admin_url(warehouse.settings, warehouse.settings.database)
    with psycopg.connect(url) as admin:
        admin.execute("create table marts.fct_customer_health_daily (score numeric)")
        admin.execute("insert into marts.fct_customer_health_daily values (47.80)")
        admin.execute("delete from ops.migrations where name = '0012_health_history'")
    assert len(migration.migrate(warehouse)) == 1
    with psycopg.connect(url) as admin:
        moved = admin.execute("select score::text from staging.int_customer_health_history")
        assert moved.fetchall() == [("47.80",)]
        # From now on the mart is a view, which stays where it is.
        view = "create view marts.fct_customer_health_daily as select 1 as score"
        admin.execute(view)
        admin.execute("delete from ops.migrations where name = '0012_health_history'")
    assert len(migration.migrate(warehouse)) == 1


def test_published_scores_follow_their_renamed_components(warehouse: Warehouse) -> None:
    assert warehouse.settings
    url = postgres.admin_url(warehouse.settings, warehouse.settings.database)
    quoted = r'"value": "a \"signal\": b"'
    with psycopg.connect(url) as admin:
        admin.execute("create table marts.fct_customer_health_daily (components jsonb)")
        admin.execute("create table marts.fct_health_change_daily (signal_effects jsonb)")
        admin.execute(
            "insert into marts.fct_customer_health_daily values (%s), ('[]')",
            [f'[{{"signal": "nps", "signal_score": 47.80, {quoted}}}]'],
        )
        admin.execute(
            "insert into marts.fct_health_change_daily values (%s), ('[]')",
            [f'[{{"signal": "nps", "effect": -1.50, {quoted}}}]'],
        )
        admin.execute("delete from ops.migrations where version = 11")
    assert len(migration.migrate(warehouse)) == 1
    with psycopg.connect(url) as admin:
        scores = "select components::text from marts.fct_customer_health_daily order by components"
        assert [json.loads(text, parse_float=str) for (text,) in admin.execute(scores)] == [
            [],
            [{"component": "nps", "component_score": "47.80", "value": 'a "signal": b'}],
        ]
        changes = "select component_effects::text from marts.fct_health_change_daily order by 1"
        assert [json.loads(text, parse_float=str) for (text,) in admin.execute(changes)] == [
            [],
            [{"component": "nps", "effect": "-1.50", "value": 'a "signal": b'}],
        ]
