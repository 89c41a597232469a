"""A published mart of spans, and the view that shows it day by day."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from retention.publishing import publish
from retention.publishing.mart import Mart
from retention.warehouse import Warehouse
from tests.publishing.small_marts import build, seen

SPANS = Mart("fct_money_spans", "publish", ("customer_id", "valid_from"))
DAYS = Mart("fct_money_daily", "publish", ("customer_id", "as_of_date"), "fct_money_spans")
EMPTY = "select 1 as customer_id, 5 as amount, date '2026-01-01' as as_of_date where false"


def released(wh: Warehouse, spans: str, as_of: date, *marts: Mart) -> int:
    """Publish these spans; the view of days has no rows of its own to build."""
    query = f"select * from (values {spans}) as rows (customer_id, amount, valid_from, valid_to)"
    number = build(wh, {"fct_money_spans": query, "fct_money_daily": EMPTY}, as_of=as_of)
    wanted = marts or (DAYS, SPANS)
    return publish.publish(wh, number, actor="test", only=wanted).publish_id


def days(wh: Warehouse) -> list[tuple[Any, ...]]:
    return [(row[0], row[1], f"{row[2]:%d}") for row in seen(wh, "publish.fct_money_daily")]


ENDED = "(1, 10, date '2026-03-01', date '2026-03-03')"
IN_FORCE = "(2, 7, date '2026-03-02', null::date)"


def test_each_day_of_a_span_is_a_row_up_to_the_published_day(warehouse: Warehouse) -> None:
    released(warehouse, f"{ENDED}, {IN_FORCE}", date(2026, 3, 3))
    assert days(warehouse) == [(1, 10, "01"), (1, 10, "02"), (2, 7, "02"), (2, 7, "03")]


def test_a_day_passes_without_a_row_being_written_and_a_rollback_takes_it_back(
    warehouse: Warehouse,
) -> None:
    first = released(warehouse, f"{ENDED}, {IN_FORCE}", date(2026, 3, 3))
    second = released(warehouse, f"{ENDED}, {IN_FORCE}", date(2026, 3, 4))
    assert days(warehouse)[-1] == (2, 7, "04")
    with warehouse.connect("publisher") as conn:
        (written,) = conn.execute(
            "select marts from ops.publishes where publish_id = %s", [second]
        ).fetchone() or ({},)
    assert {name: counts["added"] for name, counts in written.items()} == {"fct_money_spans": 0}
    publish.rollback(warehouse, first, actor="test")
    assert days(warehouse)[-1] == (2, 7, "03")


def test_a_mart_of_stored_days_becomes_a_view_over_spans(warehouse: Warehouse) -> None:
    stored = Mart("fct_money_daily", "publish", ("customer_id", "as_of_date"))
    one = "select 1 as customer_id, 5 as amount, date '2026-01-01' as as_of_date"
    number = build(warehouse, {"fct_money_daily": one})
    publish.publish(warehouse, number, actor="test", only=[stored])
    assert days(warehouse) == [(1, 5, "01")]
    released(warehouse, ENDED, date(2026, 3, 3))
    assert days(warehouse) == [(1, 10, "01"), (1, 10, "02")]


def test_a_condition_on_the_day_reaches_the_index_of_the_spans(warehouse: Warehouse) -> None:
    many = ", ".join(
        f"({n}, 1, date '2020-01-01' + {n}, date '2020-01-03' + {n})" for n in range(1500)
    )
    released(warehouse, many, date(2026, 3, 3))
    with warehouse.connect("publisher") as conn:
        conn.execute("analyze published.fct_money_spans")
        query = "explain (format json) select * from publish.fct_money_daily where as_of_date = %s"
        (plan,) = conn.execute(query, [date(2021, 1, 1)]).fetchone() or ("",)
    assert "fct_money_spans_current_daterange_idx" in json.dumps(plan)
