"""The tables of schema statistics: made from the declarations, written whole by each build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from retention import mart
from retention.statistics.base import Inputs, Row, Statistic

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

STAMPS = {
    "as_of": "date",
    "known_at": "timestamp with time zone",
    "model": "text",
    "version": "text",
}


def ensure(conn: psycopg.Connection, statistics: Iterable[Statistic]) -> None:
    """Make what is missing, and make anew what is declared differently: it is all derived."""
    for statistic in statistics:
        wanted = {**statistic.columns, **STAMPS}
        found = mart.columns(conn, "statistics", statistic.name)
        if found != wanted:
            _create(conn, statistic, wanted, replace=bool(found))


def write(wh: Warehouse, statistic: Statistic, as_of: date, known_at: datetime) -> int:
    """Compute and store one statistic in place of what the build before left; how many rows."""
    with wh.connect("transformer") as conn:
        # Read first and in a transaction that cannot write: a statistic changes no input.
        conn.execute("set transaction isolation level repeatable read, read only")
        rows = list(statistic.compute(Inputs(conn, as_of, known_at)))
        conn.rollback()
        ensure(conn, [statistic])
        _replace(conn, statistic, rows, (as_of, known_at, statistic.name, statistic.version))
    return len(rows)


def _create(
    conn: psycopg.Connection, statistic: Statistic, columns: Mapping[str, str], *, replace: bool
) -> None:
    if replace:
        # With the views on it: the build makes them again.
        conn.execute(sql.SQL("drop table {} cascade").format(_table(statistic)))
    shown = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind in columns.items()
    ]
    statement = sql.SQL("create table {} ({})")
    conn.execute(statement.format(_table(statistic), sql.SQL(", ").join(shown)))


def _replace(
    conn: psycopg.Connection, statistic: Statistic, rows: Iterable[Row], stamp: Row
) -> None:
    conn.execute(sql.SQL("truncate {}").format(_table(statistic)))
    columns = sql.SQL(", ").join(map(sql.Identifier, [*statistic.columns, *STAMPS]))
    statement = sql.SQL("copy {} ({}) from stdin").format(_table(statistic), columns)
    with conn.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row((*row, *stamp))
    conn.execute(sql.SQL("analyze {}").format(_table(statistic)))


def _table(statistic: Statistic) -> sql.Identifier:
    return sql.Identifier("statistics", statistic.name)
