"""Compare usage loads (gzip NDJSON to the rollup in Postgres) with dlt and a plain COPY.

    python bench/usage.py [folder of *.ndjson.gz in Segment's format]

All rounds use one embedded Postgres with durable commits and existing tables:
(1) load_usage: reads, checks and stores every row, deduplicates, rolls up and commits with the
load log; (2) binary COPY (ADBC) of the same events, parsed before and held in memory; (3) the
same COPY from the files, with parsing but without checks; (4) the COPY of (2) by psycopg;
(5) dlt's default path from the files. Then (1) to (3) again on ten times the events. CPU time
includes the server.

The minimum cost of (1): bench/usage_limit.py.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import psutil
import psycopg
import pyarrow as pa

from retention import migration

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "plugins"))

from retention.settings import Settings
from retention.source import Connection, Source
from retention.sources import posthog
from retention.usage.formats import SEGMENT_TRACK, EventFiles
from retention.usage.load import load_usage
from retention.warehouse import Warehouse, postgres
from retention.window import Window

SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data"))
ROUNDS, TENFOLD_ROUNDS = 5, 3
TIMES = 10
END = datetime(2100, 1, 1, tzinfo=UTC)

PARSE = """
select
    messageId as event_id, context.groupId as account_key, userId as user_key,
    event as feature, "timestamp" as occurred_at, receivedAt as received_at,
    cast(properties.value as decimal(18, 2)) as units
from read_json(
    ?, format = 'newline_delimited',
    columns = {
        messageId: 'VARCHAR', "timestamp": 'TIMESTAMPTZ', receivedAt: 'TIMESTAMPTZ',
        event: 'VARCHAR', userId: 'VARCHAR', context: 'STRUCT(groupId VARCHAR)',
        properties: 'STRUCT("value" VARCHAR)'
    }
)
"""
PLAIN_TABLE = """
create table plain_events (
    event_id text, account_key text, user_key text, feature text,
    occurred_at timestamptz, received_at timestamptz, units numeric
)
"""


@dataclass(frozen=True)
class Taken:
    """Wall seconds and CPU seconds of one round, including the server."""

    seconds: float
    cpu: float


class Bench:
    """One embedded Postgres and a folder for the files of the rounds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(root=ROOT, state=folder, company="bench")
        self.wh = Warehouse.from_settings(self.settings)
        migration.migrate(self.wh)
        self.url = postgres.admin_url(self.settings, self.settings.database)
        self.rounds = 0
        with psycopg.connect(self.url) as conn:
            [text] = conn.execute("select pg_read_file('postmaster.pid')").fetchone() or ("",)
        self.server = psutil.Process(int(text.split()[0]))

    def cpu(self) -> float:
        """Return the CPU seconds so far of this process and the server with its backends."""
        own = os.times()
        ended = self.server.cpu_times()
        alive = [self.server, *self.server.children()]
        times = [each.cpu_times() for each in alive if each.is_running()]
        server = sum(each.user + each.system for each in times)
        return own.user + own.system + server + ended.children_user + ended.children_system

    def source(self, events: Path) -> Source:
        """Create a source with an empty table for one round."""
        self.rounds += 1
        [stream] = posthog.SOURCE.streams
        stream = replace(
            stream,
            extra={"event_files": lambda _: EventFiles.below(SEGMENT_TRACK, events, "*.gz")},
        )
        source = replace(posthog.SOURCE, name=f"round{self.rounds}", streams=(stream,))
        # Created before like the plain table: a table created by the load skips the WAL.
        migration.migrate(self.wh, [source])
        return source

    def ours(self, source: Source, events: Path) -> int:
        """Load with load_usage; return the number of events it counted."""
        [stream] = source.streams
        connection, window = Connection("events", str(events)), Window(None, END)
        lake = self.folder / "lake"
        return load_usage(self.wh, source, stream, connection, window, lake=lake).records_seen

    def plain_copy(self, parsed: pa.Table) -> int:
        """Load the parsed events by binary COPY into a table without index or key."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self.url) as conn, conn.cursor() as cursor:
            rows = cursor.adbc_ingest("plain_events", parsed, mode="append")
            conn.commit()
        return rows

    def psycopg_copy(self, parsed: pa.Table) -> int:
        """Load the same rows by ``COPY ... FROM STDIN (FORMAT binary)``, row by row."""
        rows = zip(*(column.to_pylist() for column in parsed.columns), strict=True)
        with psycopg.connect(self.url) as conn, conn.cursor() as cursor:
            with cursor.copy("copy plain_events from stdin (format binary)") as copy:
                copy.set_types(["text"] * 4 + ["timestamptz"] * 2 + ["numeric"])
                for row in rows:
                    copy.write_row(row)
            return cursor.rowcount

    def dlt(self, events: Path) -> int:
        """Load with dlt as its documentation begins: a resource of dictionaries, no settings."""
        import dlt

        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

        @dlt.resource(name="dlt_events")
        def lines() -> Iterator[dict[str, Any]]:
            for path in sorted(events.glob("*.gz")):
                with gzip.open(path) as source:
                    yield from map(json.loads, source)

        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=str(self.folder / "dlt"),
            destination=dlt.destinations.postgres(self.url),
            dataset_name="dlt_bench",
        )
        pipeline.run(lines())
        return self.value("select count(*) from dlt_bench.dlt_events")

    def timed(self, work: Callable[[], int], expected: int) -> Taken:
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute("drop table if exists plain_events")
            conn.execute(PLAIN_TABLE)
            conn.execute("checkpoint")
        begun, spent = time.perf_counter(), self.cpu()
        done = work()
        seconds = time.perf_counter() - begun
        time.sleep(0.3)  # the server needs a moment to account for ended backends
        taken = Taken(seconds, self.cpu() - spent)
        if done != expected:
            raise SystemExit(f"{done} events were loaded instead of {expected}")
        return taken

    def value(self, query: str) -> int:
        with psycopg.connect(self.url) as conn:
            row = conn.execute(query).fetchone()  # type: ignore[arg-type]
        return int(row[0]) if row else 0


def parse(events: Path) -> pa.Table:
    paths = [str(path) for path in sorted(events.glob("*.gz"))]
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection.sql(PARSE, params=[paths]).to_arrow_table()


def multiply(events: Path, target: Path) -> Path:
    """Write ten copies of every account's events, with a suffix to every id."""
    target.mkdir()
    for path in sorted(events.glob("*.gz")):
        body = gzip.decompress(path.read_bytes())
        for copy in range(TIMES):
            text = body.replace(b'"fc-', b'"fc%d-' % copy).replace(b'"crm-', b'"crm%d-' % copy)
            (target / f"{copy}_{path.name}").write_bytes(gzip.compress(text, 6))
    return target


def report(name: str, events: int, rounds: list[Taken], ours: float) -> float:
    """Print the medians; return the median of the seconds."""
    seconds = statistics.median(each.seconds for each in rounds)
    cpu = statistics.median(each.cpu for each in rounds)
    says = f"load_usage is {seconds / ours:5.2f} times as fast" if ours else ""
    print(f"  {name:<36}{events / seconds:>10,.0f}/s {seconds:7.2f} s {cpu:7.2f} CPU-s  {says}")
    return seconds


def compare(bench: Bench, events: Path, rounds: int, *, slow_ones: bool) -> None:
    parsed = parse(events)
    count = parsed.num_rows
    print(f"{count:,} events, medians of {rounds} rounds in turn:")
    ours, plain, like = [], [], []
    for _ in range(rounds):
        source = bench.source(events)
        ours.append(bench.timed(lambda source=source: bench.ours(source, events), count))
        plain.append(bench.timed(lambda: bench.plain_copy(parsed), count))
        like.append(bench.timed(lambda: bench.plain_copy(parse(events)), count))
    middle = report("load_usage", count, ours, 0)
    report("binary COPY of parsed events", count, plain, middle)
    report("gzip -> parse -> the same COPY", count, like, middle)
    if slow_ones:
        copied = bench.timed(lambda: bench.psycopg_copy(parsed), count)
        report("binary COPY by psycopg, one round", count, [copied], middle)
        loaded = bench.timed(lambda: bench.dlt(events), count)
        report("dlt, default path, one round", count, [loaded], middle)


@contextmanager
def prepared() -> Iterator[tuple[Bench, Path]]:
    """Yield a temporary bench and the folder of events from the command line."""
    events = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "fightchurn" / "events"
    if not events.is_dir():
        raise SystemExit(f"no events at {events}: name a folder, or set RETENTION_SHARED_DATA")
    folder = Path(tempfile.mkdtemp(prefix="retention-bench-"))
    folder.chmod(0o755)  # the server runs as a system user of its own
    bench = Bench(folder)
    try:
        yield bench, events
    finally:
        postgres.destroy(bench.settings)
        shutil.rmtree(folder)


def main() -> None:
    with prepared() as (bench, events):
        compare(bench, events, ROUNDS, slow_ones=True)
        tenfold = multiply(events, bench.folder / "tenfold")
        compare(bench, tenfold, TENFOLD_ROUNDS, slow_ones=False)


if __name__ == "__main__":
    main()
