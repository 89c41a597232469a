"""The marts of the public data sets say what their READMEs say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from retention import build, landing
from retention.sources import SOURCES
from retention.sources.base import Connection
from retention.sources.files import SOURCE
from retention.usage.load import load_usage
from retention.warehouse import Warehouse
from retention.window import Window
from tests.files_folder import SHARED, needs_shared_data
from tests.loading import query

pytestmark = [*needs_shared_data, pytest.mark.slow]

ACTIVE = """
with days as (select customer_id, as_of_date, sum(mrr_amount) as mrr from marts.fct_mrr_daily
              where extract(day from as_of_date) = 1 group by 1, 2)
"""

# What the README of ravenstack says of its contradictions.
STATED = {
    "claimed_churned_without_event": 35,
    "churn_event_without_claim": 277,
    "claimed_churned_but_open": 110,
    "churn_before_first_subscription": 53,
    "reactivation_without_earlier_churn": 26,
    "churn_event_off_subscription_end": 594,
    "claimed_upgrade_not_found": 89,
    "plan_differs_from_account": 3_365,
    "seats_differ_from_account": 2_405,
    "upgrade_and_downgrade_at_once": 23,
    "subscription_of_no_length": 13,
    "overlapping_subscriptions": 23_880,
    "ticket_before_signup": 1_077,
    "ticket_after_last_churn_event": 265,
    "reply_after_close": 36,
    "usage_outside_subscription": 19_432,
    "usage_before_signup": 13_198,
}


def built(wh: Warehouse, name: str, as_of: date, lake: Path) -> None:
    """Load a whole folder as a first run does, and build its marts."""
    wh.migrate(SOURCES)
    connection, window = Connection("files", str(SHARED / name)), Window.through(as_of)
    for stream in SOURCE.streams:
        if stream.kind == "usage":
            load_usage(wh, SOURCE, stream, connection, window, lake=lake)
        else:
            landing.load_stream(wh, SOURCE, stream, connection, window)
    build.build(wh, as_of)


def rows(wh: Warehouse, text: str) -> list[tuple[Any, ...]]:
    return query(wh, text, "transformer")


def test_fightchurn_has_the_mrr_the_churn_and_the_retention_it_states(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    built(warehouse, "fightchurn", date(2024, 8, 1), tmp_path)
    monthly = f"{ACTIVE} select as_of_date, sum(mrr), count(*) from days group by 1 order by 1"
    assert [(day.month, mrr, count) for day, mrr, count in rows(warehouse, monthly)][1:] == [
        (2, 127_950, 301),
        (3, 168_164, 319),
        (4, 209_665, 339),
        (5, 230_480, 359),
        (6, 247_503, 384),
        (7, 270_544, 415),
        (8, 297_561, 445),
    ]
    lost = f"""{ACTIVE} select count(*) - count(later.customer_id) from days left join days later
        on later.customer_id = days.customer_id
        and later.as_of_date = (days.as_of_date + interval '1 month')::date
        where days.as_of_date between '2024-02-01' and '2024-07-01'
        group by days.as_of_date order by days.as_of_date"""
    assert [count for (count,) in rows(warehouse, lost)] == [9, 10, 13, 10, 11, 12]
    kept = f"""{ACTIVE} select count(later.customer_id), sum(later.mrr), sum(days.mrr),
        sum(least(later.mrr, days.mrr)) filter (where later.mrr is not null)
        from days left join days later on later.customer_id = days.customer_id
        and later.as_of_date = '2024-07-01' where days.as_of_date = '2024-02-01'"""
    assert rows(warehouse, kept) == [(255, 199_055, 127_950, 109_635)]


def test_ravenstack_has_the_mrr_and_every_contradiction_it_states(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    built(warehouse, "ravenstack", date(2025, 1, 1), tmp_path)
    ends = "('2023-01-31', '2023-12-31', '2024-06-30', '2024-12-31')"
    monthly = "select sum(mrr_amount) from marts.fct_mrr_daily where as_of_date in"
    found = rows(warehouse, f"{monthly} {ends} group by as_of_date order by as_of_date")
    assert [mrr for (mrr,) in found] == [
        Decimal(each) for each in (4_684, 1_262_113, 3_833_405, 10_159_608)
    ]
    counted = "select kind, contradiction_count from marts.fct_data_quality"
    found_kinds = dict(rows(warehouse, counted))
    assert {kind: found_kinds[kind] for kind in STATED} == STATED
