"""Checksum of a mart's rows, independent of their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

# An exact sum of two 64-bit hashes per row needs no sorting and works for any size.
_QUERY = """
select
    count(*),
    coalesce(sum(hashtextextended(row_text, 0)), 0),
    coalesce(sum(hashtextextended(row_text, 1)), 0)
from (select mart::text as row_text from {mart} as mart offset 0) as rows
"""


def of(conn: psycopg.Connection, schema: str, mart: str) -> tuple[int, str]:
    """Return the row count and checksum of ``schema.mart`` over all columns in order.

    Raises psycopg.errors.UndefinedTable when there is no such table.
    """
    query = sql.SQL(_QUERY).format(mart=sql.Identifier(schema, mart))
    row = conn.execute(query).fetchone()
    rows, first, second = row if row is not None else (0, 0, 0)
    return int(rows), f"{rows}:{int(first)}:{int(second)}"
