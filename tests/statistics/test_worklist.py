"""The backtest of the worklist's order on histories small enough to check by hand."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

from retention.statistics.worklist import CHANCE, COLUMNS, FORESIGHT, OURS, Case, compare

DAY = date(2026, 1, 31)


def table(cases: list[Case], sizes: tuple[int, ...], min_churned: int = 1) -> dict[str, dict]:
    rows = (dict(zip(COLUMNS, row, strict=True)) for row in compare(cases, min_churned, sizes))
    return {row["ranking"]: row for row in rows}


def test_each_order_catches_what_stands_at_its_top() -> None:
    """Big stays; the one that leaves has a score of 20 and p = 0.5.

    Expected loss: 1000 x 0.05 = 50, 400 x 0.5 = 200, 300 x the mean of 0.25 = 75.
    """
    cases = [
        Case("big", DAY, 1000, 90, 0.05, False),
        Case("leaves", DAY, 400, 20, 0.5, True),
        Case("small", DAY, 100, 10, 0.2, False),
        Case("unknown", DAY, 300, None, None, False),
    ]
    found = table(cases, (1,))
    caught = {name: (row["caught_count"], row["caught_mrr_amount"]) for name, row in found.items()}
    nothing, all_of_it = (
        (Decimal("0.00"), Decimal("0.0000")),
        (Decimal("1.00"), Decimal("400.0000")),
    )
    assert caught == {
        OURS: all_of_it,
        "MRR": nothing,
        "health score": nothing,
        "probability": all_of_it,
        "MRR x (100 - score)": all_of_it,  # 400 x 0.8 against 300 x 0.5 and 1000 x 0.1
        FORESIGHT: all_of_it,
        CHANCE: (Decimal("0.25"), Decimal("100.0000")),
    }
    assert found[CHANCE]["foresight_rate"] == Decimal("0.250000")


def test_month_ends_add_up_and_a_list_longer_than_the_company_catches_all() -> None:
    cases = [
        Case(name, day, 10, 50, 0.1, name == "a" and day.month == 2)
        for name in "abc"
        for day in (DAY, date(2026, 2, 28))
    ]
    found = table(cases, (5,))
    assert {row["caught_mrr_amount"] for row in found.values()} == {Decimal("10.0000")}
    assert {row["month_ends"] for row in found.values()} == {2}


def test_a_planted_risk_is_found_and_noise_is_not() -> None:
    """200 customers of equal MRR: those of high probability leave five times as often."""
    draw = random.Random(3)
    planted, noise = [], []
    for n in range(200):
        chance = 0.5 if n % 5 == 0 else 0.1
        left = draw.random() < chance
        planted.append(Case(str(n), DAY, 100 + n % 7, 50 + n % 3, chance, left))
        noise.append(Case(str(n), DAY, 100 + n % 7, 50, draw.random(), draw.random() < 0.2))
    assert table(planted, (30,))[CHANCE]["verdict"] == "catches less"
    assert table(noise, (30,))[CHANCE]["verdict"] == "no difference shown"
    assert table(planted, (30,), 500)[CHANCE]["verdict"] == "insufficient data"


def test_without_known_outcomes_nothing_is_said() -> None:
    assert list(compare([], 10)) == []
