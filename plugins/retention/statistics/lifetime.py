"""Predict the remaining paid months per segment, with an interval, also without churn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from retention.statistics import contract
from retention.statistics.base import Inputs, Row, Statistic, exact
from retention.statistics.lifetimes import DAYS_A_MONTH, Life, by_segment

POLICY = "select name, value from policy where name = any(%(names)s)"
NAMES = ["clv_horizon_months", "discount_rate"]
# Beyond this value, customers do not differ: one constant probability is enough.
ALIKE = 10_000
COLUMNS = {
    "segment": "text",
    "tenure_months": "integer",
    "draw": "integer",
    "expected_months": "numeric(12,4)",
    "method": "text",
    "alpha": "numeric(12,4)",
    "beta": "numeric(12,4)",
}
# Percentiles of the expected months, enough to state how probable a ratio is.
QUANTILES = tuple(range(1, 100))


def compute(inputs: Inputs) -> Iterator[Row]:
    """Return the expected months (draw 0) and percentiles per segment and tenure in months."""
    known = {row["name"]: row["value"] for row in inputs.rows(POLICY, {"names": NAMES})}
    horizon, rate = int(known["clv_horizon_months"]), float(known["discount_rate"])
    for segment, lives in by_segment(inputs).items():
        for tenure, method, fit, values in expectations(lives, horizon, rate):
            alpha, beta = (exact(part, 4) for part in (fit.alpha, fit.beta)) if fit else (None,) * 2
            for draw, months in enumerate(values):
                yield segment, tenure, draw, exact(months, 4), method, alpha, beta


def expectations(
    lives: Sequence[Life], horizon: int, rate: float, oldest: int | None = None
) -> Iterator[tuple[int, str, contract.Fit | None, list[float]]]:
    """Return discounted months within the horizon per age: mean and percentiles."""
    import numpy as np

    entries, ends, lost = periods(lives)
    fit = contract.fit(entries, ends, lost)
    if fit and fit.beta > ALIKE:
        fit = None
    method = "sbg" if fit else "constant"
    ages = oldest if oldest is not None else max(ends, default=0)
    mean, draws = _curves(fit, entries, ends, lost, ages + horizon)
    discount = (1 + rate) ** (-np.arange(horizon) / 12)
    for age in range(0, ages + 1, 12):
        seen = mean[age : age + horizon] / mean[age]
        spread = draws[:, age : age + horizon] / draws[:, age : age + 1]
        percentiles = np.percentile(spread @ discount, QUANTILES)
        yield age, method, fit, [float(seen @ discount), *map(float, percentiles)]


def periods(lives: Sequence[Life]) -> tuple[list[int], list[int], list[bool]]:
    """Convert lifetimes to whole months; a loss in the n-th month is n periods."""
    entries = [-int(-life.entry // DAYS_A_MONTH) for life in lives]
    ends = [
        -int(-life.end // DAYS_A_MONTH) if life.is_lost else int(life.end // DAYS_A_MONTH)
        for life in lives
    ]
    return entries, ends, [life.is_lost for life in lives]


def _curves(
    fit: contract.Fit | None,
    entries: Sequence[int],
    ends: Sequence[int],
    lost: Sequence[bool],
    length: int,
) -> tuple[Any, Any]:
    """Return survival by month, for the fit and for each draw; constant hazard without a fit.

    With no loss in N customer-months, the hazard is not zero. Jeffreys' posterior is Beta(lost +
    1/2, N - lost + 1/2).
    """
    import numpy as np

    if fit:
        return fit.survival(length), contract.survival(fit.draws[:, 0], fit.draws[:, 1], length)
    months = sum(max(0, end - entry) for entry, end in zip(entries, ends, strict=True))
    gone = sum(lost)
    a, b = gone + 0.5, max(0, months - gone) + 0.5
    chances = np.random.default_rng(contract.SEED).beta(a, b, contract.DRAWS)
    ages = np.arange(length + 1)
    return (1 - a / (a + b)) ** ages, (1 - chances[:, None]) ** ages


LIFETIME = Statistic("lifetime", "1", COLUMNS, compute)
