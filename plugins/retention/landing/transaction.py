"""The transaction of one load: rows, load log and cursor are committed together."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from retention.errors import AlreadyRunning, ExtractionError, RetentionError
from retention.landing import attempt
from retention.landing.load import Load, LoadResult
from retention.warehouse import Warehouse
from retention.window import Window

log = logging.getLogger(__name__)

# How long to query the outcome of a commit whose acknowledgement was lost.
COMMIT_LOOKUP_SECONDS = 20.0


@contextmanager
def open_load(
    wh: Warehouse, source: str, stream: str, window: Window, *, run_id: str = ""
) -> Iterator[Load]:
    """Open a load of one window of a stream and commit it at the end of the block.

    A second load of the stream raises AlreadyRunning and writes nothing. An exception in the
    block leaves only a 'failed' row in ``ops.loads``. When the acknowledgement of the commit
    is lost, ``ops.loads`` is queried for the outcome, so that a load is never repeated.
    """
    started = time.monotonic()
    with contextlib.closing(wh.connect("loader")) as conn:
        _lock(wh, conn, source, stream)
        load_id = attempt.begin(wh, source, stream, window, run_id)
        load = Load(conn, load_id, source, stream, window, cursor_of(conn, source, stream))
        try:
            _require_sound_cursor(load)
            yield load
            _finish(load)
            try:
                conn.commit()
            except psycopg.OperationalError as error:
                _require_done(wh, load, error)
        except BaseException as error:
            conn.close()  # roll the rows back before the 'failed' row is visible
            known = attempt.as_retention_error(error, load)
            attempt.fail(wh, load, known)
            if known is error:
                raise
            raise known from error
        load.result = _result(load, time.monotonic() - started)


def cursor_of(conn: psycopg.Connection, source: str, stream: str) -> datetime | None:
    """Return the time up to which the stream is complete; None before its first load."""
    row = conn.execute(
        "select cursor_at from ops.cursors where source = %s and stream = %s", [source, stream]
    ).fetchone()
    return row[0] if row else None


def _lock(wh: Warehouse, conn: psycopg.Connection, source: str, stream: str) -> None:
    try:
        wh.lock(conn, _lock_name(source, stream))
    except AlreadyRunning as error:
        raise AlreadyRunning(
            "another load of this stream is running.",
            where=f"{source}/{stream}",
            hint="Try again when it has finished.",
        ) from error


def _lock_name(source: str, stream: str) -> str:
    return f"load {source}.{stream}"


def _require_sound_cursor(load: Load) -> None:
    """Raise ExtractionError for a cursor beyond every load: it would skip records silently."""
    row = load.conn.execute(
        "select max(window_end) from ops.loads"
        " where source = %s and stream = %s and status = 'done'",
        [load.source, load.stream],
    ).fetchone()
    newest = row[0] if row else None
    if load.cursor is not None and (newest is None or load.cursor > newest):
        raise ExtractionError(
            f"the cursor {load.cursor.isoformat()} is later than the end of every load"
            f" ({newest.isoformat() if newest else 'no load'}).",
            code="cursor_in_future",
            where=load.where,
            hint="Correct the stream's row in ops.cursors; nothing was read.",
        )


def _finish(load: Load) -> None:
    """Write load log and cursor. A backfill, or a window after a gap, moves no cursor."""
    load.commit_time()
    start, end, cursor = load.window.start, load.window.end, load.cursor
    if cursor is None or ((start is None or start <= cursor) and end > cursor):
        load.conn.execute(
            "insert into ops.cursors (source, stream, cursor_at) values (%s, %s, %s)"
            " on conflict (source, stream) do update set cursor_at = excluded.cursor_at",
            [load.source, load.stream, end],
        )
    load.conn.execute(
        "update ops.loads set status = 'done', finished_at = clock_timestamp(),"
        " loaded_at = %s, records_seen = %s, versions_written = %s, rejected = %s,"
        " sanitised = %s, requests = %s, control_total = %s where load_id = %s",
        [
            load.loaded_at,
            load.records_seen,
            load.versions_written,
            load.rejected,
            load.sanitised,
            load.requests,
            load.control_total,
            load.load_id,
        ],
    )


def _require_done(wh: Warehouse, load: Load, error: psycopg.OperationalError) -> None:
    """Raise ``error`` unless the commit whose acknowledgement was lost took place."""
    deadline = time.monotonic() + COMMIT_LOOKUP_SECONDS
    while True:
        try:
            with wh.connect("loader") as conn:
                # The old backend holds the stream's lock until its transaction ends.
                wh.wait_for(conn, _lock_name(load.source, load.stream))
                row = conn.execute(
                    "select status from ops.loads where load_id = %s", [load.load_id]
                ).fetchone()
            break
        except (RetentionError, psycopg.OperationalError):
            if time.monotonic() > deadline:
                raise error from None
            time.sleep(0.5)
    if row is None or row[0] != "done":
        raise error
    log.warning("%s: commit acknowledgement lost; ops.loads confirms the commit", load.where)


def _result(load: Load, seconds: float) -> LoadResult:
    return LoadResult(
        load_id=load.load_id,
        source=load.source,
        stream=load.stream,
        window=load.window,
        records_seen=load.records_seen,
        versions_written=load.versions_written,
        rejected=load.rejected,
        sanitised=load.sanitised,
        seconds=seconds,
        loaded_at=load.commit_time(),
        set_aside=load.set_aside,
    )
