"""Measure what gate 2 takes on many times the marts of a company, against two baselines.

    python bench/gates.py [times]

Copies the warehouse of `make run`, or of the company RETENTION_COMPANY, and repeats there, under
customer ids of their own, the rows of every mart whose grain has `customer_id`. Each way then
checks the same marts in a process of its own: the gate; the gate with the library's own data
source and metrics; and plain SQL that counts every mart and every row query of the suites.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

import psutil
import psycopg
from psycopg import sql
from rich.console import Console
from rich.table import Table

from retention import suites
from retention.builds.build import manifest_path
from retention.gates import gate, marts, plan, validation
from retention.publishing.mart import Mart, declared, with_rows
from retention.settings import Settings
from retention.warehouse import Warehouse, postgres

console = Console(highlight=False, width=110)
WAYS = {"gate": "the gate", "library": "with the library's metrics", "sql": "plain SQL"}
COPY = "bench_gates"


class Counting(psycopg.Cursor[Any]):
    """A cursor that adds up its statements and the rows that the driver holds."""

    statements = rows = 0

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        result = super().execute(query, *args, **kwargs)
        Counting.statements += 1
        Counting.rows += self.pgresult.ntuples if self.pgresult else 0
        return result


class Counted(Warehouse):
    """A warehouse whose connections count."""

    def connect(self, role: str | None) -> psycopg.Connection:
        conn = super().connect(role)
        conn.cursor_factory = Counting
        return conn


def main(times: int) -> None:
    """Multiply the marts of a copy, measure each way there, and print the ratios."""
    settings = Settings.from_env()
    copy = replace(settings, company=COPY)
    Warehouse.from_settings(settings)  # starts the server
    try:
        duplicate(settings, copy)
        rows = multiply(Warehouse.from_settings(copy), times)
        show(rows, {way: in_a_process(way) for way in WAYS})
    finally:
        with psycopg.connect(postgres.admin_url(settings), autocommit=True) as conn:
            conn.execute(f"drop database if exists {copy.database} with (force)")
        shutil.rmtree(manifest_path(copy).parent, ignore_errors=True)
        shutil.rmtree(copy.docs, ignore_errors=True)


def duplicate(settings: Settings, copy: Settings) -> None:
    """Copy the database, which must have no other connection, and the manifest of its build."""
    with psycopg.connect(postgres.admin_url(settings), autocommit=True) as conn:
        conn.execute(f"create database {copy.database} template {settings.database}")
        conn.execute(f"grant temporary on database {copy.database} to transformer")
    manifest_path(copy).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(manifest_path(settings), manifest_path(copy))


def multiply(wh: Warehouse, times: int) -> int:
    """Repeat the rows of the tables among the marts by customer; return the rows of all marts."""
    whole = 0
    with wh.connect("transformer") as conn:
        for mart in published(wh):
            columns = conn.execute(
                "select array_agg(attname order by attnum) from pg_attribute"
                " inner join pg_class on attrelid = pg_class.oid"
                " where attrelid = %s::regclass and attnum > 0 and not attisdropped"
                " and relkind = 'r'",
                [f"marts.{mart.name}"],
            ).fetchone()
            if columns and columns[0] and "customer_id" in mart.grain:
                conn.execute(repeated(mart, columns[0], times))
        for mart in published(wh):
            found = conn.execute(sql.SQL("select count(*) from {}").format(mart.built)).fetchone()
            whole += found[0] if found else 0
        conn.commit()
        # The first way would otherwise pay for the first read of the new rows.
        conn.autocommit = True
        conn.execute("vacuum analyze")
    return whole


def repeated(mart: Mart, columns: list[str], times: int) -> sql.Composed:
    """Return the statement that adds the rows again, with customer ids of their own."""
    values = [
        sql.SQL("customer_id || '~' || n") if name == "customer_id" else sql.Identifier(name)
        for name in columns
    ]
    return sql.SQL("insert into {0} select {1} from {0}, generate_series(2, {2}) as n").format(
        mart.built, sql.SQL(", ").join(values), times
    )


def published(wh: Warehouse) -> list[Mart]:
    assert wh.settings is not None
    return list(with_rows(declared(manifest_path(wh.settings))))


def in_a_process(way: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "measure", way],
        env={**os.environ, "RETENTION_COMPANY": COPY},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(way: str) -> dict[str, Any]:
    """Check the marts in this process; imports are not measured."""
    validation.great_expectations()
    if way == "library":
        from great_expectations.execution_engine import SqlAlchemyExecutionEngine

        from retention.gates import engine

        engine.CountedPostgres.execution_engine_type = property(lambda _: SqlAlchemyExecutionEngine)
    plain = Warehouse.from_settings(Settings.from_env())
    wh = Counted(plain.url, plain.settings)
    failed = 0
    with peak_memory() as peak:
        began = time.monotonic()
        if way == "sql":
            count(wh)
        else:
            outcomes = gate.check(wh, "marts").outcomes
            # Those of the suites; the others compare with the last publish.
            failed = sum(not o.success for o in outcomes if "type" in o.observed)
        seconds = time.monotonic() - began
    return {
        "seconds": seconds,
        "MB": (peak[1] - peak[0]) / (1 << 20),
        "rows": Counting.rows,
        "statements": Counting.statements,
        "failed": failed,
    }


def count(wh: Warehouse) -> None:
    """Count every mart and every row query, and do the gate's checks besides the suites."""
    with wh.connect("transformer") as conn:
        build = marts.build_under_audit(conn, None)
        tasks = plan.of_marts(conn, build, published(wh), None, suites.FOLDER).tasks
        for task in tasks:
            conn.execute(f"select count(*) from ({task.query}) as batch")
            for made in validation.configurations(task.suite, task.expand, task.query):
                query = getattr(made, "unexpected_rows_query", None)
                if query:
                    conn.execute(f"select count(*) from ({query.format(batch='')}) as unexpected")


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Yield the private memory at the start and the highest since, sampled every 20 ms."""
    process, over = psutil.Process(), threading.Event()
    found = [process.memory_full_info().uss] * 2

    def sample() -> None:
        while not over.wait(0.02):
            found[1] = max(found[1], process.memory_full_info().uss)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def show(rows: int, by_way: dict[str, dict[str, Any]]) -> None:
    """Print the figures of each way and its seconds as a ratio to plain SQL."""
    table = Table("way", "rows fetched", "statements", "memory, MB", "s", "ratio", box=None)
    for way, found in by_way.items():
        table.add_row(
            WAYS[way],
            f"{found['rows']:,}",
            f"{found['statements']:,}",
            f"{found['MB']:.0f}",
            f"{found['seconds']:.1f}",
            f"{found['seconds'] / by_way['sql']['seconds']:.2f}",
        )
    console.print(
        f"Gate 2 on marts of {rows:,} rows; memory is what the check adds to the process."
    )
    console.print(table)
    console.print(
        f"Failed checks: {by_way['gate']['failed']}, with the library's metrics"
        f" {by_way['library']['failed']} (repeated rows break a few)."
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
