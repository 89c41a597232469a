"""The hash of a mart's row, and the checksum of all its rows: the same in any order of both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg import sql

from retention.marts import mart as marts

if TYPE_CHECKING:
    import psycopg

# Two 64-bit numbers of each row's hash, added up exactly: no sorting, and no limit on the size.
_SUMS = """
select
    count(*),
    coalesce(sum(('x' || encode(substr(row_hash, 1, 8), 'hex'))::bit(64)::bigint), 0),
    coalesce(sum(('x' || encode(substr(row_hash, 9, 8), 'hex'))::bit(64)::bigint), 0)
from ({hashes}) as hashes
"""


def row_hash(names: Iterable[str]) -> sql.Composed:
    """An SQL expression: SHA-256 of the row's text, its columns in the order of their names."""
    columns = sql.SQL(", ").join(map(sql.Identifier, sorted(names)))
    return sql.SQL("sha256(convert_to(row({})::text, 'UTF8'))").format(columns)


def of(conn: psycopg.Connection, schema: str, mart: str) -> tuple[int, str]:
    """Rows and checksum of ``schema.mart``, over every column.

    Raises psycopg's UndefinedTable when there is no such mart.
    """
    # Without the offset the hash would be computed once for each sum.
    query = sql.SQL("select {} as row_hash from {} offset 0").format(
        row_hash(marts.columns(conn, schema, mart)), sql.Identifier(schema, mart)
    )
    return _summed(conn, query)


def of_hashed(conn: psycopg.Connection, table: sql.Identifier) -> tuple[int, str]:
    """The same of rows whose hashes stand beside them in the column ``row_hash``."""
    return _summed(conn, sql.SQL("select row_hash from {}").format(table))


def _summed(conn: psycopg.Connection, hashes: sql.Composed) -> tuple[int, str]:
    row = conn.execute(sql.SQL(_SUMS).format(hashes=hashes)).fetchone()
    rows, first, second = row if row is not None else (0, 0, 0)
    return int(rows), f"{rows}:{int(first)}:{int(second)}"
