"""Land the records of one window as versions in raw, in a single transaction.

A record gets a new version for an unknown pair of change time and content, or for different
content at its newest change time. Loading is therefore idempotent, and windows may overlap,
be split or arrive in any order.
"""

from __future__ import annotations

from retention.errors import QuarantineRateExceeded
from retention.landing import drift, quarantine, records, transaction, versions
from retention.landing.batch import Batch
from retention.landing.load import Load, LoadResult
from retention.source import Connection, Extracted, Source, Stream
from retention.warehouse import Warehouse
from retention.window import Window

__all__ = ["LoadResult", "land", "load_stream"]

QUARANTINE_RATE = 0.05


def load_stream(
    wh: Warehouse,
    source: Source,
    stream: Stream,
    connection: Connection,
    window: Window,
    *,
    run_id: str = "",
) -> LoadResult:
    """Extract and land one window, extended back to the cursor.

    The first load of a stream reads all of history up to the window's end. A later one starts
    at the cursor if that is earlier (skipped days), less the stream's overlap.
    """
    with wh.connect("loader") as conn:
        cursor = transaction.cursor_of(conn, source.name, stream.name)
    if cursor is None or window.start is None:
        wider = Window(None, window.end)
    else:
        wider = Window(min(window.start, cursor) - stream.overlap, window.end)
    extracted = stream.extract(connection, stream, wider)
    return land(wh, source, stream, wider, extracted, run_id=run_id)


def land(
    wh: Warehouse,
    source: Source,
    stream: Stream,
    window: Window,
    extracted: Extracted,
    *,
    run_id: str = "",
) -> LoadResult:
    """Commit rows, quarantine, drift, cursor and load log of one window in one transaction.

    Raises AlreadyRunning while another load of the stream runs, QuarantineRateExceeded when
    too many rows are unreadable, and ExtractionError when the extractor fails or a listing
    is implausible. After an error only a 'failed' row in ``ops.loads`` remains.
    """
    with (
        transaction.open_load(wh, source.name, stream.name, window, run_id=run_id) as load,
        Batch(stream) as batch,
    ):
        for seen in batch.fill(extracted):
            load.records_seen, load.rejected = seen, batch.rejected
            load.keep_alive()
        load.requests = getattr(extracted, "requests", None)
        load.control_total = getattr(extracted, "control_total", None)
        _require_quarantine_rate(load, batch, batch.rejected)
        table = records.ensure_table(load.conn, source, stream)
        batch.copy_into(load.conn)
        contradictions = versions.reject_contradictions(load)
        load.rejected = batch.rejected + contradictions
        load.sanitised, load.set_aside = batch.sanitised, batch.set_aside
        batch.codes["duplicate_id"] += contradictions
        _require_quarantine_rate(load, batch, load.rejected)
        complete = _is_complete(stream, extracted, batch)
        versions.write(load, stream, table, complete=complete)
        quarantine.keep(load)
        drift.record(load, batch.shape)
    if load.result is None:
        raise AssertionError("a load that committed has a result")
    records.refresh_statistics(wh, source, stream, load.result.versions_written)
    return load.result


def _is_complete(stream: Stream, extracted: Extracted, batch: Batch) -> bool:
    """Return whether a record missing from the batch was deleted at the source.

    A row without a readable id could be any record, so with one nothing counts as deleted.
    """
    if stream.deletes != "listing" or batch.unidentified:
        return False
    return bool(getattr(extracted, "complete", True))


def _require_quarantine_rate(load: Load, batch: Batch, rejected: int) -> None:
    rate = float(batch.stream.extra.get("quarantine_rate", QUARANTINE_RATE))
    if rejected > max(1, rate * batch.seen):
        codes = ", ".join(f"{code} {count}" for code, count in batch.codes.most_common() if count)
        raise QuarantineRateExceeded(
            f"{rejected} of {batch.seen} rows are unreadable, more than {rate:.0%}: {codes}."
            f" First: {'; '.join(batch.examples) or 'see the codes'}.",
            where=load.where,
            hint="Nothing was committed. Fix the source, or raise the stream's quarantine_rate.",
        )
