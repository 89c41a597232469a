"""Publish: what the gate passed becomes what readers see, by moving one pointer.

Readers never wait for it and never see a mixture: within one statement every table is of one
publish. Publishing and rolling back commit in one transaction; an interruption leaves the old
publish in place.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

from retention.builds.build import LOCK as BUILD_LOCK
from retention.builds.build import manifest_path
from retention.errors import ConfigurationError, PublishError
from retention.marts import mart as marts
from retention.marts.mart import Mart
from retention.publishes import storage
from retention.publishes.audit import require_audited, require_passed
from retention.publishes.pointer import LOCK, PublishResult, current, move, prune, rollback, shown
from retention.settings import Settings
from retention.warehouse import Warehouse

__all__ = ["PublishResult", "current", "prune", "publish", "rollback"]

# A source is stale when one of its streams is not complete to the end of the day shown.
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
    """Show this build to readers; the build they see already is left as it is.

    Raises PublishError when the build is not finished, its marts gate did not pass, or a mart
    is not, byte for byte, what the gate looked at. A new column appears at the end of its
    view, null for earlier publishes. A column that is gone or has another type, and a mart
    that is no longer published, break what readers built on them: that is refused unless
    ``allow_drop``; then the view goes on without it and old publishes lose it too. ``only``
    names the marts where the manifest does not.
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
            result = _after_lost_answer(wh, build_id, error)
    return replace(result, seconds=time.monotonic() - started)


def _prepare(
    wh: Warehouse,
    conn: psycopg.Connection,
    build_id: int,
    wanted: Sequence[Mart],
    *,
    allow_drop: bool,
) -> None:
    """Give tables and views the shape of the marts, in a short transaction of its own."""
    with conn.transaction():
        wh.lock(conn, BUILD_LOCK)
        wh.lock(conn, LOCK)
        now = shown(conn)
        if now is not None and now.build_id == build_id:
            return
        require_passed(conn, build_id)
        changes = storage.plan(conn, wanted)
        if changes.losses and not allow_drop:
            raise PublishError(
                f"readers would lose {', '.join(changes.losses)}.",
                code="publish_shape",
                where=f"build {build_id}",
                mend="Bring them back, or publish with --allow-drop.",
            )
        if changes.statements:
            require_audited(conn, build_id, wanted)
            storage.reshape(conn, changes)


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
    publish_id = _number(conn.execute(_RECORD, values).fetchone())
    written = {mart.name: storage.write(conn, mart, publish_id) for mart in wanted}
    storage.retire(conn, wanted, publish_id)
    conn.execute(
        "update ops.publishes set marts = %s where publish_id = %s", [Jsonb(written), publish_id]
    )
    move(conn, publish_id, actor, reason)
    result = shown(conn)
    if result is None:
        raise PublishError("the pointer names no publish.")
    return result


def _after_lost_answer(wh: Warehouse, build_id: int, error: psycopg.Error) -> PublishResult:
    """The publish, if the commit whose answer was lost took place after all."""
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
        mend="Publish again.",
    ) from error


def _manifest(wh: Warehouse) -> Path:
    return manifest_path(wh.settings or Settings.from_env())


def _number(row: tuple[object, ...] | None) -> int:
    if row is None or not isinstance(row[0], int):
        raise PublishError("the ledger gave no publish_id.")
    return row[0]
