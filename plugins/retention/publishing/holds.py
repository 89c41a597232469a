"""Keep a rejected publish from coming back after a rollback."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from retention.errors import PublishError, UsageError
from retention.warehouse import Warehouse

_NEW_RECORDS = """
select exists (
    select from ops.loads
    where status = 'done' and versions_written > 0 and loaded_at > %s and loaded_at <= %s
)
"""


@dataclass(frozen=True)
class Hold:
    """An active hold: the publish that readers left, what it knew, and why they left it."""

    hold_id: int
    rejected_publish: int
    rejected_known_at: datetime
    held_at: datetime
    actor: str
    reason: str


def active(conn: psycopg.Connection) -> Hold | None:
    """Return the active hold, of which there is at most one; None without one."""
    with conn.cursor(row_factory=class_row(Hold)) as cursor:
        return cursor.execute(
            "select hold_id, rejected_publish, rejected_known_at, held_at, actor, reason"
            " from ops.publish_holds where lifted_at is null"
        ).fetchone()


def place(conn: psycopg.Connection, publish_id: int, *, actor: str, reason: str) -> None:
    """Reject a publish in the connection's transaction; an earlier hold gives way to this one.

    The new hold keeps the newest ``known_at`` of both, so that going back twice does not
    release the publish that was rejected first.
    """
    before = active(conn)
    if before is not None:
        end(conn, before, actor=actor, reason="replaced by a later rollback")
    conn.execute(
        "insert into ops.publish_holds (rejected_publish, rejected_known_at, actor, reason)"
        " select publish_id, greatest(known_at, %s), %s, %s"
        " from ops.publishes where publish_id = %s",
        [before.rejected_known_at if before else None, actor, reason, publish_id],
    )


def end(conn: psycopg.Connection, hold: Hold, *, actor: str, reason: str) -> None:
    """Mark a hold as lifted in the connection's transaction."""
    conn.execute(
        "update ops.publish_holds set lifted_at = clock_timestamp(), lifted_by = %s,"
        " lift_reason = %s where hold_id = %s",
        [actor, reason, hold.hold_id],
    )


def lift(wh: Warehouse, *, actor: str, reason: str) -> Hold:
    """Lift the active hold, so that the next run publishes again; else UsageError (no_hold)."""
    with wh.connect("publisher") as conn:
        hold = active(conn)
        if hold is None:
            raise UsageError("no publish is held back.", code="no_hold")
        end(conn, hold, actor=actor, reason=reason)
    return hold


def release_for(conn: psycopg.Connection, known_at: datetime, *, actor: str) -> None:
    """Lift the hold for a build that read new records; raise PublishError (held) for any other."""
    hold = active(conn)
    if hold is None:
        return
    found = conn.execute(_NEW_RECORDS, [hold.rejected_known_at, known_at]).fetchone()
    if not (found and found[0]):
        raise PublishError(
            f"publish {hold.rejected_publish} was rolled back by {hold.actor}"
            f" ({hold.reason or 'no reason given'}), and no record was loaded since.",
            code="held",
            where=f"hold {hold.hold_id}",
            hint="Load corrected records, or run `retention lift-hold --reason ...`.",
        )
    end(conn, hold, actor=actor, reason="new records were loaded")
