"""Privileges of each role on a real Postgres."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from retention.settings import Settings
from retention.warehouse import postgres
from retention.warehouse.connection import READERS, TASK_ROLES, Warehouse
from tests.loading import load, query, thing, window

DENIED = "42501"  # insufficient_privilege
APPEND_ONLY = "23001"  # restrict_violation, by the trigger on raw tables


@pytest.fixture(scope="module")
def stocked(module_warehouse: Warehouse) -> Warehouse:
    """Create one row in raw, in a mart and in both published schemas."""
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
    """Return the SQLSTATE of the error; None when the statement succeeds."""
    with wh.connect(role) as conn:
        if role in ("bi_reader", "cs_reader"):
            # A reader can switch this off, so privileges must not depend on it.
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
def test_a_reader_may_only_read_the_published_schemas(stocked: Warehouse, role: str) -> None:
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
def test_each_role_has_only_the_privileges_of_its_task(
    stocked: Warehouse, statement: str, allowed: set[str]
) -> None:
    roles = (*TASK_ROLES, *READERS)
    states = {role: sqlstate(stocked, role, statement) for role in roles}
    assert {role for role, state in states.items() if state is None} == allowed
    refusals = {DENIED, APPEND_ONLY} if statement == "delete from raw.shop_things" else {DENIED}
    assert {state for state in states.values() if state} <= refusals


def test_the_bare_login_has_no_privileges(stocked: Warehouse) -> None:
    for statement in ("select * from publish.dim_customers", "select * from ops.loads"):
        assert sqlstate(stocked, None, statement) == DENIED


def test_a_recreated_mart_stays_readable(stocked: Warehouse) -> None:
    with stocked.connect("transformer") as conn:
        conn.execute("drop table marts.dim_customers")
        conn.execute("create table marts.dim_customers as select 2 as customer_id")
    assert query(stocked, "select * from marts.dim_customers", "publisher") == [(2,)]


def test_a_foreign_role_cannot_connect_to_a_company_s_database(cluster: Settings) -> None:
    url = postgres.admin_url(cluster)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("drop role if exists stranger")
        conn.execute("create role stranger login password 'x'")
    stranger = postgres.start(cluster).url("stranger", "x", cluster.database)
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(stranger)


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
