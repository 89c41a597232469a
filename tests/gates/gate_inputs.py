"""Suites, records and a mart for the gate tests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from retention.builds.build import manifest_path
from retention.gates.gate import GateReport, check
from retention.warehouse import Warehouse
from tests.loading import SHOP, THINGS

CANARY = "ada.canary@example.com"
AS_OF = date(2026, 3, 1)


class Loose(BaseModel):
    """A contract that accepts everything, so that only the gate can reject it."""

    id: str


LOOSE = replace(THINGS, record=Loose)
THINGS_SUITE = """
table: raw.shop_things
columns:
  name: {path: name, required: true}
  score: {path: score, type: integer}
  born_at: {path: born_at, type: timestamp}
expect:
  - expect_column_values_to_not_be_null: {column: name}
  - expect_column_values_to_be_in_set: {column: name, value_set: [red, blue]}
    severity: warning
  - expect_column_values_to_be_between: {column: score, min_value: 0, max_value: 10}
"""


MART_SUITE = """
table: marts.fct_things
rows: {min: 2}
as_of: {column: as_of_date, rule: all}
anomalies:
  - {name: rows, measure: count(*), max_drop: 0.4, notes: A lost source loses rows.}
  - {name: mrr, measure: sum(mrr), by: currency, max_drop: 0.3, notes: A lost price loses revenue.}
expect:
  - unexpected_rows_expectation:
      unexpected_rows_query: select * from {batch} where opening + movement != closing
    name: movements_add_up
"""


def arrived(wh: Warehouse, folder: Path, as_of: date | None = AS_OF) -> GateReport:
    return check(wh, "arrived", sources=[SHOP], as_of=as_of, folder=folder)


def failed(report: GateReport) -> set[str]:
    return {outcome.expectation for outcome in report.critical}


def execute(wh: Warehouse, role: str, text: str, *values: Any) -> None:
    with wh.connect(role) as conn:
        conn.execute(text, values)


def built(wh: Warehouse, rows: list[tuple[Any, ...]], as_of: date = AS_OF) -> int:
    """Write a finished build whose only mart has these rows."""
    with wh.connect("transformer") as conn:
        conn.execute("drop table if exists marts.fct_things")
        conn.execute(
            "create table marts.fct_things (thing text, currency text, mrr numeric(12, 2),"
            " opening int, movement int, closing int, as_of_date date)"
        )
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into marts.fct_things values (%s, %s, %s, %s, %s, %s, %s)", rows
            )
        models = [{"name": "fct_things", "kind": "model", "status": "success"}]
        row = conn.execute(
            "insert into ops.builds (as_of, known_at, status, models)"
            " values (%s, clock_timestamp(), 'done', %s) returning build_id",
            [as_of, Jsonb(models)],
        ).fetchone()
    assert wh.settings is not None
    path = manifest_path(wh.settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = {"publish": "publish", "grain": ["thing"]}
    node = {"name": "fct_things", "resource_type": "model", "config": {"meta": meta}}
    path.write_text(json.dumps({"nodes": {"model.fct_things": node}}))
    assert row is not None
    return int(row[0])


def row(
    name: str, mrr: float = 10, closing: int = 3, currency: str = "USD", on: date = AS_OF
) -> Any:
    return (name, currency, mrr, 1, 2, closing, on)


def published(wh: Warehouse, build_id: int, as_of: date = AS_OF) -> None:
    execute(
        wh,
        "publisher",
        "insert into ops.publishes (build_id, as_of, known_at, status, published_at, actor, reason)"
        " select build_id, %s, known_at, 'published', clock_timestamp(), 'test', ''"
        " from ops.builds where build_id = %s",
        as_of,
        build_id,
    )
