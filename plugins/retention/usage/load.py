"""Load one usage stream: new files to the lake, changed days to raw, in one transaction."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg import sql

from retention.errors import QuarantineRateExceeded
from retention.landing import records, transaction
from retention.landing.land import QUARANTINE_RATE
from retention.landing.load import Load, LoadResult
from retention.source import Connection, Source, Stream
from retention.usage import rejects, rollup
from retention.usage.binary import binary_copy
from retention.usage.drop_folder import DropFolder, scan
from retention.usage.formats import EventFiles
from retention.usage.lake import session, write_part
from retention.usage.rollup import Contents, Share
from retention.warehouse import Warehouse
from retention.window import Window

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_COPY = """
copy {table} (event_date, account_key, user_key, subscription_key, feature, events, units,
    first_at, last_at, load_id, loaded_at)
from stdin (format binary)
"""
_DAYS = """
insert into ops.usage_days (source, stream, event_date, load_id, loaded_at, events, rows)
select %(source)s, %(stream)s, event_date, %(load_id)s, %(loaded_at)s, events, rows
from unnest(%(dates)s::date[], %(events)s::bigint[], %(rows)s::bigint[])
    as days (event_date, events, rows)
"""
_KNOWN_DAYS = "select distinct event_date from ops.usage_days where source = %s and stream = %s"
_FILES = """
insert into ops.files (source, stream, name, sha256, bytes, load_id)
values (%s, %s, %s, %s, %s, %s)
on conflict (source, stream, name, sha256) do update set load_id = excluded.load_id
"""


def load_usage(  # noqa: PLR0913 - the parameters of every load, and the lake
    wh: Warehouse,
    source: Source,
    stream: Stream,
    connection: Connection,
    window: Window,
    *,
    lake: Path,
    run_id: str = "",
) -> LoadResult:
    """Load every event received before the window's end into ``raw.<source>_usage_daily``.

    Grain: day, account, user, subscription and feature. Each file is loaded once, by content;
    a file whose bytes or format changed replaces its earlier events. Every touched day is
    rewritten completely, in one transaction with load log, files and quarantine. Idempotent;
    loading day by day or all at once gives the same days. Raises ExtractionError for a
    damaged file and QuarantineRateExceeded; nothing is committed then.
    """
    with wh.connect("loader") as conn:
        cursor = transaction.cursor_of(conn, source.name, stream.name)
    start = None if cursor is None or window.start is None else min(window.start, cursor)
    wider = Window(start, window.end)
    folder = lake / source.name / stream.name
    with transaction.open_load(wh, source.name, stream.name, wider, run_id=run_id) as load:
        files: EventFiles = stream.extra["event_files"](connection)
        table = records.ensure_table(load.conn, source, stream)
        rate = float(stream.extra.get("quarantine_rate", QUARANTINE_RATE))
        # The stream is locked, so an existing folder is left over from a killed run.
        scratch = folder / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            with session(scratch) as db:
                _load_files(load, db, files, folder, table, rate)
        except BaseException:
            shutil.rmtree(folder / f"load={load.load_id}", ignore_errors=True)
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    if load.result is None:
        raise AssertionError("a load that committed has a result")
    records.refresh_statistics(wh, source, stream, load.result.versions_written)
    return load.result


def _load_files(
    load: Load,
    db: duckdb.DuckDBPyConnection,
    files: EventFiles,
    folder: Path,
    table: sql.Identifier,
    rate: float,
) -> None:
    drop = scan(load, folder, files)
    fresh = _write_part(load, db, files, drop)
    lake = Contents(
        live=drop.settled_shares() + fresh,
        fresh=fresh,
        replaced=drop.replaced_shares(),
        since=load.cursor,
        until=max(load.window.end, load.cursor or load.window.end),
        duplicates=files.format.duplicates,
    )
    found = rejects.unreadable(db, fresh)
    days, due = rollup.touched_days(db, lake)
    if drop.has_lost_parts():
        days |= {day for (day,) in load.conn.execute(_KNOWN_DAYS, [load.source, load.stream])}
    rollup.open_events(db, lake, days)
    found += rejects.contradictions(db, lake, drop)
    load.records_seen, load.rejected = due + len(found), len(found)
    load.sanitised = sum(share.part.sanitised for share in fresh)
    _require_quarantine_rate(
        load, found, max(load.records_seen, *(each.part.seen for each in fresh), 0), rate
    )
    _write(load, table, days, rollup.rollup(db))
    rejects.keep(load, db, found, fresh, drop)
    for each in drop.fresh:
        values = [load.source, load.stream, each.name, each.sha256, each.size, load.load_id]
        load.conn.execute(_FILES, values)


def _write_part(
    load: Load, db: duckdb.DuckDBPyConnection, files: EventFiles, drop: DropFolder
) -> tuple[Share, ...]:
    if not drop.fresh:
        return ()
    folder = drop.folder / f"load={load.load_id}"
    part = write_part(db, files.format, drop.event_files(), folder, load.keep_alive)
    return (Share(part, frozenset(range(len(part.files)))),)


def _require_quarantine_rate(
    load: Load, found: list[rejects.Reject], seen: int, rate: float
) -> None:
    if len(found) > max(1, rate * seen):
        first = found[0]
        raise QuarantineRateExceeded(
            f"{len(found)} of {seen} rows are not events, more than {rate:.0%}."
            f" First: {first.position}, {first.code}, {first.reason}.",
            where=load.where,
            hint="Nothing was committed. Fix the files, or raise the stream's quarantine_rate.",
        )


def _write(
    load: Load, table: sql.Identifier, days: set[date], batches: Iterable[pa.RecordBatch]
) -> None:
    """Write every touched day completely, including days that became empty."""
    counts: dict[date, list[int]] = {day: [0, 0] for day in days}
    loaded_at = load.commit_time()
    statement = sql.SQL(_COPY).format(table=table)
    with load.conn.cursor().copy(statement) as copy:
        stamped = _stamped(load, _counted(batches, counts))
        for block in binary_copy(stamped):
            copy.write(block)
    load.versions_written = sum(rows for _, rows in counts.values())
    load.control_total = sum(events for events, _ in counts.values())
    values = {
        "source": load.source,
        "stream": load.stream,
        "load_id": load.load_id,
        "loaded_at": loaded_at,
        "dates": list(counts),
        "events": [events for events, _ in counts.values()],
        "rows": [rows for _, rows in counts.values()],
    }
    load.conn.execute(_DAYS, values)


def _counted(
    batches: Iterable[pa.RecordBatch], counts: dict[date, list[int]]
) -> Iterable[pa.RecordBatch]:
    import pyarrow as pa

    for batch in batches:
        grouped = (
            pa.table(batch)
            .group_by("event_date")
            .aggregate([("events", "sum"), ("events", "count")])
        )
        for row in grouped.to_pylist():
            day = counts[row["event_date"]]
            day[0] += row["events_sum"]
            day[1] += row["events_count"]
        yield batch


def _stamped(load: Load, batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    import pyarrow as pa

    at = pa.scalar(load.commit_time(), pa.timestamp("us", "UTC"))
    for batch in batches:
        load_ids = pa.repeat(pa.scalar(load.load_id, pa.int64()), batch.num_rows)
        stamps = pa.repeat(at, batch.num_rows)
        yield batch.append_column("load_id", load_ids).append_column("loaded_at", stamps)
