"""Stored rows behind the published views: their columns and the changes of a publish.

Each row has the publish that added it (``from_publish``) and the one that removed it
(``to_publish``). A publish writes only changed rows; a view shows the rows of the publish in
``published.pointer``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from retention.errors import PublishError
from retention.publishing import mart as marts
from retention.publishing.mart import STAMPS, Mart
from retention.warehouse import catalog

# An ALTER that waits for a long query blocks all later readers. It therefore gives up after
# this time and tries again.
LOCK_TIMEOUT = "150ms"
PATIENCE = 30.0

_VIEW = """
create or replace view {view} as
select {columns} from {stored}
where from_publish <= (select publish_id from published.pointer)
    and (to_publish is null or to_publish > (select publish_id from published.pointer))
"""
# The days up to the one that readers see. A condition on the day or on a column of the spans
# reaches an index of theirs.
_DAYS_VIEW = """
create or replace view {view} as
select {columns} from (
    select day.at::date as as_of_date
    from generate_series(
        (select min(valid_from) from {spans})::timestamp,
        (select as_of from publish.as_of)::timestamp,
        interval '1 day'
    ) as day (at)
) as days
inner join {spans} as spans on daterange(spans.valid_from, spans.valid_to) @> days.as_of_date
"""
_DAYS_INDEX = """
create index if not exists {name} on {stored} using gist (daterange(valid_from, valid_to))
"""
_SHOWS = """
select from information_schema.view_table_usage
where view_schema = %s and view_name = %s and table_name = %s
"""
_FRESH = """
create temporary table fresh on commit drop as
select {columns}, sha256(convert_to(row({sorted})::text, 'UTF8')) as row_hash from {built}
"""
_CLOSE = """
update {stored} as stored set to_publish = %(publish)s
where to_publish is null
    and not exists (select from fresh where fresh.row_hash = stored.row_hash)
"""
_ADD = """
insert into {stored} ({columns}, from_publish, row_hash)
select {columns}, %(publish)s, row_hash from fresh
where not exists (
    select from {stored} as stored
    where stored.to_publish is null and stored.row_hash = fresh.row_hash
)
"""
_PRUNE = """
delete from {stored}
where to_publish is not null
    and not exists (
        select from unnest(%(kept)s::bigint[]) as kept (publish_id)
        where from_publish <= publish_id and publish_id < to_publish
    )
"""


@dataclass
class Changes:
    """Changes of stored tables and views that a publish needs; ``losses`` break readers."""

    statements: list[sql.Composed] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def plan(conn: psycopg.Connection, wanted: Sequence[Mart]) -> Changes:
    """Compare the built marts with the stored tables and views; change nothing."""
    changes = Changes()
    shown = {(mart.audience, mart.name) for mart in wanted}
    for schema, name in sorted(marts.views(conn) - shown):
        changes.losses.append(f"{schema}.{name}")
        view = sql.Identifier(schema, name)
        changes.statements.append(sql.SQL("drop view {}").format(view))
    for mart in marts.with_rows(wanted):
        _plan_mart(conn, mart, changes)
    for mart in wanted:
        if mart.view_over:
            _plan_view(conn, mart, changes)
    return changes


def reshape(conn: psycopg.Connection, changes: Changes) -> None:
    """Apply the changes in one transaction; raises PublishError when readers block them."""
    deadline = time.monotonic() + PATIENCE
    while changes.statements:
        try:
            with conn.transaction():
                conn.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                for statement in changes.statements:
                    conn.execute(statement)
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as error:
            if time.monotonic() > deadline:
                raise PublishError(
                    "a reader's query blocks the change of a published table.",
                    code="publish_blocked",
                    hint="Wait for it or end it (pg_stat_activity), then publish again.",
                ) from error
            time.sleep(0.5)
        except psycopg.errors.DataError as error:
            raise PublishError(
                f"published rows cannot be cast to a column's new type: {type(error).__name__}.",
                code="publish_shape",
                hint="Give the column a new name, or a type that holds the old values.",
            ) from error


def write(conn: psycopg.Connection, mart: Mart, publish_id: int) -> dict[str, int]:
    """Store the rows of the mart as that publish; return rows, added and closed.

    Gate 2 has checked that the grain of the rows is unique.
    """
    names = list(catalog.columns(conn, "marts", mart.name))
    parts = {
        "columns": _list(names),
        "sorted": _list(sorted(names)),
        "built": mart.built,
        "stored": mart.stored,
    }
    values = {"publish": publish_id}
    rows = conn.execute(sql.SQL(_FRESH).format(**parts)).rowcount
    conn.execute("analyze fresh (row_hash)")
    closed = conn.execute(sql.SQL(_CLOSE).format(**parts), values).rowcount
    added = conn.execute(sql.SQL(_ADD).format(**parts), values).rowcount
    conn.execute("drop table fresh")
    return {"rows": rows, "added": added, "closed": closed}


def retire(conn: psycopg.Connection, wanted: Sequence[Mart], publish_id: int) -> None:
    """Close the rows of stored marts that are no longer published."""
    kept = {mart.name for mart in wanted}
    for name in _stored(conn) - kept:
        statement = "update {} set to_publish = %s where to_publish is null"
        table = sql.Identifier("published", name)
        conn.execute(sql.SQL(statement).format(table), [publish_id])


def prune(conn: psycopg.Connection, kept: Sequence[int]) -> int:
    """Delete the rows that no kept publish shows; return their number."""
    removed = 0
    for name in sorted(_stored(conn)):
        statement = sql.SQL(_PRUNE).format(stored=sql.Identifier("published", name))
        removed += conn.execute(statement, {"kept": list(kept)}).rowcount
    return removed


def _plan_mart(conn: psycopg.Connection, mart: Mart, changes: Changes) -> None:
    built = catalog.columns(conn, "marts", mart.name)
    if not built:
        raise PublishError(f"there is no table marts.{mart.name}.", hint="Build it first.")
    wrong = [name for name in (*STAMPS, *mart.grain) if (name in built) == (name in STAMPS)]
    if wrong:
        raise PublishError(
            f"{mart.name} cannot be stored: its grain lacks a column, or a column has a reserved"
            f" name: {', '.join(wrong)}."
        )
    stored = catalog.columns(conn, "published", mart.name)
    shown = catalog.columns(conn, mart.audience, mart.name)
    lost = [name for name in shown if built.get(name) != shown[name]]
    changes.losses.extend(f"{mart.name}.{name}" for name in lost)
    if lost:
        # A view over its days is made again, as is its own.
        changes.statements.append(sql.SQL("drop view {} cascade").format(mart.view))
        shown = {}
    changes.statements.extend(_fitted(mart, built, stored))
    if stored and _indexed_grain(conn, mart) != (*mart.grain, "from_publish"):
        changes.statements.extend(_index_of_a_new_grain(conn, mart))
    order = [*shown, *(name for name in built if name not in shown)]
    if order != list(shown):
        view = sql.SQL(_VIEW).format(view=mart.view, columns=_list(order), stored=mart.stored)
        changes.statements.append(view)


def _plan_view(conn: psycopg.Connection, mart: Mart, changes: Changes) -> None:
    """The view that shows a mart of spans day by day."""
    spans = Mart(mart.view_over, mart.audience, ())
    built = catalog.columns(conn, "marts", mart.name)
    shown = catalog.columns(conn, mart.audience, mart.name)
    lost = [name for name in shown if built.get(name) != shown[name]]
    changes.losses.extend(f"{mart.name}.{name}" for name in lost)
    is_shown = conn.execute(_SHOWS, [mart.audience, mart.name, spans.name]).fetchone() is not None
    if is_shown and shown == built and not changes.statements:
        return
    if lost:
        drop = sql.SQL("drop view if exists {}").format(mart.view)
        changes.statements.append(drop)
        shown = {}
    order = [*shown, *(name for name in built if name not in shown)]
    index = sql.Identifier(f"{spans.name}_days")
    parts = {"view": mart.view, "columns": _list(order), "spans": spans.view}
    changes.statements.append(sql.SQL(_DAYS_INDEX).format(name=index, stored=spans.stored))
    changes.statements.append(sql.SQL(_DAYS_VIEW).format(**parts))


def _fitted(mart: Mart, built: dict[str, str], stored: dict[str, str]) -> list[sql.Composed]:
    """Return the statements that add or retype the columns of the stored table."""
    if not stored:
        return _created(mart, built)
    statements = []
    for name, kind in built.items():
        parts = {
            "table": mart.stored,
            "column": sql.Identifier(name),
            "kind": _type(kind),
        }
        if name not in stored:
            add = sql.SQL("alter table {table} add column {column} {kind}")
            statements.append(add.format(**parts))
        elif stored[name] != kind:
            alter = "alter table {table} alter column {column} type {kind} using {column}::{kind}"
            statements.append(sql.SQL(alter).format(**parts))
    return statements


def _created(mart: Mart, built: dict[str, str]) -> list[sql.Composed]:
    definitions = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), _type(kind)) for name, kind in built.items()
    )
    table = sql.SQL(
        "create table {} ({}, from_publish bigint not null, to_publish bigint,"
        " row_hash bytea not null)"
    )
    # Unique per grain and publish; also used to look up one customer.
    index = sql.SQL("create unique index on {} ({}, from_publish) nulls not distinct")
    return [
        table.format(mart.stored, definitions),
        index.format(mart.stored, _list(mart.grain)),
    ]


def _indexed_grain(conn: psycopg.Connection, mart: Mart) -> tuple[str, ...]:
    """Return the columns of the newest unique index of the stored table."""
    row = conn.execute(
        "select array_agg(attname::text order by place) from pg_index"
        " cross join unnest(indkey::smallint[]) with ordinality as keys (attnum, place)"
        " inner join pg_attribute on attrelid = indrelid and pg_attribute.attnum = keys.attnum"
        " where indrelid = %s::regclass and indisunique group by indexrelid"
        " order by indexrelid desc limit 1",
        [f"published.{mart.name}"],
    ).fetchone()
    return tuple(row[0]) if row else ()


def _index_of_a_new_grain(conn: psycopg.Connection, mart: Mart) -> list[sql.Composed]:
    """Replace the unique index; rows of earlier publishes keep the grain they were stored with."""
    old = conn.execute(
        "select indexrelid::regclass::text from pg_index"
        " where indrelid = %s::regclass and indisunique",
        [f"published.{mart.name}"],
    ).fetchall()
    newest = conn.execute("select coalesce(max(publish_id), 0) from ops.publishes").fetchone()
    create = sql.SQL(
        "create unique index on {} ({}, from_publish) nulls not distinct where from_publish > {}"
    )
    return [
        *(sql.SQL("drop index {}").format(sql.SQL(name)) for (name,) in old),
        create.format(mart.stored, _list(mart.grain), sql.Literal(newest[0] if newest else 0)),
    ]


def _stored(conn: psycopg.Connection) -> set[str]:
    rows = conn.execute(
        "select tablename from pg_tables where schemaname = 'published' and tablename != 'pointer'"
    ).fetchall()
    return {name for (name,) in rows}


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _type(kind: str) -> sql.Composed:
    # from format_type(), which quotes where needed
    return sql.Composed([sql.SQL(kind)])
