"""Measure what a publish writes and how long readers wait, beside dbt's swap of a table.

    python bench/publish.py [rows, 100000] [publishes, 100]

One mart with the day of the build on every row is published by the publisher itself, in an
embedded Postgres of its own with durable commits. First on five days: the first, and days on
which 0, 1, 10 and 100 % of the rows changed. After each, the same rows replace a second table
the way dbt's table materialisation does it: `create table as`, an index, then renames in one
transaction. While either runs, one reader looks up single customers and another runs reports of
two seconds; both are readers of the published view, or of dbt's table.

Then 1 % of the rows change with every publish. After the last one, the same rows are published as a
second mart, for the first time. The same queries of both are timed in turns.

Not in the times: building the mart and the gate, which both ways need.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import LiteralString

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "plugins"))

import psycopg
from rich.console import Console
from rich.table import Table

from retention import migration
from retention.publishing import checksum, publish
from retention.publishing.mart import Mart
from retention.settings import Settings
from retention.warehouse import Warehouse, catalog, postgres

console = Console(highlight=False, width=110)
MART = Mart("fct_bench", "publish", ("as_of_date", "customer_id"), as_of_column="as_of_date")
# The same rows, published once.
ONCE = Mart("fct_bench_once", "publish", MART.grain, as_of_column="as_of_date")
FIRST_DAY = date(2026, 1, 1)
SHARES = (0, 1, 10, 100)
LOOK_UP: LiteralString = "select * from {} where customer_id = %s"
REPORT: LiteralString = "select sum(mrr_amount), (select pg_sleep(2)) from {}"
QUERIES: dict[str, LiteralString] = {
    "one customer": "select * from {} where customer_id = 77",
    "MRR by segment": "select segment, sum(mrr_amount) from {} group by 1",
    "100 customers by a join": "select count(*), sum(mrr_amount) from {}"
    " inner join generate_series(1, 1000, 10) as few (customer_id) using (customer_id)",
}
BUILT: LiteralString = """
create table marts.fct_bench as
select n as customer_id, %s::date as as_of_date, 'segment ' || n %% 12 as segment,
    (n %% 977)::numeric(12, 2) as mrr_amount, 0 as changed, md5(n::text) as note
from generate_series(1, %s) as n
"""
SWAPPED: tuple[LiteralString, ...] = (
    "create table marts.swapped__dbt_tmp as select * from marts.fct_bench",
    "create unique index on marts.swapped__dbt_tmp (customer_id)",
)
RENAMED: tuple[LiteralString, ...] = (
    "alter table if exists marts.swapped rename to swapped__dbt_backup",
    "alter table marts.swapped__dbt_tmp rename to swapped",
    "drop table if exists marts.swapped__dbt_backup cascade",
)


@dataclass
class Cost:
    """What one way of publishing cost: bytes of WAL, seconds, and a reader's longest wait."""

    wal: int
    seconds: float
    longest_wait: float


def main() -> None:
    """Measure in a temporary state folder."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    publishes = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    folder = Path(tempfile.mkdtemp(prefix="retention-bench-"))
    folder.chmod(0o755)
    settings = Settings(root=ROOT, state=folder, company="bench")
    try:
        # As on a server with backups: without WAL, `create table as` would look free.
        postgres.start(settings, options=("wal_level=replica",))
        warehouse = Warehouse.from_settings(settings)
        migration.migrate(warehouse)
        measure(warehouse, rows, publishes)
    finally:
        postgres.destroy(settings)
        shutil.rmtree(folder, ignore_errors=True)


def measure(wh: Warehouse, rows: int, publishes: int) -> None:
    """Print both tables."""
    with wh.connect("transformer") as conn:
        conn.execute(BUILT, [FIRST_DAY, rows])
    table = Table(
        "changed", "WAL, MB", "dbt, MB", "ratio", "s", "dbt, s", "ratio",
        "longest wait, ms", "dbt, ms", box=None,
    )  # fmt: skip
    first = both_ways(wh, built(wh, FIRST_DAY))
    show(table, "first publish", *first)
    for number, share in enumerate(SHARES, 1):
        day = FIRST_DAY + timedelta(days=number)
        change(wh, day, share, number)
        show(table, f"{share} %", *both_ways(wh, built(wh, day)))
    console.print(f"{rows:,} rows", table)
    if publishes:
        after_many(wh, len(SHARES) + 1, publishes)


def after_many(wh: Warehouse, done: int, publishes: int) -> None:
    """Publish changes of 1 % until there are that many publishes; time queries of both marts."""
    for number in range(done, publishes):
        day = FIRST_DAY + timedelta(days=number)
        change(wh, day, 1, number)
        publish.publish(wh, built(wh, day), actor="bench", only=[MART])
    with wh.connect("transformer") as conn:
        conn.execute("create table marts.fct_bench_once as select * from marts.fct_bench")
    number = built(wh, FIRST_DAY + timedelta(days=publishes - 1))
    publish.publish(wh, number, actor="bench", only=[MART, ONCE])
    vacuum(wh, "published.fct_bench", "published.fct_bench_once")
    table = Table(
        "query", "published once, ms", f"after {publishes:,} publishes, ms", "ratio", box=None
    )
    for name, query in QUERIES.items():
        once, often = seconds(wh, query)
        table.add_row(name, f"{once * 1e3:.2f}", f"{often * 1e3:.2f}", f"{often / once:.2f}")
    console.print(table)
    with wh.connect("publisher") as conn:
        stored = conn.execute(
            "select count(*) filter (where to_publish is null), count(*) from published.fct_bench"
        ).fetchone()
    assert stored
    console.print(f"{stored[0]:,} current rows of {stored[1]:,} stored")


def change(wh: Warehouse, day: date, share: int, number: int) -> None:
    """Build the mart of the next day, with that share of the rows changed, each day others."""
    with wh.connect("transformer") as conn:
        conn.execute(
            "update marts.fct_bench set as_of_date = %(day)s,"
            " changed = case when (customer_id + %(number)s) %% 100 < %(share)s"
            " then %(number)s else changed end",
            {"day": day, "share": share, "number": number},
        )
    vacuum(wh, "marts.fct_bench")


def built(wh: Warehouse, day: date) -> int:
    """Record what the build and gate 2 record; return the build_id."""
    with wh.connect("transformer") as conn:
        row = conn.execute(
            "insert into ops.builds (as_of, known_at, status) values (%s, %s, 'done')"
            " returning build_id",
            [day, datetime(2027, 1, 1, tzinfo=UTC)],
        ).fetchone()
        assert row
        conn.execute(
            "insert into ops.gate_results (gate_run_id, build_id, gate, suite, expectation,"
            " severity, success) values (%s, %s, 'marts', 's', 'e', 'critical', true)",
            [row[0], row[0]],
        )
        for mart in (MART, ONCE):
            if catalog.columns(conn, "marts", mart.name):
                conn.execute(
                    "insert into ops.mart_checksums (build_id, mart, rows, checksum)"
                    " values (%s, %s, %s, %s)",
                    [row[0], mart.name, *checksum.of(conn, "marts", mart.name)],
                )
    return int(row[0])


def both_ways(wh: Warehouse, build_id: int) -> tuple[Cost, Cost]:
    """Publish the build, then swap the same rows in as dbt does."""
    vacuum(wh, "published.fct_bench", "marts.swapped")
    ours = cost(
        wh,
        lambda: publish.publish(wh, build_id, actor="bench", only=[MART]),
        "publish.fct_bench",
        "bi_reader",
    )
    return ours, cost(wh, lambda: swap(wh), "marts.swapped", "transformer")


def swap(wh: Warehouse) -> None:
    """Replace the second table as dbt's table materialisation does."""
    with wh.connect("transformer") as conn:
        for statement in (*SWAPPED, *RENAMED):
            conn.execute(statement)


def cost(wh: Warehouse, action: Callable[[], object], table: str, role: str) -> Cost:
    """Carry out the action beside two readers; a table that is not there yet has none."""
    with admin(wh) as conn:
        conn.execute("checkpoint")
        before = _lsn(conn)
        stop, waits = threading.Event(), [0.0]
        readers = []
        if conn.execute("select to_regclass(%s)", [table]).fetchone() != (None,):
            readers = [
                threading.Thread(target=_look_up, args=(wh, role, table, stop, waits)),
                threading.Thread(target=_report, args=(wh, role, table, stop)),
            ]
        for reader in readers:
            reader.start()
        # The readers are at work when the action begins.
        time.sleep(1.0 if readers else 0.0)
        waits[0] = 0.0
        began = time.monotonic()
        action()
        spent = time.monotonic() - began
        written = _lsn(conn) - before
        stop.set()
        for reader in readers:
            reader.join()
    return Cost(written, spent, waits[0])


def _look_up(
    wh: Warehouse, role: str, table: str, stop: threading.Event, waits: list[float]
) -> None:
    with wh.connect(role) as conn:
        conn.autocommit = True
        while not stop.is_set():
            began = time.monotonic()
            conn.execute(psycopg.sql.SQL(LOOK_UP).format(_name(table)), [77]).fetchall()
            waits[0] = max(waits[0], time.monotonic() - began)


def _report(wh: Warehouse, role: str, table: str, stop: threading.Event) -> None:
    with wh.connect(role) as conn:
        conn.autocommit = True
        while not stop.is_set():
            conn.execute(psycopg.sql.SQL(REPORT).format(_name(table))).fetchall()


def _name(table: str) -> psycopg.sql.Identifier:
    return psycopg.sql.Identifier(*table.split("."))


def seconds(wh: Warehouse, query: LiteralString) -> tuple[float, float]:
    """The shortest times of the query, of the mart published once and of the one published often.

    The shortest of 50 tells least of what else the machine does.
    """
    times: dict[Mart, list[float]] = {ONCE: [], MART: []}
    with wh.connect("bi_reader") as conn:
        conn.autocommit = True
        for _ in range(50):
            for mart, spent in times.items():
                began = time.monotonic()
                conn.execute(psycopg.sql.SQL(query).format(mart.view)).fetchall()
                spent.append(time.monotonic() - began)
    return min(times[ONCE]), min(times[MART])


def vacuum(wh: Warehouse, *tables: str) -> None:
    """Vacuum the tables that are there, as the server does by itself within a day."""
    with admin(wh) as conn:
        for table in tables:
            if conn.execute("select to_regclass(%s)", [table]).fetchone() != (None,):
                statement = psycopg.sql.SQL("vacuum (freeze, analyze) {}")
                conn.execute(statement.format(_name(table)))


def admin(wh: Warehouse) -> psycopg.Connection:
    """A session of the superuser, for checkpoints and the position of the WAL."""
    assert wh.settings
    return psycopg.connect(postgres.admin_url(wh.settings, wh.settings.database), autocommit=True)


def _lsn(conn: psycopg.Connection) -> int:
    row = conn.execute("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").fetchone()
    assert row
    return int(row[0])


def show(table: Table, name: str, ours: Cost, dbt: Cost) -> None:
    """Add one row: what this publish cost beside the swap."""
    table.add_row(
        name,
        f"{ours.wal / 1e6:.2f}",
        f"{dbt.wal / 1e6:.2f}",
        f"{ours.wal / dbt.wal:.3f}",
        f"{ours.seconds:.1f}",
        f"{dbt.seconds:.1f}",
        f"{ours.seconds / dbt.seconds:.2f}",
        f"{ours.longest_wait * 1e3:.0f}" if ours.longest_wait else "-",
        f"{dbt.longest_wait * 1e3:.0f}" if dbt.longest_wait else "-",
    )


if __name__ == "__main__":
    main()
