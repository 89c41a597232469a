"""Roles, migrations, locks and clocks of the warehouse, on a real Postgres."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention.database import migrate, postgres
from retention.errors import AlreadyRunning, ConfigurationError
from retention.settings import Settings
from retention.warehouse import READERS, TASK_ROLES, Warehouse
from tests.conftest import drop_database
from tests.loading import SHOP, THINGS, load, query, thing, window

DENIED = "42501"  # insufficient_privilege
APPEND_ONLY = "23001"  # restrict_violation, by the trigger on raw tables
KEY = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def stocked(module_warehouse: Warehouse) -> Warehouse:
    """One row in raw, in a mart, and in both published schemas."""
    load(module_warehouse, [thing("a", email="ann@example.com")], window(0))
    with module_warehouse.connect("transformer") as conn:
        conn.execute("create table marts.dim_customers as select 1 as customer_id")
        conn.execute("create view staging.stg_things as select * from raw.shop_things")
        conn.execute("create table policy.health_signals as select 1 as weight")
    with module_warehouse.connect("publisher") as conn:
        for schema in ("publish", "people"):
            name = sql.Identifier(schema, "dim_customers")
            conn.execute(sql.SQL("create view {} as select 1 as customer_id").format(name))
        conn.execute("create table published.dim_customers as select 1 as customer_id")
    return module_warehouse


def sqlstate(wh: Warehouse, role: str | None, statement: str) -> str | None:
    """The SQLSTATE the server refuses the statement with; None when it lets it through."""
    with wh.connect(role) as conn:
        if role in ("bi_reader", "cs_reader"):
            # A reader may switch this off itself, so it must not be what protects us.
            conn.execute("set default_transaction_read_only = off")
            conn.commit()
        try:
            conn.execute(statement.encode())
        except psycopg.Error as error:
            return error.sqlstate
        finally:
            conn.rollback()
    return None


FOR_NO_READER = (
    "select * from raw.shop_things",
    "select * from staging.stg_things",
    "select * from marts.dim_customers",
    "select * from policy.health_signals",
    "select * from published.dim_customers",
    "select * from published.pointer",
    "select * from ops.loads",
    "select * from ops.quarantine",
    "select * from ops.publishes",
    "update published.pointer set publish_id = 0",
    "create table publish.mine (id int)",
    "create table public.mine (id int)",
    "create temporary table mine (id int)",
    "create schema mine",
    "create view publish.mine as select 1",
    "create function publish.mine() returns int language sql as 'select 1'",
    "copy (select 1) to program 'id'",
    "copy (select 1) to '/tmp/stolen'",
    "select pg_read_file('/etc/passwd')",
    "select pg_ls_dir('.')",
    "select lo_from_bytea(0, 'x')",
    "select lo_create(0)",
    "select ops.tick()",
    "select ops.pseudonym('ann@example.com')",
    "set role loader",
    "set role transformer",
    "set role publisher",
    "set role pipeline",
    "set role postgres",
    "set session authorization postgres",
    "alter role bi_reader superuser",
    "alter role all set jit = on",
    "select * from pg_authid",
    "do $$ begin execute 'create table public.mine (id int)'; end $$",
)


@pytest.mark.parametrize("role", ["bi_reader", "cs_reader"])
def test_a_reader_is_refused_everywhere_but_where_it_reads(stocked: Warehouse, role: str) -> None:
    states = {statement: sqlstate(stocked, role, statement) for statement in FOR_NO_READER}
    assert {statement: state for statement, state in states.items() if state != DENIED} == {}
    assert sqlstate(stocked, role, "select * from publish.dim_customers") is None
    assert sqlstate(stocked, role, "select * from publish.as_of") is None
    assert sqlstate(stocked, role, "delete from publish.as_of") is not None


MATRIX = {
    "select * from people.dim_customers": {"cs_reader", "publisher"},
    "select * from publish.dim_customers": {
        "bi_reader", "cs_reader", "transformer", "publisher",
    },
    "select * from raw.shop_things": {"loader", "transformer", "eraser"},
    "delete from raw.shop_things": {"eraser"},
    "select raw from ops.quarantine": {"loader", "eraser"},
    "select code, reason from ops.quarantine": {"loader", "transformer", "publisher", "eraser"},
    "select * from ops.loads": {"loader", "transformer", "publisher", "eraser"},
    "insert into ops.cursors values ('a', 'b', now())": {"loader"},
    "insert into ops.builds (as_of, known_at, status) values (now(), now(), 'done')": {
        "loader", "transformer",
    },
    "select * from marts.dim_customers": {"transformer", "publisher"},
    "create table marts.mine (id int)": {"transformer"},
    "create table staging.mine (id int)": {"transformer"},
    "create table raw.mine (id int)": {"loader"},
    "create table published.mine (id int)": {"publisher"},
    "update published.pointer set publish_id = 0": {"publisher"},
    "create temporary table mine (id int)": {"loader", "transformer", "publisher", "eraser"},
    "create schema mine": set(),
    "create table public.mine (id int)": set(),
    "copy (select 1) to program 'id'": set(),
    "select pg_read_file('/etc/passwd')": set(),
    "set role postgres": set(),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "allowed"), MATRIX.items())
def test_each_role_may_do_its_task_and_no_other(
    stocked: Warehouse, statement: str, allowed: set[str]
) -> None:
    roles = (*TASK_ROLES, *READERS)
    states = {role: sqlstate(stocked, role, statement) for role in roles}
    assert {role for role, state in states.items() if state is None} == allowed
    refusals = {DENIED, APPEND_ONLY} if statement == "delete from raw.shop_things" else {DENIED}
    assert {state for state in states.values() if state} <= refusals


def test_the_bare_login_can_do_nothing_by_itself(stocked: Warehouse) -> None:
    for statement in ("select * from publish.dim_customers", "select * from ops.loads"):
        assert sqlstate(stocked, None, statement) == DENIED


def test_what_dbt_makes_again_stays_readable(stocked: Warehouse) -> None:
    with stocked.connect("transformer") as conn:
        conn.execute("drop table marts.dim_customers")
        conn.execute("create table marts.dim_customers as select 2 as customer_id")
    assert query(stocked, "select * from marts.dim_customers", "publisher") == [(2,)]


def test_another_company_s_database_is_closed_to_strangers(cluster: Settings) -> None:
    url = postgres.admin_url(cluster)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("drop role if exists stranger")
        conn.execute("create role stranger login password 'x'")
    stranger = postgres.start(cluster).url("stranger", "x", cluster.database)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(stranger)


# --- raw is append-only ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "update raw.shop_things set deleted = true",
        "delete from raw.shop_things",
        "truncate raw.shop_things",
    ],
)
def test_even_its_owner_cannot_rewrite_raw(warehouse: Warehouse, statement: str) -> None:
    load(warehouse, [thing("a")], window(0))
    assert sqlstate(warehouse, "loader", statement) == APPEND_ONLY
    assert len(query(warehouse, "select * from raw.shop_things")) == 1


# --- connections ----------------------------------------------------------------------------


def test_a_connection_is_in_utc_and_waits_for_nothing_for_ever(warehouse: Warehouse) -> None:
    for role in TASK_ROLES:
        with warehouse.connect(role) as conn:
            row = conn.execute(
                "select current_user, current_setting('timezone'),"
                " current_setting('client_connection_check_interval'),"
                " current_setting('lock_timeout') != '0',"
                " current_setting('statement_timeout') != '0',"
                " current_setting('idle_in_transaction_session_timeout') != '0'"
            ).fetchone()
        assert row == (role, "UTC", "1s", True, True, True)


def test_a_dsn_is_all_a_tool_needs(warehouse: Warehouse) -> None:
    for role in (*TASK_ROLES, *READERS):
        with psycopg.connect(warehouse.dsn(role)) as conn:
            assert conn.execute("select current_user, current_setting('timezone')").fetchone() == (
                role,
                "UTC",
            )


def test_a_warehouse_from_a_url_knows_no_reader_s_password(warehouse: Warehouse) -> None:
    bare = Warehouse.from_url(warehouse.url)
    with bare.connect("loader") as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    with pytest.raises(ConfigurationError, match="password of bi_reader"):
        bare.dsn("bi_reader")
    assert warehouse.url not in repr(bare)


def test_a_warehouse_out_of_reach_is_a_clear_error(warehouse: Warehouse) -> None:
    gone = Warehouse.from_url("postgresql://pipeline:secret-word@127.0.0.1:1/retention_demo")
    with pytest.raises(ConfigurationError) as caught:
        gone.connect("loader")
    assert caught.value.code == "warehouse_unreachable"
    assert "secret-word" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="no role 'root'"):
        warehouse.connect("root")


def test_a_query_does_not_outlive_its_client(warehouse: Warehouse) -> None:
    """What a killed task leaves behind must not hold its locks for hours."""
    conn = warehouse.connect("loader")
    sleeper = threading.Thread(target=_sleep, args=(conn,))
    sleeper.start()
    assert warehouse.settings
    running = "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'"
    with psycopg.connect(postgres.admin_url(warehouse.settings), autocommit=True) as admin:
        _until(lambda: admin.execute(running).fetchone() == (1,))
        _cut(conn)
        _until(lambda: admin.execute(running).fetchone() == (0,), seconds=4)
    sleeper.join()


def _sleep(conn: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        conn.execute("select pg_sleep(30)")


def _cut(conn: psycopg.Connection) -> None:
    import os
    import socket

    with socket.socket(fileno=os.dup(conn.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _until(holds: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


# --- locks and the commit clock -------------------------------------------------------------


def test_a_lock_is_held_until_the_transaction_ends(warehouse: Warehouse) -> None:
    with warehouse.connect("loader") as one, warehouse.connect("transformer") as other:
        warehouse.lock(one, "build")
        warehouse.lock(one, "build")  # the holder may ask again
        with pytest.raises(AlreadyRunning):
            warehouse.lock(other, "build")
        warehouse.lock(other, "something else")
        one.commit()
        warehouse.lock(other, "build")


def test_nothing_is_ever_loaded_behind_a_known_at(warehouse: Warehouse) -> None:
    """A load that took its time first and commits last would break every replay."""
    with warehouse.connect("loader") as loader, warehouse.connect("transformer") as reader:
        from retention.warehouse import tick

        loaded_at = tick(loader)
        answer: list[datetime] = []
        asker = threading.Thread(target=lambda: answer.append(warehouse.known_at(reader)))
        asker.start()
        asker.join(0.3)
        assert asker.is_alive()  # it waits for the load to commit or fail
        loader.commit()
        asker.join(10)
        reader.commit()
    assert answer[0] > loaded_at


def test_the_commit_clock_never_stands_still_or_goes_back(warehouse: Warehouse) -> None:
    assert warehouse.settings
    with psycopg.connect(
        postgres.admin_url(warehouse.settings, warehouse.settings.database)
    ) as admin:
        # As if the machine's clock had been set back by a day since the last commit.
        admin.execute("update ops.commit_clock set ticked_at = now() + interval '1 day'")
    ticks = []
    for _ in range(3):
        with warehouse.connect("transformer") as conn:
            ticks.append(warehouse.known_at(conn))
    assert sorted(set(ticks)) == ticks


# --- migrations -----------------------------------------------------------------------------


def test_migrating_again_changes_nothing(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    assert warehouse.migrate([SHOP]) == []
    assert migrate.pending(warehouse) == []
    assert len(query(warehouse, "select * from raw.shop_things")) == 1


def test_every_script_can_run_twice(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    assert warehouse.settings
    before = _grants(warehouse)
    with psycopg.connect(
        postgres.admin_url(warehouse.settings, warehouse.settings.database)
    ) as admin:
        admin.execute("truncate ops.migrations")
    assert migrate.pending(warehouse) == [script.name for script in migrate.scripts()]
    assert len(warehouse.migrate()) == len(migrate.scripts()) >= 5
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
                pool.map(lambda s: Warehouse.from_settings(s).migrate([SHOP]), companies * 2)
            )
        counts = sorted(len(names) for names in applied)
        assert counts == [0, 0, 0, *[len(migrate.scripts())] * 3]
        for settings in companies:
            found = query(Warehouse.from_settings(settings), "select * from raw.shop_things")
            assert found == []
    finally:
        for settings in companies:
            drop_database(settings)


def test_an_edited_migration_is_refused(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in migrate.scripts():
        (tmp_path / f"{script.name}.sql").write_text(script.text)
    monkeypatch.setattr(migrate, "SCRIPTS", tmp_path)
    (tmp_path / "0002_ledger.sql").write_text("select 1")
    with pytest.raises(ConfigurationError, match="0002_ledger was edited"):
        warehouse.migrate()


def test_a_failing_migration_leaves_nothing_and_says_which(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in migrate.scripts():
        (tmp_path / f"{script.name}.sql").write_text(script.text)
    (tmp_path / "9999_wrong.sql").write_text("create table ops.half (id int); select 1/0;")
    monkeypatch.setattr(migrate, "SCRIPTS", tmp_path)
    with pytest.raises(ConfigurationError, match="9999_wrong failed"):
        warehouse.migrate()
    assert query(warehouse, "select to_regclass('ops.half') is null") == [(True,)]
    assert migrate.pending(warehouse) == ["9999_wrong"]


def test_a_warehouse_of_one_s_own_needs_an_administrator_once(
    warehouse: Warehouse, cluster: Settings
) -> None:
    """RETENTION_WAREHOUSE names any Postgres; here it happens to be the same one."""
    own = replace(cluster, company="own", warehouse_url=warehouse.url)
    with pytest.raises(ConfigurationError, match="RETENTION_WAREHOUSE_ADMIN"):
        Warehouse.from_settings(own).migrate()
    with_admin = replace(own, admin_url=postgres.admin_url(cluster))
    assert Warehouse.from_settings(with_admin).migrate() == []


def test_a_source_that_cannot_name_a_table_is_refused(warehouse: Warehouse) -> None:
    for name in ("Shop", 'x"; drop table raw.c; --', "s" * 60):
        with pytest.raises(ConfigurationError, match="cannot name a raw table"):
            warehouse.migrate([replace(SHOP, name=name)])


def test_a_usage_stream_gets_a_table_of_days(warehouse: Warehouse) -> None:
    usage = replace(THINGS, name="events", kind="usage")
    warehouse.migrate([replace(SHOP, streams=(usage,))])
    assert query(warehouse, "select event_date, units from raw.shop_usage_daily") == []


# --- functions ------------------------------------------------------------------------------


def ask(wh: Warehouse, expression: str, *values: Any, key: str | None = KEY) -> Any:
    with wh.connect("transformer") as conn:
        if key is not None:
            conn.execute("select set_config('retention.pseudonym_key', %s, false)", [key])
        row = conn.execute(f"select {expression}".encode(), values).fetchone()
    assert row
    return row[0]


@pytest.mark.parametrize("plain", ["ann@example.com", "", "é\U0001f600", "x" * 500])
def test_a_pseudonym_is_hmac_sha256(module_warehouse: Warehouse, plain: str) -> None:
    expected = hmac.new(bytes.fromhex(KEY), plain.encode(), hashlib.sha256).hexdigest()
    assert ask(module_warehouse, "ops.pseudonym(%s)", plain) == expected


def test_null_has_no_pseudonym(module_warehouse: Warehouse) -> None:
    assert ask(module_warehouse, "ops.pseudonym(null)") is None


@pytest.mark.parametrize("key", [None, "", "00ff", "zz" * 32])
def test_without_its_key_there_is_no_pseudonym(
    module_warehouse: Warehouse, key: str | None
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="pseudonym_key"):
        ask(module_warehouse, "ops.pseudonym('a')", key=key)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("ops.try_numeric(' -1.50e2 ')", -150),
        ("ops.try_numeric('1e400')", None),
        ("ops.try_numeric('NaN')", None),
        ("ops.try_numeric('1,5')", None),
        ("ops.try_numeric('')", None),
        ("ops.try_boolean('Yes')", True),
        ("ops.try_boolean('0')", False),
        ("ops.try_boolean('maybe')", None),
        ("ops.try_date('2024-02-29')", date(2024, 2, 29)),
        ("ops.try_date('2023-02-29')", None),
        ("ops.try_date('0000-01-01')", None),
        ("ops.try_date('today')", None),
        ("ops.try_date('2101-01-01')", None),
        ("ops.try_timestamptz('2024-02-29T23:30-01')", datetime(2024, 3, 1, 0, 30, tzinfo=UTC)),
        ("ops.try_timestamptz('2024-01-01 10:00')", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("ops.try_timestamptz('2024-02-30T00:00:00Z')", None),
        ("ops.try_timestamptz('infinity')", None),
        ("ops.try_timestamptz('1717171717')", None),
        ("ops.try_timestamptz(null)", None),
    ],
)  # fmt: skip
def test_safe_casts_give_null_for_what_does_not_read(
    module_warehouse: Warehouse, call: str, expected: Any
) -> None:
    assert ask(module_warehouse, call) == expected
