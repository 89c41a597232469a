"""The stored rows behind the published views: their shape, and what a publish changes in them.

A row is stamped with the publish it came with (``from_publish``) and the one that no longer has
it (``to_publish``). A publish writes only what changed; a view shows the rows of the publish
that ``published.pointer`` names.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from retention.errors import PublishError
from retention.marts import mart as marts
from retention.marts.mart import STAMPS, Mart

# Readers queue behind a change of shape that itself waits for a long query: it gives up
# quickly and tries again, so that nobody waits longer than this.
LOCK_TIMEOUT = "150ms"
PATIENCE = 30.0

_VIEW = """
create or replace view {view} as
select {columns} from {stored}
where from_publish <= (select publish_id from published.pointer)
    and (to_publish is null or to_publish > (select publish_id from published.pointer))
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
_DOUBLES = "select 1 from fresh group by {grain} having count(*) > 1 limit 1"
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
    """What has to happen to the stored tables and views before a publish fits into them."""

    statements: list[sql.Composed] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def plan(conn: psycopg.Connection, wanted: Sequence[Mart]) -> Changes:
    """Compare the built marts with what is stored and shown; changes nothing."""
    changes = Changes()
    shown = {(mart.audience, mart.name) for mart in wanted}
    for schema, name in sorted(marts.views(conn) - shown):
        changes.losses.append(f"{schema}.{name}")
        view = sql.Identifier(schema, name)
        changes.statements.append(sql.SQL("drop view {}").format(view))
    for mart in wanted:
        _plan_mart(conn, mart, changes)
    return changes


def reshape(conn: psycopg.Connection, changes: Changes) -> None:
    """Carry the changes out in one transaction; raises PublishError when readers never let it."""
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
                    "a reader's query keeps a table from getting its new shape.",
                    code="publish_blocked",
                    mend="Wait for it or end it (pg_stat_activity), then publish again.",
                ) from error
            time.sleep(0.5)
        except psycopg.errors.DataError as error:
            raise PublishError(
                f"published rows do not fit a column's new type: {type(error).__name__}.",
                code="publish_shape",
            ) from error


def write(conn: psycopg.Connection, mart: Mart, publish_id: int) -> dict[str, int]:
    """Store what the mart has now as that publish; returns rows shown, added and closed.

    Raises PublishError when two rows of the mart have the same grain.
    """
    names = list(marts.columns(conn, "marts", mart.name))
    parts = {
        "columns": _list(names),
        "sorted": _list(sorted(names)),
        "built": mart.built,
        "stored": mart.stored,
    }
    values = {"publish": publish_id}
    rows = conn.execute(sql.SQL(_FRESH).format(**parts)).rowcount
    conn.execute("analyze fresh (row_hash)")
    if conn.execute(sql.SQL(_DOUBLES).format(grain=_list(mart.grain))).fetchone():
        raise PublishError(
            f"{mart.name} has two rows with the same {', '.join(mart.grain)}.",
            code="publish_grain",
            mend="Mend the model or its grain.",
        )
    closed = conn.execute(sql.SQL(_CLOSE).format(**parts), values).rowcount
    added = conn.execute(sql.SQL(_ADD).format(**parts), values).rowcount
    conn.execute("drop table fresh")
    return {"rows": rows, "added": added, "closed": closed}


def retire(conn: psycopg.Connection, wanted: Sequence[Mart], publish_id: int) -> None:
    """End the rows of stored marts that are no longer published."""
    kept = {mart.name for mart in wanted}
    for name in _stored(conn) - kept:
        statement = "update {} set to_publish = %s where to_publish is null"
        table = sql.Identifier("published", name)
        conn.execute(sql.SQL(statement).format(table), [publish_id])


def prune(conn: psycopg.Connection, kept: Sequence[int]) -> int:
    """Remove the rows that none of the kept publishes shows; returns how many."""
    removed = 0
    for name in sorted(_stored(conn)):
        statement = sql.SQL(_PRUNE).format(stored=sql.Identifier("published", name))
        removed += conn.execute(statement, {"kept": list(kept)}).rowcount
    return removed


def _plan_mart(conn: psycopg.Connection, mart: Mart, changes: Changes) -> None:
    built = marts.columns(conn, "marts", mart.name)
    if not built:
        raise PublishError(f"there is no table marts.{mart.name}.", mend="Build it first.")
    wrong = [name for name in (*STAMPS, *mart.grain) if (name in built) == (name in STAMPS)]
    if wrong:
        raise PublishError(f"{mart.name} cannot be stored: check the columns {', '.join(wrong)}.")
    stored = marts.columns(conn, "published", mart.name)
    shown = marts.columns(conn, mart.audience, mart.name)
    lost = [name for name in shown if built.get(name) != shown[name]]
    changes.losses.extend(f"{mart.name}.{name}" for name in lost)
    if lost:
        changes.statements.append(sql.SQL("drop view {}").format(mart.view))
        shown = {}
    changes.statements.extend(_fitted(mart, built, stored))
    order = [*shown, *(name for name in built if name not in shown)]
    if order != list(shown):
        view = sql.SQL(_VIEW).format(view=mart.view, columns=_list(order), stored=mart.stored)
        changes.statements.append(view)


def _fitted(mart: Mart, built: dict[str, str], stored: dict[str, str]) -> list[sql.Composed]:
    """The statements that give the stored table every column of the built one."""
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
    # One row per grain and publish; it also serves the lookup of one customer.
    index = sql.SQL("create unique index on {} ({}, from_publish) nulls not distinct")
    return [
        table.format(mart.stored, definitions),
        index.format(mart.stored, _list(mart.grain)),
    ]


def _stored(conn: psycopg.Connection) -> set[str]:
    rows = conn.execute(
        "select tablename from pg_tables where schemaname = 'published' and tablename != 'pointer'"
    ).fetchall()
    return {name for (name,) in rows}


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _type(kind: str) -> sql.Composed:
    # format_type() of the catalogue wrote it, quoted where it must be
    return sql.Composed([sql.SQL(kind)])
