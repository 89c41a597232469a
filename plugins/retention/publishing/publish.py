"""Publish a build that passed gate 2 by moving one pointer.

Readers are never blocked and never see a mixture: within one statement all tables belong to
one publish. Publishing and rolling back each commit in one transaction; an interrupted one
leaves the old publish in place.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

from retention.builds.build import LOCK as BUILD_LOCK
from retention.builds.build import manifest_path
from retention.errors import ConfigurationError, PublishError
from retention.publishing import comments, holds, shape, storage
from retention.publishing import mart as marts
from retention.publishing.audit import require_audited, require_passed
from retention.publishing.mart import Mart
from retention.publishing.pointer import LOCK, PublishResult, current, move, prune, rollback, shown
from retention.settings import Settings
from retention.warehouse import Warehouse

__all__ = ["PublishResult", "current", "prune", "publish", "rollback"]

# A source is stale when one of its streams is incomplete at the end of the published day.
_RECORD = """
insert into ops.publishes
    (build_id, as_of, known_at, status, published_at, actor, reason, stale_sources)
select build_id, as_of, known_at, 'published', clock_timestamp(), %(actor)s, %(reason)s,
    array(
        select distinct source from ops.cursors
        where cursor_at < ((as_of + 1)::timestamp at time zone 'UTC') order by 1
    )
from ops.builds where build_id = %(build)s
returning publish_id
"""


def publish(
    wh: Warehouse,
    build_id: int,
    *,
    actor: str,
    reason: str = "",
    allow_drop: bool = False,
    only: Sequence[Mart] | None = None,
) -> PublishResult:
    """Publish this build. Idempotent: the current publish's build is not published again.

    Raises PublishError when the build is not done, its marts gate did not pass, a mart changed
    after the gate, or a rollback holds and the build read no new record. A new column is
    appended to its view and is null in earlier publishes. A removed or retyped column, or a
    removed mart, breaks readers and raises PublishError (publish_shape) unless ``allow_drop``;
    old publishes then lose it as well.
    ``only`` replaces the marts of the manifest.
    """
    started = time.monotonic()
    wanted = list(only) if only is not None else marts.declared(_manifest(wh))
    with contextlib.closing(wh.connect("publisher")) as conn:
        _prepare(wh, conn, build_id, wanted, allow_drop=allow_drop)
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            result = _publish(wh, conn, build_id, wanted, actor=actor, reason=reason)
            conn.commit()
        except psycopg.Error as error:
            result = _after_lost_commit(wh, build_id, error)
    return replace(result, seconds=time.monotonic() - started)


def _prepare(
    wh: Warehouse,
    conn: psycopg.Connection,
    build_id: int,
    wanted: Sequence[Mart],
    *,
    allow_drop: bool,
) -> None:
    """Alter tables and views to the columns of the marts, in a short separate transaction."""
    with conn.transaction():
        wh.lock(conn, BUILD_LOCK)
        wh.lock(conn, LOCK)
        now = shown(conn)
        if now is not None and now.build_id == build_id:
            return
        require_passed(conn, build_id)
        changes = shape.plan(conn, wanted)
        if changes.losses and not allow_drop:
            raise PublishError(
                f"readers would lose {', '.join(changes.losses)}.",
                code="publish_shape",
                where=f"build {build_id}",
                hint="Restore them, or publish with allow_drop.",
            )
        if changes.statements:
            require_audited(conn, build_id, wanted)
            shape.reshape(conn, changes)
        comments.write(conn, wanted)


def _publish(
    wh: Warehouse,
    conn: psycopg.Connection,
    build_id: int,
    wanted: Sequence[Mart],
    *,
    actor: str,
    reason: str,
) -> PublishResult:
    wh.lock(conn, BUILD_LOCK)
    wh.lock(conn, LOCK)
    now = shown(conn)
    if now is not None and now.build_id == build_id:
        return now
    require_passed(conn, build_id)
    require_audited(conn, build_id, wanted)
    values = {"build": build_id, "actor": actor, "reason": reason}
    holds.release_for(conn, _known_at(conn, build_id), actor=actor)
    publish_id = _number(conn.execute(_RECORD, values).fetchone())
    stored = marts.with_rows(wanted)
    written = {mart.name: storage.write(conn, mart, publish_id) for mart in stored}
    storage.retire(conn, stored, publish_id)
    conn.execute(
        "update ops.publishes set marts = %s where publish_id = %s", [Jsonb(written), publish_id]
    )
    return move(conn, publish_id, actor, reason)


def _after_lost_commit(wh: Warehouse, build_id: int, error: psycopg.Error) -> PublishResult:
    """Return the publish if its commit took place although the acknowledgement was lost."""
    with contextlib.suppress(ConfigurationError, psycopg.Error):
        with wh.connect("publisher") as conn:
            wh.wait_for(conn, LOCK)
            now = shown(conn)
        if now is not None and now.build_id == build_id:
            return now
    raise PublishError(
        f"the database failed with {type(error).__name__}; readers keep the last publish.",
        code="database",
        where=f"build {build_id}",
        hint="Publish again.",
    ) from error


def _manifest(wh: Warehouse) -> Path:
    return manifest_path(wh.settings or Settings.from_env())


def _known_at(conn: psycopg.Connection, build_id: int) -> datetime:
    row = conn.execute("select known_at from ops.builds where build_id = %s", [build_id]).fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise PublishError("the build has no known_at.", where=f"build {build_id}")
    return row[0]


def _number(row: tuple[object, ...] | None) -> int:
    if row is None or not isinstance(row[0], int):
        raise PublishError("ops.publishes returned no publish_id.")
    return row[0]
