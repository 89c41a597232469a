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


def prune(wh: Warehouse, keep: int) -> int:
    """Delete the rows of older publishes, except the newest ``keep`` and the current one.

    Returns the number of deleted rows. Readers are not blocked.
    """
    if keep < 1:
        raise UsageError(f"at least one publish must be kept, not {keep}.")
    with wh.connect("publisher") as conn:
        wh.lock(conn, LOCK)
        rows = conn.execute(
            "select publish_id from published.pointer union"
            " (select publish_id from ops.publishes where status != 'pruned'"
            " order by publish_id desc limit %s)",
            [keep],
        ).fetchall()
        kept = [publish_id for (publish_id,) in rows]
        removed = storage.prune(conn, kept)
        conn.execute(
            "update ops.publishes set status = 'pruned' where publish_id != all(%s)", [kept]
        )
    return removed


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
    if row is None or row[0] == "pruned":
        state = "was pruned" if row else "does not exist"
        raise UsageError(f"publish {publish_id} {state}.", code="no_publish")
    return publish_id
