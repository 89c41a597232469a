"""Raw tables: one append-only log of record versions per stream, created on first use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from retention.errors import ConfigurationError
from retention.source import Source, Stream

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

NAME = re.compile(r"[a-z][a-z0-9_]*")
MANY_ROWS = 1_000

VERSIONS = """
create table {table} (
    version_id bigint generated always as identity primary key,
    record_id text not null,
    content_hash bytea not null,
    source_updated_at timestamptz,
    loaded_at timestamptz not null,
    deleted boolean not null default false,
    load_id bigint not null references ops.loads,
    doc jsonb not null
)
"""
NEWEST_FIRST = """
create index on {table}
(record_id, source_updated_at desc nulls last, loaded_at desc, version_id desc)
"""
USAGE = """
create table {table} (
    event_date date not null,
    account_key text not null,
    user_key text not null default '',
    subscription_key text not null default '',
    feature text not null,
    events bigint not null,
    units numeric,
    first_at timestamptz,
    last_at timestamptz,
    load_id bigint not null,
    loaded_at timestamptz not null
)
"""
# Days are appended in order, so a block-range index suffices and is small.
BY_DAY = "create index on {table} using brin (event_date, load_id)"
APPEND_ONLY = """
create trigger append_only before update or delete or truncate on {table}
for each statement execute function ops.refuse_rewrite()
"""


def table_name(source: Source, stream: Stream) -> str:
    """Return the table name in schema raw: ``hubspot_companies``, ``posthog_usage_daily``."""
    name = f"{source.name}_{'usage_daily' if stream.kind == 'usage' else stream.name}"
    # Postgres truncates a longer name, so two streams could share a table.
    if not NAME.fullmatch(name) or len(name) > 63:
        raise ConfigurationError(
            f"{name!r} cannot name a raw table.",
            hint="Use at most 63 of a-z, 0-9 and _ in the names of source and stream.",
        )
    return name


def identifier(source: Source, stream: Stream) -> sql.Identifier:
    """Return the quoted name of the stream's raw table, with its schema."""
    return sql.Identifier("raw", table_name(source, stream))


def ensure_table(conn: psycopg.Connection, source: Source, stream: Stream) -> sql.Identifier:
    """Create the stream's raw table if it is missing; needs a connection as role loader."""
    table = identifier(source, stream)
    if _exists(conn, source, stream):
        return table
    # Of two concurrent first loads the second waits here and then sees the table.
    conn.execute("select pg_advisory_xact_lock(hashtextextended('raw tables', 0))")
    if not _exists(conn, source, stream):
        usage = stream.kind == "usage"
        for statement in (USAGE, BY_DAY) if usage else (VERSIONS, NEWEST_FIRST):
            conn.execute(sql.SQL(statement).format(table=table))
        conn.execute(sql.SQL(APPEND_ONLY).format(table=table))
        about = f"{stream.name} of {source.name}: one row per version ever seen, never changed."
        if usage:
            about = f"Usage of {source.name} per day: see ops.usage_days for the day that counts."
        conn.execute(sql.SQL("comment on table {} is {}").format(table, about))
    return table


def refresh_statistics(wh: Warehouse, source: Source, stream: Stream, written: int) -> None:
    """Analyze the raw table after a load of at least MANY_ROWS rows.

    The build starts before autovacuum would analyze it, and without statistics the planner
    chooses nested loops.
    """
    if written >= MANY_ROWS:
        with wh.connect("loader") as conn:
            conn.execute(sql.SQL("analyze {}").format(identifier(source, stream)))
            if stream.kind == "usage":
                # Usage is joined to ops.usage_days, which grew as much.
                conn.execute("analyze ops.usage_days")


def _exists(conn: psycopg.Connection, source: Source, stream: Stream) -> bool:
    row = conn.execute(
        "select to_regclass(%s) is not null", [f"raw.{table_name(source, stream)}"]
    ).fetchone()
    return bool(row and row[0])
