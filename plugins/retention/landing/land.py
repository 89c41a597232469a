"""Landing: the records of one window become versions in raw, all of them or none.

A version is written when it is new to its record: an unknown change time with its content, or
at the newest change time a content that differs. So loading twice changes nothing, windows may
overlap or be split, and they may come in any order.
"""

from __future__ import annotations

from retention.errors import QuarantineRateExceeded
from retention.landing import drift, ledger, quarantine, records, versions
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
    """Extract and land one window, widened to what the cursor shows to be missing.

    The first load of a stream takes all of history up to the window's end. A later one starts
    at the cursor when that is earlier (days were skipped), less the stream's overlap.
    """
    with wh.connect("loader") as conn:
        cursor = ledger.cursor_of(conn, source.name, stream.name)
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
    """Commit rows, quarantine, drift, cursor and ledger of one window in one transaction.

    Raises AlreadyRunning beside another load of the stream, QuarantineRateExceeded when too
    much is unreadable, ExtractionError when the extractor or a complete listing is not
    credible; then a 'failed' row in ``ops.loads`` is all that is left.
    """
    with (
        ledger.opened(wh, source.name, stream.name, window, run_id=run_id) as load,
        Batch(stream) as batch,
    ):
        for seen in batch.fill(extracted):
            load.records_seen, load.rejected = seen, batch.rejected
            load.stay_alive()
        load.requests = getattr(extracted, "requests", None)
        load.control_total = getattr(extracted, "control_total", None)
        _require_quality(load, batch, batch.rejected)
        table = records.ensure_table(load.conn, source, stream)
        batch.copy_into(load.conn)
        contradictions = versions.set_contradictions_aside(load)
        load.rejected = batch.rejected + contradictions
        load.sanitised = batch.sanitised
        batch.codes["duplicate_id"] += contradictions
        _require_quality(load, batch, load.rejected)
        complete = _is_complete(stream, extracted, batch)
        versions.write(load, stream, table, complete=complete)
        quarantine.keep(load)
        drift.record(load, batch.shape)
    if load.result is None:
        raise AssertionError("a load that committed has a result")
    records.refresh_statistics(wh, source, stream, load.result.versions_written)
    return load.result


def _is_complete(stream: Stream, extracted: Extracted, batch: Batch) -> bool:
    """Whether a record that is not in the batch is not at the source either.

    A row without a readable id could be any record, so nothing is taken for gone beside one.
    """
    if stream.deletes != "listing" or batch.unidentified:
        return False
    return bool(getattr(extracted, "complete", True))


def _require_quality(load: Load, batch: Batch, rejected: int) -> None:
    rate = float(batch.stream.extra.get("quarantine_rate", QUARANTINE_RATE))
    if rejected > max(1, rate * batch.seen):
        codes = ", ".join(f"{code} {count}" for code, count in batch.codes.most_common() if count)
        raise QuarantineRateExceeded(
            f"{rejected} of {batch.seen} rows are unreadable, more than {rate:.0%}: {codes}."
            f" First: {'; '.join(batch.examples) or 'see the codes'}.",
            where=load.where,
            mend="Nothing was committed. Mend the source, or raise the stream's quarantine_rate.",
        )
