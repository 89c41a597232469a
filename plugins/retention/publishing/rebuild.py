"""Rebuild a past day point-in-time and compare it with its publish.

The rebuild uses separate schemas (``rebuild_marts`` and others), so it changes neither the
published marts nor the state of the next daily build.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from psycopg import sql

from retention import statistics
from retention.builds import dbt_runner, phases
from retention.builds.build import LOCK, raise_for_failed
from retention.errors import RetentionError, UsageError
from retention.publishing import checksum, layout
from retention.publishing import mart as marts
from retention.publishing.mart import Mart
from retention.publishing.pointer import pruned
from retention.settings import Settings
from retention.statistics import tables
from retention.warehouse import catalog

if TYPE_CHECKING:
    import psycopg

    from retention.builds.dbt_runner import Project
    from retention.warehouse import Warehouse

PREFIX = "rebuild_"
SCHEMAS = tuple(f"{PREFIX}{name}" for name in ("policy", "staging", "marts", "statistics"))

_PUBLISH = """
select publish_id, build_id, as_of, known_at, status from ops.publishes
where case when %(publish)s::bigint is null
    then as_of = %(day)s else publish_id = %(publish)s end
order by status = 'pruned', publish_id desc limit 1
"""
# The newest earlier published day: rows frozen up to it are copied, not rebuilt.
_SHOWN_BEFORE = """
select max(as_of) from ops.publishes where as_of < %s and status != 'rolled_back'
"""
_DIFFERENT = """
with shown as (
    select row({grain})::text as key, {hash} as hash
    from (
        select {shown} from {stored}
        where from_publish <= %(publish)s and (to_publish is null or to_publish > %(publish)s)
    ) as rows
),
built as (
    select row({grain})::text as key, {hash} as hash from {built}
)
select
    count(shown.hash) filter (where built.hash is null),
    count(built.hash) filter (where shown.hash is null),
    min(coalesce(shown.key, built.key)) filter (where shown.hash is null or built.hash is null)
from shown full join built on shown.hash = built.hash
"""


class RebuildDiffers(RetentionError):
    """A rebuilt day differs from its publish."""

    code = "rebuild_differs"


@dataclass(frozen=True)
class Published:
    """A publish with its valid time (``as_of``) and transaction time (``known_at``)."""

    publish_id: int
    build_id: int
    as_of: date
    known_at: datetime


@dataclass(frozen=True)
class Comparison:
    """One mart: number of rows only published, only rebuilt, and the first such key."""

    mart: str
    rows: int
    only_published: int = 0
    only_rebuilt: int = 0
    first: str = ""

    @property
    def same(self) -> bool:
        return not self.first

    def __str__(self) -> str:
        if self.same:
            return f"{self.mart}: {self.rows:,} rows, equal"
        return (
            f"{self.mart}: {self.only_published:,} rows only published,"
            f" {self.only_rebuilt:,} only rebuilt; first key: {self.first}"
        )


def rebuild(wh: Warehouse, as_of: date, known_at: datetime, *, build_id: int = 0) -> float:
    """Build the day as known at ``known_at`` in the rebuild schemas; return the seconds.

    Rows frozen before that day are copied as published. Raises AlreadyRunning while a build
    or publish runs. No build is recorded: a rebuild cannot be published.
    """
    clock = time.monotonic()
    settings = wh.settings or Settings.from_env()
    with wh.connect("transformer") as guard:
        guard.execute("set local idle_in_transaction_session_timeout = 0")
        wh.lock(guard, LOCK)
        with dbt_runner.project(wh, settings, PREFIX) as project:
            with wh.connect("transformer") as conn:
                _clear(conn)
                tables.ensure(conn, statistics.STATISTICS, PREFIX)
                _freeze(conn, project, as_of)
            day = phases.Day(as_of, known_at, build_id, prefix=PREFIX)
            for phase in phases.of(wh, project, day):
                raise_for_failed(phase())
        guard.commit()
    return time.monotonic() - clock


def published(wh: Warehouse, day: date | None = None, publish: int | None = None) -> Published:
    """Return the newest publish of that day, or the one with that number.

    Raises UsageError (no_publish) when there is none or its rows were pruned.
    """
    with wh.connect("publisher") as conn:
        row = conn.execute(_PUBLISH, {"day": day, "publish": publish}).fetchone()
    what = f"publish {publish}" if publish is not None else f"the publish of {day}"
    if row is None:
        raise UsageError(f"{what} does not exist.", code="no_publish")
    *found, status = row
    if status == "pruned":
        raise pruned(what)
    return Published(*found)


def compare(wh: Warehouse, shown: Published) -> list[Comparison]:
    """Compare every mart of the last rebuild with that publish, by row hash."""
    settings = wh.settings or Settings.from_env()
    manifest = dbt_runner.target_path(settings, PREFIX) / "manifest.json"
    with wh.connect("publisher") as conn:
        audited: dict[str, str] = dict(
            conn.execute(
                "select mart, checksum from ops.mart_checksums where build_id = %s",
                [shown.build_id],
            ).fetchall()
        )
        return [
            _compared(conn, mart, shown, audited.get(mart.name))
            for mart in marts.with_rows(marts.declared(manifest))
        ]


def check(wh: Warehouse, shown: Published) -> list[Comparison]:
    """Rebuild a publish with its own ``known_at``; return one comparison per mart."""
    rebuild(wh, shown.as_of, shown.known_at, build_id=shown.build_id)
    return compare(wh, shown)


def require_same(found: list[Comparison]) -> None:
    """Raise RebuildDiffers with every mart that differs and its first row."""
    different = [str(each) for each in found if not each.same]
    if different:
        raise RebuildDiffers(
            "; ".join(different) + ".",
            hint="Check for changed code, seeds or policies; late records cannot cause it.",
        )


def _clear(conn: psycopg.Connection) -> None:
    relations = conn.execute(
        "select relnamespace::regnamespace::text, relname, relkind = 'v' from pg_class"
        " where relnamespace::regnamespace::text = any(%s) and relkind in ('r', 'v')",
        [list(SCHEMAS)],
    ).fetchall()
    for schema, name, is_view in relations:
        statement = "drop view if exists {} cascade" if is_view else "drop table {} cascade"
        conn.execute(sql.SQL(statement).format(sql.Identifier(schema, name)))


def _freeze(conn: psycopg.Connection, project: Project, as_of: date) -> None:
    """Copy the rows of incremental models from before that day."""
    (shown_before,) = conn.execute(_SHOWN_BEFORE, [as_of]).fetchone() or (None,)
    if shown_before is None:
        return
    for node in project.manifest.nodes.values():
        if node.resource_type != "model" or node.config.incremental_strategy != "from_first_day":
            continue
        daily = sql.Identifier(node.schema.removeprefix(PREFIX), node.name)
        if catalog.columns(conn, node.schema.removeprefix(PREFIX), node.name):
            statement = sql.SQL("create table {} as select * from {} where as_of_date <= {}")
            copy = sql.Identifier(node.schema, node.name)
            conn.execute(statement.format(copy, daily, sql.Literal(shown_before)))


def _compared(
    conn: psycopg.Connection, mart: Mart, shown: Published, audited: str | None
) -> Comparison:
    schema = f"{PREFIX}marts"
    rows, digest = checksum.of(conn, schema, mart.name)
    if digest == audited:
        return Comparison(mart.name, rows)
    stored = catalog.columns(conn, "published", mart.name)
    built = catalog.columns(conn, schema, mart.name)
    as_of = mart.taken_from_pointer(built)
    names = [name for name in built if name in stored or name == as_of]
    if not stored:
        return Comparison(mart.name, rows, 0, rows, "not published at that time")
    parts = {
        "grain": sql.SQL(", ").join(map(sql.Identifier, mart.grain)),
        "hash": layout.row_hash(names),
        "shown": sql.SQL(", ").join(
            sql.Identifier(name)
            if name in stored
            else sql.SQL("{}::date as {}").format(shown.as_of, sql.Identifier(name))
            for name in names
        ),
        "stored": mart.stored,
        "built": sql.Identifier(schema, mart.name),
    }
    query = sql.SQL(_DIFFERENT).format(**parts)
    found = conn.execute(query, {"publish": shown.publish_id}).fetchone()
    removed, added, first = found or (0, 0, None)
    return Comparison(mart.name, rows, removed, added, first or "")
