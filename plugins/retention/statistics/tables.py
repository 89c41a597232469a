"""The tables of schema statistics: made from the declarations, written whole by each build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from retention.marts import mart
from retention.statistics.base import Inputs, Row, Statistic

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

READ = ("staging", "marts", "policy")
STAMPS = {
    "as_of": "date",
    "known_at": "timestamp with time zone",
    "model": "text",
    "version": "text",
}


def ensure(conn: psycopg.Connection, statistics: Iterable[Statistic], prefix: str = "") -> None:
    """Make what is missing, and make anew what is declared differently: it is all derived."""
    for statistic in statistics:
        wanted = {**statistic.columns, **STAMPS}
        found = mart.columns(conn, f"{prefix}statistics", statistic.name)
        if found != wanted:
            _create(conn, _table(statistic, prefix), wanted, replace=bool(found))


def write(
    wh: Warehouse, statistic: Statistic, as_of: date, known_at: datetime, prefix: str = ""
) -> int:
    """Compute and store one statistic in place of what the build before left; how many rows.

    It reads and writes the schemas of that prefix.
    """
    path = ", ".join(f"{prefix}{name}" for name in READ)
    with wh.connect("transformer") as conn:
        # Read first and in a transaction that cannot write: a statistic changes no input.
        conn.execute("set transaction isolation level repeatable read, read only")
        conn.execute("select set_config('search_path', %s, true)", [path])
        rows = list(statistic.compute(Inputs(conn, as_of, known_at)))
        conn.rollback()
        ensure(conn, [statistic], prefix)
        _replace(
            conn, statistic, prefix, rows, (as_of, known_at, statistic.name, statistic.version)
        )
    return len(rows)


def _create(
    conn: psycopg.Connection, table: sql.Identifier, columns: Mapping[str, str], *, replace: bool
) -> None:
    if replace:
        # With the views on it: the build makes them again.
        conn.execute(sql.SQL("drop table {} cascade").format(table))
    shown = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in columns.items()
    ]
    statement = sql.SQL("create table {} ({})")
    conn.execute(statement.format(table, sql.SQL(", ").join(shown)))


def _replace(
    conn: psycopg.Connection, statistic: Statistic, prefix: str, rows: Iterable[Row], stamp: Row
) -> None:
    table = _table(statistic, prefix)
    conn.execute(sql.SQL("truncate {}").format(table))
    columns = sql.SQL(", ").join(map(sql.Identifier, [*statistic.columns, *STAMPS]))
    statement = sql.SQL("copy {} ({}) from stdin").format(table, columns)
    with conn.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row((*row, *stamp))
    conn.execute(sql.SQL("analyze {}").format(table))


def _table(statistic: Statistic, prefix: str) -> sql.Identifier:
    return sql.Identifier(f"{prefix}statistics", statistic.name)
