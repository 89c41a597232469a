"""Stored rows behind the published views, and what a publish changes of them.

Each row has the publish that added it (``from_publish``) and the one that removed it
(``to_publish``). A publish writes only changed rows; a view shows the rows of the publish in
``published.pointer``. The day of the build is not stored, so a row in which nothing else changed
is not written again.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from retention.errors import PublishError
from retention.publishing import layout
from retention.publishing.mart import Mart
from retention.warehouse import catalog

_FRESH = """
create temporary table fresh on commit drop as
select {columns}, {hash} as row_hash from {built}
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
# Most rows that go were closed before the oldest kept publish: an index finds them. The others
# lie between two kept publishes.
_PRUNE_BEFORE = "delete from {stored} where to_publish <= %(oldest)s"
_PRUNE_BETWEEN = """
delete from {stored}
where to_publish is not null
    and not exists (
        select from unnest(%(kept)s::bigint[]) as kept (publish_id)
        where from_publish <= publish_id and publish_id < to_publish
    )
"""
_OTHER_DAY = """
select count(*) from {built}
where {column} is distinct from (select as_of from ops.publishes where publish_id = %s)
"""
# Postgres itself analyzes the partitions, never the table, whose statistics joins are planned
# with. They are renewed with those of a partition.
_STATISTICS_ARE_OLD = """
select coalesce(max(part.last_autoanalyze) > min(whole.last_analyze), false)
    or min(whole.last_analyze) is null
from pg_stat_all_tables as whole
inner join pg_inherits on inhparent = whole.relid
inner join pg_stat_all_tables as part on part.relid = inhrelid
where whole.schemaname = 'published' and whole.relname = %s
"""


def write(conn: psycopg.Connection, mart: Mart, publish_id: int) -> dict[str, int]:
    """Store the rows of the mart as that publish; return rows, added and closed.

    Gate 2 has checked that the grain of the rows is unique. Raises PublishError when a row lacks
    the day of the publish, which the view would show in its place.
    """
    built = catalog.columns(conn, "marts", mart.name)
    as_of = mart.taken_from_pointer(built)
    if as_of:
        _require_day(conn, mart, as_of, publish_id)
    names = [name for name in built if name != as_of]
    parts = {
        "columns": _list(names),
        "hash": layout.row_hash(names),
        "built": mart.built,
        "stored": mart.stored,
    }
    values = {"publish": publish_id}
    rows = conn.execute(sql.SQL(_FRESH).format(**parts)).rowcount
    conn.execute("analyze fresh (row_hash)")
    closed = conn.execute(sql.SQL(_CLOSE).format(**parts), values).rowcount
    added = conn.execute(sql.SQL(_ADD).format(**parts), values).rowcount
    conn.execute("drop table fresh")
    _analyze(conn, mart, is_other=10 * (added + closed) > rows)
    return {"rows": rows, "added": added, "closed": closed}


def retire(conn: psycopg.Connection, wanted: Sequence[Mart], publish_id: int) -> None:
    """Close the rows of stored marts that are no longer published."""
    kept = {mart.name for mart in wanted}
    for name in _stored(conn) - kept:
        statement = "update {} set to_publish = %s where to_publish is null"
        table = sql.Identifier("published", name)
        conn.execute(sql.SQL(statement).format(table), [publish_id])


def prune(conn: psycopg.Connection, kept: Sequence[int], pruned: Sequence[int]) -> int:
    """Delete the rows that no kept publish shows; return their number.

    ``pruned`` are the publishes that were kept until now: without one nothing is read.
    """
    removed = 0
    statements = [_PRUNE_BEFORE] if pruned else []
    if any(publish_id > min(kept) for publish_id in pruned):
        statements.append(_PRUNE_BETWEEN)
    values = {"kept": list(kept), "oldest": min(kept, default=0)}
    for name in sorted(_stored(conn)) if statements else []:
        for statement in statements:
            query = sql.SQL(statement).format(stored=sql.Identifier("published", name))
            removed += conn.execute(query, values).rowcount
    return removed


def _require_day(conn: psycopg.Connection, mart: Mart, as_of: str, publish_id: int) -> None:
    query = sql.SQL(_OTHER_DAY).format(built=mart.built, column=sql.Identifier(as_of))
    (other,) = conn.execute(query, [publish_id]).fetchone() or (0,)
    if other:
        raise PublishError(
            f"{other:,} rows of marts.{mart.name} have another {as_of} than the build.",
            code="not_what_was_audited",
            hint=f"Restore the day, or remove `rule: all` from its suite in expectations/"
            f"marts_{mart.name}.yml.",
        )


def _analyze(conn: psycopg.Connection, mart: Mart, *, is_other: bool) -> None:
    """Renew the planner's statistics when many rows changed, or Postgres renewed a partition's."""
    row = conn.execute(_STATISTICS_ARE_OLD, [mart.name]).fetchone()
    if is_other or (row and row[0]):
        conn.execute(sql.SQL("analyze {}").format(mart.stored))


def _stored(conn: psycopg.Connection) -> set[str]:
    rows = conn.execute(
        "select relname from pg_class where relnamespace = 'published'::regnamespace"
        " and relkind in ('r', 'p') and not relispartition and relname != 'pointer'"
    ).fetchall()
    return {name for (name,) in rows}


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
