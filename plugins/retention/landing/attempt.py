"""An attempt to load: its 'running' and its 'failed' row, each committed by itself."""

from __future__ import annotations

import contextlib

import psycopg

from retention.errors import RetentionError
from retention.landing.load import Load
from retention.warehouse import Warehouse
from retention.window import Window


def begin(wh: Warehouse, source: str, stream: str, window: Window, run_id: str) -> int:
    """Write the 'running' row in a transaction of its own; the caller holds the stream's lock."""
    with wh.connect("loader") as conn:
        conn.execute(
            "update ops.loads set status = 'failed', finished_at = clock_timestamp(),"
            " error_code = 'abandoned', error = 'the run ended without a word (killed?)'"
            " where source = %s and stream = %s and status = 'running'",
            [source, stream],
        )
        row = conn.execute(
            "insert into ops.loads (source, stream, window_start, window_end, status, run_id)"
            " values (%s, %s, %s, %s, 'running', %s) returning load_id",
            [source, stream, window.start, window.end, run_id],
        ).fetchone()
    if row is None:
        raise RetentionError("the ledger gave no load_id", where=f"{source}/{stream}")
    return int(row[0])


def as_known(error: BaseException, load: Load) -> BaseException:
    """A database error as one of ours, with its place and without the data it may quote."""
    if isinstance(error, psycopg.Error):
        state = error.sqlstate or ""
        # Class 22 is about values, and its messages quote them.
        message = "" if state.startswith("22") else f": {error.diag.message_primary or 'no answer'}"
        return RetentionError(
            f"the database failed with {type(error).__name__} {state}{message}.",
            code="database",
            where=load.where,
            mend="Nothing was committed; run it again.",
        )
    if isinstance(error, RetentionError) and not error.where:
        error.where = load.where
    return error


def fail(wh: Warehouse, load: Load, error: BaseException) -> None:
    """Leave a 'failed' row; when even that cannot be written, the error itself must do."""
    known = isinstance(error, RetentionError)
    code = error.code if isinstance(error, RetentionError) else type(error).__name__
    # A stranger's message may quote the data it choked on.
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
