"""The pointer to the current publish: read it, roll it back, prune old publishes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

import psycopg
from psycopg.rows import class_row

from retention.errors import PublishError, UsageError
from retention.publishing import holds, storage
from retention.warehouse import Warehouse

LOCK = "publish"

_SHOWN = """
select publish_id, build_id, as_of, known_at, published_at, status, actor, reason,
    stale_sources, marts
from ops.publishes
where publish_id = (select publish_id from published.pointer)
"""
# A publish newer than the pointer was left by a rollback, which may go forward to it again.
_KEPT = """
with stored as (select * from ops.publishes where status != 'pruned'),
shown as (select * from stored where publish_id = (select publish_id from published.pointer)),
newest as (
    select publish_id from stored
    where status = 'published' and publish_id <= (select publish_id from shown)
    order by publish_id desc limit %(keep)s
),
kept as (
    select publish_id, as_of from stored
    where publish_id >= (select publish_id from shown)
        or as_of > (select as_of from shown) - %(days)s::int
        or publish_id in (select publish_id from newest)
)
select
    array(select publish_id from kept),
    array(select publish_id from stored where publish_id not in (select publish_id from kept)),
    (select min(as_of) from kept)
where exists (select from shown)
"""


@dataclass(frozen=True)
class PublishResult:
    """One publish; ``marts`` has the number of rows, added and closed rows of each mart."""

    publish_id: int
    build_id: int
    as_of: date
    known_at: datetime
    published_at: datetime
    status: str
    actor: str
    reason: str
    stale_sources: list[str] = field(default_factory=list)
    marts: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: float = 0.0


def current(wh: Warehouse) -> PublishResult | None:
    """Return the current publish; None before the first."""
    with wh.connect("publisher") as conn:
        return shown(conn)


def rollback(
    wh: Warehouse,
    publish_id: int | None = None,
    *,
    actor: str,
    reason: str = "",
    hold: bool = True,
) -> PublishResult:
    """Point readers to another publish, by default the previous one.

    No data is rebuilt or rewritten. Going back holds unless ``hold`` is false: runs publish
    nothing until new records arrive or `holds.lift` is called. A later publish may be named to
    go forward again, which lifts the hold. Raises UsageError (no_publish) when there is no such
    publish or it was pruned.
    """
    with wh.connect("publisher") as conn:
        wh.lock(conn, LOCK)
        now = shown(conn)
        target = _target(conn, now, publish_id)
        conn.execute(
            "update ops.publishes set status = case when publish_id > %(id)s"
            " then 'rolled_back' else 'published' end"
            " where publish_id >= %(id)s and status != 'pruned'",
            {"id": target},
        )
        if now is not None:
            _hold(conn, now.publish_id, target, actor=actor, reason=reason, wanted=hold)
        return move(conn, target, actor, reason)


def _hold(
    conn: psycopg.Connection, left: int, target: int, *, actor: str, reason: str, wanted: bool
) -> None:
    before = holds.active(conn)
    if target < left and wanted:
        holds.place(conn, left, actor=actor, reason=reason)
    elif before is not None and target >= before.rejected_publish:
        holds.end(conn, before, actor=actor, reason=reason or f"publish {target} was chosen")


@dataclass(frozen=True)
class Pruned:
    """What a pruning removed, and how many publishes can still be shown."""

    publishes: int
    rows: int
    kept: int
    oldest: date | None

    def __str__(self) -> str:
        since = f", from {self.oldest}" if self.oldest else ""
        kept = f"publishes kept: {self.kept:,}{since}"
        if not self.publishes:
            return f"nothing to prune; {kept}"
        return f"publishes pruned: {self.publishes:,}, with {self.rows:,} rows; {kept}"


def prune(wh: Warehouse, *, days: int = 0, keep: int = 2) -> Pruned:
    """Delete the rows that only publishes older than ``days`` before the current day show.

    The current publish, the newest ``keep`` that were not rolled back and those that a rollback
    left stay at any age. Idempotent. Readers are not blocked. Raises AlreadyRunning during a
    publish or a rollback.
    """
    if keep < 1 or days < 0:
        raise UsageError(f"at least one publish of 0 days must be kept, not {keep} of {days}.")
    with wh.connect("publisher") as conn:
        wh.lock(conn, LOCK)
        values = {"days": days, "keep": keep}
        kept, gone, oldest = conn.execute(_KEPT, values).fetchone() or ([], [], None)
        rows = storage.prune(conn, kept, gone) if gone else 0
        conn.execute(
            "update ops.publishes set status = 'pruned' where publish_id = any(%s)", [gone]
        )
    return Pruned(len(gone), rows, len(kept), oldest)


def pruned(what: str) -> UsageError:
    """Return the error for a publish whose rows are deleted."""
    return UsageError(
        f"{what} was pruned: its rows are deleted.",
        code="no_publish",
        hint="Choose a later one; RETENTION_PUBLISH_DAYS says how long they are kept.",
    )


def move(conn: psycopg.Connection, publish_id: int, actor: str, reason: str) -> PublishResult:
    """Set the pointer in the connection's transaction, log the move, return the publish."""
    conn.execute(
        "insert into ops.pointer_moves (from_publish, to_publish, actor, reason)"
        " select publish_id, %s, %s, %s from published.pointer",
        [publish_id, actor, reason],
    )
    conn.execute("update published.pointer set publish_id = %s", [publish_id])
    result = shown(conn)
    if result is None:
        raise PublishError("the pointer names no publish.")
    return result


def shown(conn: psycopg.Connection) -> PublishResult | None:
    """Return the current publish as this transaction sees it; None before the first."""
    with conn.cursor(row_factory=class_row(PublishResult)) as cursor:
        return cursor.execute(_SHOWN).fetchone()


def _target(conn: psycopg.Connection, now: PublishResult | None, publish_id: int | None) -> int:
    if publish_id is None:
        row = conn.execute(
            "select max(publish_id) from ops.publishes where publish_id < %s"
            " and status = 'published'",
            [now.publish_id if now else 0],
        ).fetchone()
        if row is None or row[0] is None:
            raise UsageError("there is no earlier publish to roll back to.", code="no_publish")
        return int(row[0])
    row = conn.execute(
        "select status from ops.publishes where publish_id = %s", [publish_id]
    ).fetchone()
    if row is None:
        raise UsageError(f"publish {publish_id} does not exist.", code="no_publish")
    if row[0] == "pruned":
        raise pruned(f"publish {publish_id}")
    return publish_id
