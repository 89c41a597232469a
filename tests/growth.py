"""Measure how the work of each dbt node grows with the company.

The work of a query is the rows that its plan nodes processed: rows returned and rows removed by
filters, each times its loops. Unlike seconds it is the same on a busy machine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql

TOO_STEEP = 1.2
# Below it a rule that needs ten customers looks steep, because the small company lacks them.
FLOOR = 30_000
SHOWN = 5
REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")

# Every id of the demo company gets the number of its copy: keys of HubSpot have eleven digits,
# those of Stripe a prefix, those of Typeform 26 characters. Prices and owners stay shared.
MARKED: LiteralString = r"""
create function pg_temp.marked(told text, copy text) returns text immutable language sql as $$
    select regexp_replace(regexp_replace(regexp_replace(regexp_replace(told,
        '(?<!\d)(\d{11})(?!\d)', '\1' || copy, 'g'),
        '\m((?:cus|sub|si|in|il|ch|re|evt)_[A-Za-z0-9]{12,})', '\1' || copy, 'g'),
        '\m([a-z0-9]{26})\M', '\1' || copy, 'g'),
        '\m(?!vendor\.)([a-z]+)\.example\M', '\1' || copy || '.example', 'g')
$$
"""
RECORDS: LiteralString = """
insert into raw.{table}
    (record_id, content_hash, source_updated_at, loaded_at, deleted, load_id, doc)
select made.record_id, sha256(convert_to(made.doc, 'UTF8')), made.source_updated_at,
    made.loaded_at, made.deleted, made.load_id, made.doc::jsonb
from (
    select pg_temp.marked(record_id, copy::text) as record_id, source_updated_at, loaded_at,
        deleted, load_id, version_id, copy, pg_temp.marked(doc::text, copy::text) as doc
    from raw.{table} cross join generate_series(2, %s) as copy
) as made
where not exists (select from raw.{table} as held where held.record_id = made.record_id)
order by made.copy, made.version_id
"""
USAGE: LiteralString = """
insert into raw.{table} (event_date, account_key, user_key, subscription_key, feature, events,
    units, first_at, last_at, load_id, loaded_at)
select event_date, pg_temp.marked(account_key, copy::text), pg_temp.marked(user_key, copy::text),
    pg_temp.marked(subscription_key, copy::text), feature, events, units, first_at, last_at,
    load_id, loaded_at
from raw.{table} cross join generate_series(2, %s) as copy
where account_key != ''
order by copy, event_date
"""


def multiply(conn: psycopg.Connection, times: int) -> None:
    """Copy every raw record of the demo company under new ids until there are that many."""
    conn.execute(MARKED)
    tables = conn.execute(
        "select relname from pg_class where relnamespace = 'raw'::regnamespace and relkind = 'r'"
    ).fetchall()
    for (name,) in tables:
        query = USAGE if name.endswith("_usage_daily") else RECORDS
        table = sql.Identifier(name)
        conn.execute(sql.SQL(query).format(table=table), [times])
        conn.execute(sql.SQL("analyze raw.{}").format(table))


@dataclass(frozen=True)
class Work:
    """What the plan of one query did."""

    rows: float
    seconds: float
    steps: tuple[tuple[float, str], ...]

    @classmethod
    def of(cls, conn: psycopg.Connection, query: str) -> Work:
        """Run the query and count the rows that its plan processed."""
        explain = f"explain (analyze, timing off, format json) {query.strip().rstrip(';')}"
        row = conn.execute(cast(LiteralString, explain.replace("%", "%%")), ()).fetchone()
        assert row is not None
        (told,) = row[0]
        steps = tuple(_steps(told["Plan"]))
        return cls(sum(rows for rows, _ in steps), told["Execution Time"] / 1000, steps)

    @property
    def worst(self) -> str:
        """The plan nodes that processed most rows."""
        ordered = sorted(self.steps, key=lambda step: -step[0])
        return "; ".join(f"{what}: {rows:,.0f}" for rows, what in ordered[:SHOWN])


def _steps(plan: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    loops = plan["Actual Loops"]
    rows = loops * (plan["Actual Rows"] + sum(plan.get(name, 0) for name in REMOVED))
    about = plan.get("Relation Name") or plan.get("CTE Name") or plan.get("Join Type") or ""
    condition = next((plan[key] for key in plan if key.endswith(("Cond", "Filter"))), "")
    what = f"{plan['Node Type']} {about} {condition}".strip()
    # Both only pass on the rows that the node beside them returns.
    if plan["Node Type"] not in ("Hash", "Bitmap Index Scan"):
        yield rows, what if loops == 1 else f"{what} x {loops:,.0f}"
    for child in plan.get("Plans", ()):
        yield from _steps(child)


@dataclass(frozen=True)
class Growth:
    """The work of one node in a company and in the same company ``factor`` times as large."""

    name: str
    small: Work
    large: Work
    factor: int

    @property
    def exponent(self) -> float:
        """The power of the company's size that the rows grow with."""
        grown = max(self.large.rows, 1) / max(self.small.rows, 1)
        return math.log(grown) / math.log(self.factor)

    @property
    def is_too_steep(self) -> bool:
        """Return whether the rows matter and grow faster than the company."""
        return self.large.rows >= FLOOR and self.exponent > TOO_STEEP

    def __str__(self) -> str:
        return (
            f"{self.name}: exponent {self.exponent:.2f},"
            f" {self.small.rows:,.0f} to {self.large.rows:,.0f} rows,"
            f" {self.small.seconds:.2f} to {self.large.seconds:.2f} s"
        )


def queries(target: Path) -> dict[str, str]:
    """Return the compiled query of every table, incremental model and data test of a build."""
    told = json.loads((target / "manifest.json").read_text("utf-8"))
    stored = {
        node["name"]
        for node in told["nodes"].values()
        if node["config"]["materialized"] in ("table", "incremental")
    }
    found = {}
    for path in sorted((target / "compiled").rglob("*.sql")):
        is_test = "models" not in path.parts or path.parent.suffix == ".yml"
        if is_test or path.stem in stored:
            found[path.stem] = path.read_text("utf-8")
    return found


def works(conn: psycopg.Connection, target: Path) -> dict[str, Work]:
    """Run each query of a build again and return its work by the node's name."""
    return {name: Work.of(conn, query) for name, query in queries(target).items()}


def compared(small: Mapping[str, Work], large: Mapping[str, Work], factor: int) -> list[Growth]:
    """Return the growth of every node, the steepest that matters first."""
    found = [Growth(name, small[name], large[name], factor) for name in small.keys() & large]
    return sorted(found, key=lambda each: (each.large.rows < FLOOR, -each.exponent))
