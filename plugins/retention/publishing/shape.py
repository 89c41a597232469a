"""Bring the stored tables and views of published marts to the columns of the built ones."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from retention.errors import PublishError
from retention.publishing import layout
from retention.publishing import mart as marts
from retention.publishing.mart import STAMPS, Mart
from retention.warehouse import catalog

# An ALTER that waits for a long query blocks all later readers. It therefore gives up after
# this time and tries again.
LOCK_TIMEOUT = "150ms"
PATIENCE = 30.0

_SHOWS = """
select from information_schema.view_table_usage
where view_schema = %s and view_name = %s and table_name = %s
"""
# Whether a stored row has another day than a publish that shows it.
_DAY_WOULD_CHANGE = """
select exists (
    select from (select distinct from_publish, to_publish, {column} as day from {stored}) as shown
    inner join ops.publishes
        on publish_id >= from_publish and (to_publish is null or publish_id < to_publish)
    where publishes.status != 'pruned' and shown.day is distinct from publishes.as_of
)
"""
_UNIQUE_INDEXES = """
select
    indexrelid::regclass::text,
    indpred is not null,
    array(
        select attname::text from unnest(indkey::smallint[]) with ordinality as keys (number, place)
        inner join pg_attribute on attrelid = indrelid and attnum = number order by place
    )
from pg_index where indrelid = to_regclass(%s) and indisunique order by indexrelid desc
"""
_HAS_DAYS_INDEX = """
select from pg_index inner join pg_class on pg_class.oid = indexrelid
inner join pg_am on pg_am.oid = relam
where indrelid = to_regclass(%s) and amname = 'gist'
"""


@dataclass
class Changes:
    """Changes of stored tables and views that a publish needs; ``losses`` break readers.

    Readers wait for none of the ``copies``, which come before the ``statements``.
    """

    copies: list[sql.Composed] = field(default_factory=list)
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
    with_days = {mart.view_over for mart in wanted}
    for mart in marts.with_rows(wanted):
        _plan_mart(conn, mart, changes, by_day=mart.name in with_days)
    for mart in wanted:
        if mart.view_over:
            _plan_view(conn, mart, changes)
    return changes


def reshape(conn: psycopg.Connection, changes: Changes) -> None:
    """Apply the changes in one transaction; raises PublishError when readers block them."""
    if not changes.statements:
        return
    with conn.transaction(), _castable():
        for statement in changes.copies:
            conn.execute(statement)
        _execute_patiently(conn, changes.statements)


def _execute_patiently(conn: psycopg.Connection, statements: Sequence[sql.Composed]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with conn.transaction():
                conn.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                for statement in statements:
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


@contextmanager
def _castable() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.DataError as error:
        raise PublishError(
            f"published rows cannot be cast to a column's new type: {type(error).__name__}.",
            code="publish_shape",
            hint="Give the column a new name, or a type that holds the old values.",
        ) from error


@dataclass(frozen=True)
class _Shape:
    """The columns of one mart as built, stored and shown; ``as_of`` is the one not stored."""

    built: Mapping[str, str]
    stored: Mapping[str, str]
    shown: Mapping[str, str]
    as_of: str

    @property
    def to_store(self) -> dict[str, str]:
        return {name: kind for name, kind in self.built.items() if name != self.as_of}

    def grain(self, mart: Mart) -> tuple[str, ...]:
        return tuple(name for name in mart.grain if name != self.as_of)

    @property
    def comes_into_the_table(self) -> list[str]:
        """Columns that the view took from the pointer until now."""
        if not self.stored:
            return []
        return [name for name in self.shown if name in self.to_store and name not in self.stored]


def _plan_mart(conn: psycopg.Connection, mart: Mart, changes: Changes, *, by_day: bool) -> None:
    built = _built(conn, mart)
    shown = catalog.columns(conn, mart.audience, mart.name)
    stored = catalog.columns(conn, "published", mart.name)
    shape = _Shape(built, stored, shown, mart.taken_from_pointer(built))
    lost = [name for name in shown if built.get(name) != shown[name]]
    changes.losses.extend(f"{mart.name}.{name}" for name in lost)
    changes.losses.extend(
        f"{mart.name}.{name} of earlier publishes" for name in _lost_days(conn, mart, shape)
    )
    if lost:
        # A view over its days is made again, as is its own.
        changes.statements.append(sql.SQL("drop view {} cascade").format(mart.view))
        shown = {}
    order = [*shown, *(name for name in built if name not in shown)]
    if stored and not layout.is_partitioned(conn, mart):
        _convert(conn, mart, shape, order, changes, by_day=by_day)
        return
    changes.statements.extend(_fitted(conn, mart, shape) if stored else _created(mart, shape))
    if by_day and not conn.execute(_HAS_DAYS_INDEX, [f"published.{mart.name}"]).fetchone():
        changes.statements.append(layout.days_index(mart.stored))
    if order != list(shown) or shape.as_of in stored or shape.comes_into_the_table:
        changes.statements.append(layout.view(mart, order, shape.as_of, mart.stored))
    if shape.as_of in stored:
        drop = sql.SQL("alter table {} drop column {}")
        changes.statements.append(drop.format(mart.stored, sql.Identifier(shape.as_of)))


def _built(conn: psycopg.Connection, mart: Mart) -> dict[str, str]:
    built = catalog.columns(conn, "marts", mart.name)
    if not built:
        raise PublishError(f"there is no table marts.{mart.name}.", hint="Build it first.")
    wrong = [name for name in (*STAMPS, *mart.grain) if (name in built) == (name in STAMPS)]
    if wrong:
        raise PublishError(
            f"{mart.name} cannot be stored: its grain lacks a column, or a column has a reserved"
            f" name: {', '.join(wrong)}."
        )
    return built


def _lost_days(conn: psycopg.Connection, mart: Mart, shape: _Shape) -> list[str]:
    """Columns whose values in earlier publishes neither the pointer nor the rows would have."""
    if shape.stored.get(shape.as_of) != "date":
        return shape.comes_into_the_table
    parts = {"stored": mart.stored, "column": sql.Identifier(shape.as_of)}
    (changes,) = conn.execute(sql.SQL(_DAY_WOULD_CHANGE).format(**parts)).fetchone() or (True,)
    return [shape.as_of, *shape.comes_into_the_table] if changes else shape.comes_into_the_table


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
    changes.statements.append(layout.days_view(mart, order, spans))


def _created(mart: Mart, shape: _Shape) -> list[sql.Composed]:
    return [
        *layout.created(mart, shape.to_store, mart.stored),
        *layout.indexes(mart, shape.grain(mart)),
    ]


def _convert(
    conn: psycopg.Connection,
    mart: Mart,
    shape: _Shape,
    order: Sequence[str],
    changes: Changes,
    *,
    by_day: bool,
) -> None:
    """Copy a table without partitions; readers see the old one until the copy takes its place."""
    new = sql.Identifier("published", f"{mart.name}_new")
    kept = [name for name in shape.stored if name not in (*STAMPS, shape.as_of)]
    columns = shape.to_store | {
        name: shape.stored[name] for name in kept if name not in shape.to_store
    }
    (_, is_partial, indexed), *_ = conn.execute(_UNIQUE_INDEXES, [f"published.{mart.name}"])
    was = tuple(name for name in indexed if name != shape.as_of)
    is_same = was == (*shape.grain(mart), "from_publish") and not is_partial
    changes.copies.extend(layout.created(mart, columns, new))
    changes.copies.append(layout.copied(mart, shape.to_store, kept, new))
    since = 0 if is_same else _newest(conn)
    changes.copies.extend(layout.indexes(mart, shape.grain(mart), since))
    if by_day:
        changes.copies.append(layout.days_index(new))
    changes.copies.append(sql.SQL("analyze {}").format(new))
    changes.statements.append(layout.view(mart, order, shape.as_of, new))
    changes.statements.extend(layout.replaced(mart, new))


def _fitted(conn: psycopg.Connection, mart: Mart, shape: _Shape) -> list[sql.Composed]:
    """Return the statements that add or retype columns, and that index another grain."""
    statements = []
    for name, kind in shape.to_store.items():
        parts = {
            "table": mart.stored,
            "column": sql.Identifier(name),
            "kind": layout.type_(kind),
        }
        if name not in shape.stored:
            add = sql.SQL("alter table {table} add column {column} {kind}")
            statements.append(add.format(**parts))
        elif shape.stored[name] != kind:
            alter = "alter table {table} alter column {column} type {kind} using {column}::{kind}"
            statements.append(sql.SQL(alter).format(**parts))
    grain = shape.grain(mart)
    parts_of = [layout.current(mart).as_string(conn), layout.closed(mart).as_string(conn)]
    indexed = [row for part in parts_of for row in conn.execute(_UNIQUE_INDEXES, [part]).fetchall()]
    if any(tuple(columns) != (*grain, "from_publish") for _, _, columns in indexed):
        # Rows of earlier publishes keep the grain they were stored with.
        drop = sql.SQL("drop index {}")
        statements.extend(drop.format(sql.SQL(name)) for name, _, _ in indexed)
        statements.extend(layout.indexes(mart, grain, _newest(conn)))
    return statements


def _newest(conn: psycopg.Connection) -> int:
    row = conn.execute("select coalesce(max(publish_id), 0) from ops.publishes").fetchone()
    return int(row[0]) if row else 0
