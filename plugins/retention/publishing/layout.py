"""Tables and views of published marts: the statements that create and convert them.

The stored table of a mart has two partitions: the rows of the newest publish, and those that a
publish closed. Readers of the newest publish read the first alone, whatever is stored of earlier
publishes. A rollback reads both, so it moves nothing but the pointer
(docs/decisions/platform.md, "What a publish stores").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from retention.publishing.mart import STAMPS, Mart

_STAMPS = "from_publish bigint not null, to_publish bigint, row_hash bytea not null"
# A null bound matches nothing: then Postgres leaves out the partition of the closed rows. The
# function is for the planner. The subquery is computed once and spares a call for each row.
_VIEW = """
create or replace view {view} as
select {columns} from {stored}
where from_publish <= (select publish_id from published.pointer)
    and (
        to_publish is null
        or (
            to_publish > (select published.rolled_back_to())
            and to_publish > published.rolled_back_to()
        )
    )
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
_COPY = """
insert into {new} ({names})
select old.*, {hash} from (select {rows} from {stored}) as old
"""
_DAYS_INDEX = "create index on {stored} using gist (daterange(valid_from, valid_to))"


def current(mart: Mart) -> sql.Identifier:
    """The partition with the rows of the newest publish."""
    return sql.Identifier("published", f"{mart.name}_current")


def closed(mart: Mart) -> sql.Identifier:
    """The partition with the rows that only earlier publishes show."""
    return sql.Identifier("published", f"{mart.name}_closed")


def view(mart: Mart, order: Sequence[str], as_of: str, stored: sql.Identifier) -> sql.Composed:
    """Return the statement for the mart's view; ``as_of`` is the column that is not stored."""
    day = sql.SQL("(select as_of from publish.as_of) as {}").format(sql.Identifier(as_of))
    columns = [day if name == as_of else sql.Identifier(name) for name in order]
    parts = {"view": mart.view, "columns": sql.SQL(", ").join(columns), "stored": stored}
    return sql.SQL(_VIEW).format(**parts)


def days_view(mart: Mart, order: Sequence[str], spans: Mart) -> sql.Composed:
    """Return the statement for a view that shows a mart of spans day by day."""
    parts = {"view": mart.view, "columns": _list(order), "spans": spans.view}
    return sql.SQL(_DAYS_VIEW).format(**parts)


def days_index(stored: sql.Identifier) -> sql.Composed:
    """Return the statement for the index that finds the spans of a day."""
    return sql.SQL(_DAYS_INDEX).format(stored=stored)


def created(mart: Mart, columns: Mapping[str, str], stored: sql.Identifier) -> list[sql.Composed]:
    """Return the statements that create the table ``stored`` with its partitions."""
    definitions = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), type_(kind)) for name, kind in columns.items()
    )
    whole = "create table {} ({}, " + _STAMPS + ") partition by list (to_publish)"
    part = "create table {} partition of {} {}"
    newest, rest = sql.SQL("for values in (null)"), sql.SQL("default")
    return [
        sql.SQL(whole).format(stored, definitions),
        sql.SQL(part).format(current(mart), stored, newest),
        sql.SQL(part).format(closed(mart), stored, rest),
        sql.SQL("create index on {} (to_publish)").format(closed(mart)),
    ]


def indexes(mart: Mart, grain: Sequence[str], since: int = 0) -> list[sql.Composed]:
    """Return the statements for the unique indexes, which are also used to look up one customer.

    ``since`` exempts the rows up to that publish: they were stored with another grain.
    """
    unique = sql.SQL("create unique index on {} ({}) nulls not distinct")
    where = sql.SQL(" where from_publish > {}").format(sql.Literal(since))
    return [
        unique.format(part, _list([*grain, "from_publish"])) + (where if since else sql.SQL(""))
        for part in (current(mart), closed(mart))
    ]


def copied(
    mart: Mart, columns: Mapping[str, str], kept: Sequence[str], new: sql.Identifier
) -> sql.Composed:
    """Return the statement that copies the ``kept`` columns to the table ``new``.

    ``columns`` are those that a publish writes to it. The hash of a row is over these alone.
    """
    values = [
        sql.SQL("{}::{} as {}").format(
            sql.Identifier(name) if name in kept else sql.SQL("null"),
            type_(kind),
            sql.Identifier(name),
        )
        for name, kind in columns.items()
    ]
    others = [sql.Identifier(name) for name in kept if name not in columns]
    parts = {
        "new": new,
        "names": _list([*columns, *(name for name in kept if name not in columns), *STAMPS]),
        "rows": sql.SQL(", ").join([*values, *others, *map(sql.Identifier, STAMPS[:2])]),
        "hash": row_hash(list(columns)),
        "stored": mart.stored,
    }
    return sql.SQL(_COPY).format(**parts)


def row_hash(names: Sequence[str]) -> sql.Composed:
    """Return the expression that tells changed rows from others; the order has no meaning."""
    return sql.SQL("sha256(convert_to(row({})::text, 'UTF8'))").format(_list(sorted(names)))


def replaced(mart: Mart, new: sql.Identifier) -> list[sql.Composed]:
    """Return the statements that put the copy in the place of the old table."""
    name = sql.Identifier(mart.name)
    return [
        sql.SQL("drop table {}").format(mart.stored),
        sql.SQL("alter table {} rename to {}").format(new, name),
    ]


def is_partitioned(conn: psycopg.Connection, mart: Mart) -> bool:
    """Tell whether the stored table has its partitions; a table of version 0.2 has none."""
    row = conn.execute(
        "select relkind = 'p' from pg_class where oid = to_regclass(%s)",
        [mart.stored.as_string(conn)],
    ).fetchone()
    return bool(row and row[0])


def type_(kind: str) -> sql.Composed:
    """Return a type as SQL; ``kind`` is from format_type(), which quotes where needed."""
    return sql.Composed([sql.SQL(kind)])


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
