"""Migrations on a real Postgres: once, again, at once, edited and failing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from retention import schemas
from retention.database import postgres
from retention.errors import ConfigurationError
from retention.schemas import scripts
from retention.settings import Settings
from retention.warehouse import Warehouse
from tests.conftest import drop_database
from tests.loading import SHOP, THINGS, load, query, thing, window


def test_migrating_again_changes_nothing(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    assert schemas.migrate(warehouse, [SHOP]) == []
    assert scripts.pending(warehouse) == []
    assert len(query(warehouse, "select * from raw.shop_things")) == 1


def test_every_script_can_run_twice(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    assert warehouse.settings
    before = _grants(warehouse)
    with psycopg.connect(
        postgres.admin_url(warehouse.settings, warehouse.settings.database)
    ) as admin:
        admin.execute("truncate ops.migrations")
    assert scripts.pending(warehouse) == [script.name for script in scripts.scripts()]
    assert len(schemas.migrate(warehouse)) == len(scripts.scripts()) >= 5
    assert len(query(warehouse, "select * from raw.shop_things")) == 1
    assert _grants(warehouse) == before


def _grants(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(
        wh,
        "select n.nspname, c.relname, c.relacl::text from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('raw', 'ops', 'publish', 'published') order by 1, 2",
    )


def test_warehouses_of_one_server_can_be_migrated_at_once(cluster: Settings) -> None:
    companies = [replace(cluster, company=f"twin{number}") for number in range(3)]
    try:
        with ThreadPoolExecutor(6) as pool:
            applied = list(
                pool.map(
                    lambda s: schemas.migrate(Warehouse.from_settings(s), [SHOP]), companies * 2
                )
            )
        counts = sorted(len(names) for names in applied)
        assert counts == [0, 0, 0, *[len(scripts.scripts())] * 3]
        for settings in companies:
            found = query(Warehouse.from_settings(settings), "select * from raw.shop_things")
            assert found == []
    finally:
        for settings in companies:
            drop_database(settings)


def test_an_edited_migration_is_refused(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in scripts.scripts():
        (tmp_path / f"{script.name}.sql").write_text(script.text)
    monkeypatch.setattr(scripts, "SCRIPTS", tmp_path)
    (tmp_path / "0002_ledger.sql").write_text("select 1")
    with pytest.raises(ConfigurationError, match="0002_ledger was edited"):
        schemas.migrate(warehouse)


def test_a_failing_migration_leaves_nothing_and_says_which(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in scripts.scripts():
        (tmp_path / f"{script.name}.sql").write_text(script.text)
    (tmp_path / "9999_wrong.sql").write_text("create table ops.half (id int); select 1/0;")
    monkeypatch.setattr(scripts, "SCRIPTS", tmp_path)
    with pytest.raises(ConfigurationError, match="9999_wrong failed"):
        schemas.migrate(warehouse)
    assert query(warehouse, "select to_regclass('ops.half') is null") == [(True,)]
    assert scripts.pending(warehouse) == ["9999_wrong"]


def test_a_warehouse_of_one_s_own_needs_an_administrator_once(
    warehouse: Warehouse, cluster: Settings
) -> None:
    """RETENTION_WAREHOUSE names any Postgres; here it happens to be the same one."""
    own = replace(cluster, company="own", warehouse_url=warehouse.url)
    with pytest.raises(ConfigurationError, match="RETENTION_WAREHOUSE_ADMIN"):
        schemas.migrate(Warehouse.from_settings(own))
    with_admin = replace(own, admin_url=postgres.admin_url(cluster))
    assert schemas.migrate(Warehouse.from_settings(with_admin)) == []


def test_a_source_that_cannot_name_a_table_is_refused(warehouse: Warehouse) -> None:
    for name in ("Shop", 'x"; drop table raw.c; --', "s" * 60):
        with pytest.raises(ConfigurationError, match="cannot name a raw table"):
            schemas.migrate(warehouse, [replace(SHOP, name=name)])


def test_a_usage_stream_gets_a_table_of_days(warehouse: Warehouse) -> None:
    usage = replace(THINGS, name="events", kind="usage")
    schemas.migrate(warehouse, [replace(SHOP, streams=(usage,))])
    assert query(warehouse, "select event_date, units from raw.shop_usage_daily") == []
