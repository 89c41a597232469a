"""Simulated customer histories with known causes of churn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from retention.statistics import backtest, landmarks
from retention.statistics.landmarks import Landmark, Rules, Stays

RULES = Rules(lead_days=30, horizon_days=90, level=0.98, min_churned=10, min_losses=30)
AS_OF = date(2026, 6, 30)


def month_ends(count: int, last: date = AS_OF) -> list[date]:
    days = [last]
    while len(days) < count:
        days.append(days[-1].replace(day=1) - timedelta(days=1))
    return days[::-1]


def simulated(
    seed: int, weights: Sequence[float], customers: int = 200, months: int = 18, base: float = -4.2
) -> tuple[list[Landmark], Stays]:
    """Simulate features that drift monthly; churn depends on them by the weights alone."""
    rng = np.random.default_rng(seed)
    days = month_ends(months)
    x = rng.standard_normal((customers, len(weights)))
    lost: dict[int, date] = {}
    found = []
    for day in days:
        x = 0.8 * x + 0.6 * rng.standard_normal(x.shape)
        draws = rng.random((customers, 2))
        hazards = 1 / (1 + np.exp(-(base + x @ np.array(weights))))
        for place in range(customers):
            if place in lost and lost[place] <= day:
                continue
            values = {f"m{n}": float(value) for n, value in enumerate(x[place])}
            observed = dict.fromkeys(values, day)
            found.append(
                Landmark(
                    f"c{place}", day, "SMB", 50 - 10 * values["m0"], "v 1", None, values, observed
                )
            )
            # Draw churn for the second month ahead, which is after the lead.
            if place not in lost and draws[place, 0] < hazards[place]:
                lost[place] = day + timedelta(days=31 + int(28 * draws[place, 1]))
    return found, Stays({f"c{place}": [day] for place, day in lost.items()})


def judge(found: Sequence[Landmark], stays: Stays) -> dict[str, object]:
    """Return the backtest row over all landmarks and segments."""
    result = [landmarks.within(each, stays, AS_OF, RULES) for each in found]
    risks = [None if each.score is None else -each.score for each in found]
    cases = backtest.predict(found, result, risks, RULES)
    for row in backtest.evaluated("health_score", landmarks.WITHIN, cases, RULES):
        shown = dict(zip(backtest.COLUMNS, row, strict=True))
        if shown["segment"] == "all" and shown["period"] == "all":
            return shown
    raise AssertionError("nothing was evaluated")
