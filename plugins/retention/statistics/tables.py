"""Create the tables of schema statistics from their declarations; each build rewrites them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from retention.statistics.base import Inputs, Row, Statistic
from retention.warehouse import catalog

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
    """Create missing tables and recreate tables whose declaration changed; all are derived data."""
    for statistic in statistics:
        wanted = {**statistic.columns, **STAMPS}
        found = catalog.columns(conn, f"{prefix}statistics", statistic.name)
        if found != wanted:
            _create(conn, _table(statistic, prefix), wanted, replace=bool(found))


def write(
    wh: Warehouse, statistic: Statistic, as_of: date, known_at: datetime, prefix: str = ""
) -> int:
    """Compute and store one statistic, replacing that of the last build; return the row count.

    Reads and writes the schemas with that prefix.
    """
    path = ", ".join(f"{prefix}{name}" for name in READ)
    with wh.connect("transformer") as conn:
        # Read in a read-only transaction: a statistic must not change its inputs.
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
        # Drop dependent views too; the build creates them again.
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
