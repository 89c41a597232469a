"""Write the 'running' and 'failed' rows of a load, each in a transaction of its own."""

from __future__ import annotations

import contextlib

import psycopg

from retention.errors import RetentionError
from retention.landing.load import Load
from retention.warehouse import Warehouse
from retention.window import Window


def begin(wh: Warehouse, source: str, stream: str, window: Window, run_id: str) -> int:
    """Write the 'running' row and return its load_id; the caller holds the stream's lock.

    Marks a 'running' row that a killed process left behind as failed (abandoned).
    """
    with wh.connect("loader") as conn:
        conn.execute(
            "update ops.loads set status = 'failed', finished_at = clock_timestamp(),"
            " error_code = 'abandoned', error = 'the process ended without a result (killed?)'"
            " where source = %s and stream = %s and status = 'running'",
            [source, stream],
        )
        row = conn.execute(
            "insert into ops.loads (source, stream, window_start, window_end, status, run_id)"
            " values (%s, %s, %s, %s, 'running', %s) returning load_id",
            [source, stream, window.start, window.end, run_id],
        ).fetchone()
    if row is None:
        raise RetentionError("ops.loads returned no load_id", where=f"{source}/{stream}")
    return int(row[0])


def as_retention_error(error: BaseException, load: Load) -> BaseException:
    """Convert a database error, with its place and without the data it may quote."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate or ""
        # Messages of class 22 (data exception) quote values.
        message = (
            "" if state.startswith("22") else f": {error.diag.message_primary or 'no message'}"
        )
        return RetentionError(
            f"the database failed with {type(error).__name__} {state}{message}.",
            code="database",
            where=load.where,
            hint="Nothing was committed; run the load again.",
        )
    if isinstance(error, RetentionError) and not error.where:
        error.where = load.where
    return error


def fail(wh: Warehouse, load: Load, error: BaseException) -> None:
    """Write the 'failed' row. A failure to write it is ignored: ``error`` is raised anyway."""
    known = isinstance(error, RetentionError)
    code = error.code if isinstance(error, RetentionError) else type(error).__name__
    # The message of an unknown exception may quote data.
    message = str(error) if known else f"{type(error).__name__} in {load.where}"
    with contextlib.suppress(RetentionError, psycopg.Error), wh.connect("loader") as conn:
        conn.execute(
            "update ops.loads set status = 'failed', finished_at = clock_timestamp(),"
            " records_seen = %s, rejected = %s, requests = %s, error_code = %s, error = %s"
            " where load_id = %s and status != 'done'",
            [
                load.records_seen,
                load.rejected,
                load.requests,
                code,
                message.replace("\0", "\ufffd")[:2000],
                load.load_id,
            ],
        )
