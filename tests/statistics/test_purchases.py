"""Repeat purchase rate, by hand and on the CDNOW data of Fader and Hardie."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import pytest

from retention.statistics.purchases import RepeatPurchase, repeat_purchase
from tests.places import SHARED

CDNOW = SHARED / "clv" / "CDNOW_master.txt"
MONDAY, TUESDAY = date(2026, 6, 1), date(2026, 6, 2)


def test_two_orders_of_one_day_are_one_visit() -> None:
    bought = [("once", MONDAY), ("split", MONDAY), ("split", MONDAY), ("back", MONDAY)]
    bought.append(("back", TUESDAY))
    assert repeat_purchase(bought) == RepeatPurchase(3, 1)
    assert repeat_purchase(bought, "orders") == RepeatPurchase(3, 2)
    assert repeat_purchase(bought).rate == Decimal("0.333333")


def test_without_purchases_there_is_no_rate() -> None:
    assert repeat_purchase([]).rate is None


@pytest.mark.shared_data
@pytest.mark.skipif(not CDNOW.exists(), reason="the public data sets are not beside the repository")
@pytest.mark.parametrize(
    ("counted", "returning", "rate"),
    [("orders", 11_662, "0.494782"), ("days", 11_516, "0.488587")],
)
def test_the_repeat_rate_of_cdnow_matches_the_data_set(
    counted: Literal["orders", "days"], returning: int, rate: str
) -> None:
    """23,570 customers of one quarter of 1997, observed until June 1998."""
    lines = CDNOW.read_text().splitlines()[1:]
    rows = [line.split() for line in lines if line.strip()]
    assert len(rows) == 69_659
    purchases = [(row[0], date.fromisoformat(row[1])) for row in rows]
    found = repeat_purchase(purchases, counted)
    assert found == RepeatPurchase(23_570, returning)
    assert found.rate == Decimal(rate)
