"""What no load of these usage events can spare, beside a plain COPY of them.

    python bench/usage_floor.py [folder of *.ndjson.gz in Segment's shape]

A day's rollup is known when all of its events have been read, and only then can it be written.
So a load takes at least (1) unpacking the files, here on all cores at once with nothing done to
the text, and after that (2) the binary COPY of the rollup's rows, here already encoded and into
a table without an index. Reading JSON, checking, keeping, deduplicating, counting, encoding, the
ledger and the commit of all that come on top. The baseline is that of bench/usage.py: a binary
COPY of the events, parsed beforehand.
"""

from __future__ import annotations

import gzip
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "bench")]

from usage import SHARED, Bench, parse

from retention.database import postgres

ROUNDS = 5
CHUNK = 1 << 20


def unpacked(events: Path) -> int:
    """All files at once: unpacking gives the other cores room to work."""
    paths = sorted(events.glob("*.gz"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(lambda path: len(gzip.decompress(path.read_bytes())), paths))


def encoded_rollup(bench: Bench, events: Path) -> bytes:
    """The rows that the product's own path writes, as Postgres writes them to a binary file."""
    source = bench.source(events)
    bench.ours(source, events)
    with psycopg.connect(bench.url) as conn, conn.cursor() as cursor:
        conn.execute(f"create table plain_rollup (like raw.{source.name}_usage_daily)")
        with cursor.copy(f"copy raw.{source.name}_usage_daily to stdout (format binary)") as copy:
            return b"".join(bytes(block) for block in copy)


def copied(bench: Bench, rows: bytes) -> int:
    with psycopg.connect(bench.url) as conn, conn.cursor() as cursor:
        cursor.execute("truncate plain_rollup")
        with cursor.copy("copy plain_rollup from stdin (format binary)") as copy:
            for start in range(0, len(rows), CHUNK):
                copy.write(rows[start : start + CHUNK])
        return cursor.rowcount


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    events = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED / "fightchurn" / "events"
    if not events.is_dir():
        raise SystemExit(f"no events at {events}: name a folder, or set RETENTION_SHARED_DATA")
    folder = Path(tempfile.mkdtemp(prefix="retention-bench-"))
    folder.chmod(0o755)  # the server's own system user has to reach its data
    bench = Bench(folder)
    try:
        parsed = parse(events)
        rows = encoded_rollup(bench, events)
        taken: list[tuple[float, float, float]] = []
        for _ in range(ROUNDS):
            unpacking = seconds(lambda: unpacked(events))
            writing = bench.timed(lambda: copied(bench, rows), copied(bench, rows)).seconds
            plain = bench.timed(lambda: bench.plain_copy(parsed), parsed.num_rows).seconds
            taken.append((unpacking, writing, plain))
    finally:
        postgres.destroy(bench.settings)
        shutil.rmtree(folder)
    unpacking, writing, plain = (statistics.median(each) for each in zip(*taken, strict=True))
    print(f"{parsed.num_rows:,} events, medians of {ROUNDS} rounds in turn:")
    print(f"  binary COPY of parsed events        {plain:6.2f} s")
    print(f"  unpacking alone                     {unpacking:6.2f} s")
    print(f"  COPY of the encoded rollup alone    {writing:6.2f} s")
    print(
        f"  a load takes at least               {(unpacking + writing) / plain:6.2f} times the COPY"
    )


if __name__ == "__main__":
    main()
