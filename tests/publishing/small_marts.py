"""Two small marts, built and published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg import sql

from retention.publishing import checksum, publish
from retention.publishing.mart import Mart
from retention.publishing.publish import PublishResult
from retention.warehouse import Warehouse

CUSTOMERS = Mart("dim_customers", "publish", ("customer_id",))
MONEY = Mart("fct_money", "publish", ("customer_id", "month"))
CONTACTS = Mart("dim_contacts", "people", ("contact_id",))
MARTS = (CUSTOMERS, MONEY)
DAY = date(2026, 3, 1)
KNOWN_AT = datetime(2026, 3, 2, tzinfo=UTC)


def build(
    wh: Warehouse,
    tables: dict[str, str],
    *,
    as_of: date = DAY,
    status: str = "done",
    failed: int = 0,
    checks: int = 2,
    audited: bool = True,
    known_at: datetime = KNOWN_AT,
) -> int:
    """Write what dbt and the gate write: tables, rows of ops tables and checksums."""
    with wh.connect("transformer") as conn:
        for name, query in tables.items():
            table = sql.Identifier("marts", name)
            conn.execute(sql.SQL("drop table if exists {} cascade").format(table))
            conn.execute(sql.SQL("create table {} as {}").format(table, sql.SQL(query)))
        row = conn.execute(
            "insert into ops.builds (as_of, known_at, status) values (%s, %s, %s)"
            " returning build_id",
            [as_of, known_at, status],
        ).fetchone()
        assert row
        for number in range(checks):
            conn.execute(
                "insert into ops.gate_results (gate_run_id, build_id, gate, suite, expectation,"
                " severity, success) values (%s, %s, 'marts', 's', 'e', 'critical', %s)",
                [row[0], row[0], number >= failed],
            )
        for name in tables if audited else ():
            conn.execute(
                "insert into ops.mart_checksums (build_id, mart, rows, checksum)"
                " values (%s, %s, %s, %s)",
                [row[0], name, *checksum.of(conn, "marts", name)],
            )
    return int(row[0])


def customers(*names: str) -> str:
    rows = ", ".join(f"({number}, '{name}')" for number, name in enumerate(names, 1))
    return f"select * from (values {rows}) as rows (customer_id, name)"


def money(amount: int, months: int = 3) -> str:
    return (
        f"select c as customer_id, m as month, {amount} + c as amount"
        f" from generate_series(1, 2) as c, generate_series(1, {months}) as m"
    )


def released(wh: Warehouse, names: tuple[str, ...], amount: int = 1, **more: Any) -> PublishResult:
    number = build(wh, {"dim_customers": customers(*names), "fct_money": money(amount)})
    return publish.publish(wh, number, actor="test", only=MARTS, **more)


def seen(wh: Warehouse, table: str = "publish.dim_customers") -> list[tuple[Any, ...]]:
    with wh.connect("bi_reader") as conn:
        return conn.execute(sql.SQL(f"select * from {table} order by 1, 2")).fetchall()


def names_seen(wh: Warehouse) -> list[str]:
    return [row[1] for row in seen(wh)]


def stored(wh: Warehouse, table: str = "dim_customers") -> list[tuple[Any, ...]]:
    with wh.connect("publisher") as conn:
        query = "select name, from_publish, to_publish from published.{} order by 2, 1"
        return conn.execute(sql.SQL(query).format(sql.Identifier(table))).fetchall()


TABLES = {"dim_customers": customers("Eve"), "fct_money": money(1)}


@contextmanager
def long_query(wh: Warehouse) -> Iterator[psycopg.Connection]:
    """Open a reader's transaction that has read every published view."""
    with wh.connect("bi_reader") as conn:
        conn.execute("select count(*) from publish.dim_customers, publish.fct_money").fetchone()
        yield conn
        conn.rollback()
