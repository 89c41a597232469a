"""Measure the minimum cost of a usage load, compared with a plain COPY of its events.

    python bench/usage_limit.py [folder of *.ndjson.gz in Segment's format]

A day's rollup can be written only after its last event has been read. A load therefore takes
at least (1) reading the files, here with the faster reader of DuckDB and Arrow on all cores,
plus (2) the binary COPY of the rollup's rows, here encoded before and without an index.
Speculative writes during reading would still need the CPU time of both, which is shown per
core. Checks, storage, deduplication, counting, encoding, load log and commit come on top. The
baseline is that of bench/usage.py: a binary COPY of the parsed events.
"""

from __future__ import annotations

import gzip
import os
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pyarrow as pa
from pyarrow import json as arrow_json

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "bench")]

from usage import Bench, Taken, parse, prepared

ROUNDS = 5
CHUNK = 1 << 20
WANTED = pa.schema(
    {
        **dict.fromkeys(("messageId", "timestamp", "receivedAt", "event", "userId"), pa.string()),
        "context": pa.struct({"groupId": pa.string()}),
        "properties": pa.struct({"value": pa.decimal128(38, 18)}),
    }
)


def decompressed(events: Path) -> int:
    """Return the number of bytes of all files, decompressed in parallel without parsing."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(lambda path: len(_text(path)), sorted(events.glob("*.gz"))))


def read_by_arrow(events: Path) -> int:
    """Return the number of events, decompressed and parsed into columns in parallel."""
    options = arrow_json.ParseOptions(explicit_schema=WANTED, unexpected_field_behavior="ignore")

    def rows(path: Path) -> int:
        found = arrow_json.read_json(pa.BufferReader(_text(path)), parse_options=options)
        return int(found.num_rows)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return sum(pool.map(rows, sorted(events.glob("*.gz"))))


def _text(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def encoded_rollup(bench: Bench, events: Path) -> tuple[bytes, int]:
    """Return the rows that load_usage writes, in Postgres' binary format, and their number."""
    source = bench.source(events)
    bench.ours(source, events)
    table = f"raw.{source.name}_usage_daily"
    with psycopg.connect(bench.url) as conn, conn.cursor() as cursor:
        conn.execute(f"create table plain_rollup (like {table})")
        with cursor.copy(f"copy {table} to stdout (format binary)") as copy:
            return b"".join(bytes(block) for block in copy), cursor.rowcount


def copied(bench: Bench, rows: bytes) -> int:
    with psycopg.connect(bench.url) as conn, conn.cursor() as cursor:
        cursor.execute("truncate plain_rollup")
        with cursor.copy("copy plain_rollup from stdin (format binary)") as copy:
            for start in range(0, len(rows), CHUNK):
                copy.write(rows[start : start + CHUNK])
        return cursor.rowcount


def measure(bench: Bench, events: Path) -> None:
    parsed = parse(events)
    rollup, rows = encoded_rollup(bench, events)
    count, size = parsed.num_rows, decompressed(events)
    steps: dict[str, tuple[Callable[[], int], int]] = {
        "binary COPY of parsed events": (lambda: bench.plain_copy(parsed), count),
        "decompression alone": (lambda: decompressed(events), size),
        "reading by DuckDB": (lambda: int(parse(events).num_rows), count),
        "reading by Arrow": (lambda: read_by_arrow(events), count),
        "COPY of the encoded rollup": (lambda: copied(bench, rollup), rows),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, (work, expected) in steps.items():
            taken[name].append(bench.timed(work, expected))
    middle = {name: median(each) for name, each in taken.items()}
    print(f"{count:,} events, {rows:,} rows of rollup, medians of {ROUNDS} rounds in turn:")
    for name, each in middle.items():
        print(f"  {name:<34}{each.seconds:6.2f} s {each.cpu:6.2f} CPU-s")
    reading = min(
        middle["reading by DuckDB"], middle["reading by Arrow"], key=lambda each: each.seconds
    )
    writing, plain = middle["COPY of the encoded rollup"], middle["binary COPY of parsed events"]
    after = (reading.seconds + writing.seconds) / plain.seconds
    beside = (reading.cpu + writing.cpu) / (os.cpu_count() or 1) / plain.seconds
    print(f"  a load takes at least {after:.2f} times the COPY;")
    print(f"  with speculative writes during reading, {beside:.2f} times")


def median(rounds: list[Taken]) -> Taken:
    """Return the medians of wall seconds and of CPU seconds."""
    return Taken(
        statistics.median(each.seconds for each in rounds),
        statistics.median(each.cpu for each in rounds),
    )


if __name__ == "__main__":
    with prepared() as found:
        measure(*found)
