"""A checksum of a mart's rows: the same rows in any order give the same text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    import psycopg

# Two 64-bit hashes of each row, added up exactly: no sorting, and no limit on the size.
_QUERY = """
select
    count(*),
    coalesce(sum(hashtextextended(row_text, 0)), 0),
    coalesce(sum(hashtextextended(row_text, 1)), 0)
from (select mart::text as row_text from {mart} as mart offset 0) as rows
"""


def of(conn: psycopg.Connection, schema: str, mart: str) -> tuple[int, str]:
    """Rows and checksum of ``schema.mart``, of every column in its order.

    Raises psycopg's UndefinedTable when there is no such mart.
    """
    query = sql.SQL(_QUERY).format(mart=sql.Identifier(schema, mart))
    row = conn.execute(query).fetchone()
    rows, first, second = row if row is not None else (0, 0, 0)
    return int(rows), f"{rows}:{int(first)}:{int(second)}"
