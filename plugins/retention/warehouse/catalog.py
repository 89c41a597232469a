"""Queries of the Postgres catalog."""

from __future__ import annotations

import psycopg


def columns(conn: psycopg.Connection, schema: str, name: str) -> dict[str, str]:
    """Return name and SQL type of each column in order; empty when there is no such relation."""
    return dict(
        conn.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))"
            " and attnum > 0 and not attisdropped order by attnum",
            [schema, name],
        ).fetchall()
    )
