"""Estimate survival: Kaplan-Meier per segment, with competing causes of churn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from retention.statistics.base import Inputs, Row, Statistic, exact
from retention.statistics.lifetimes import DAYS_A_MONTH, Life, by_segment

CAUSES = ("voluntary", "involuntary", "unknown")
ALPHA = 0.10
COLUMNS = {
    "segment": "text",
    "age_months": "integer",
    "customers_at_risk": "bigint",
    "customers_lost": "bigint",
    "survival_rate": "numeric(9,6)",
    "survival_rate_low": "numeric(9,6)",
    "survival_rate_high": "numeric(9,6)",
    **{f"{cause}_loss_rate": "numeric(9,6)" for cause in CAUSES},
}


def compute(inputs: Inputs) -> Iterator[Row]:
    """Return a row per segment and month of age, as far as customers were observed."""
    for segment, lives in by_segment(inputs).items():
        for row in curve(lives):
            yield (segment, *row)


def curve(lives: Sequence[Life]) -> Iterator[Row]:
    """Return the curve at whole months of age.

    The losses of the causes add up to the total loss, because each step of the curve is divided
    among the causes of its day (Aalen-Johansen).
    """
    from lifelines import KaplanMeierFitter
    from lifelines.exceptions import StatError

    try:
        fitted = KaplanMeierFitter(alpha=ALPHA).fit(
            [life.end for life in lives],
            [life.is_lost for life in lives],
            entry=[life.entry for life in lives],
        )
    # Stop: all observed customers had churned before others entered.
    except StatError:
        return
    table = fitted.event_table
    # A customer is at risk from the day after entry; the curve starts at the first entry.
    entered = table["entrance"].copy()
    entered.iloc[0] = 0
    steps = list(zip(table.index, table["at_risk"] - entered, table["observed"], strict=True))
    survival: Any = fitted.survival_function_.iloc[:, 0]
    bounds: Any = fitted.confidence_interval_survival_function_
    shares = _losses(lives, steps)
    oldest = max(life.end for life in lives)
    for month in range(int(oldest / DAYS_A_MONTH) + 1):
        day = month * DAYS_A_MONTH
        # Skip ages at which no customer was observed yet.
        if day < table.index[0]:
            continue
        at_risk = sum(life.entry <= day < life.end for life in lives)
        lost = sum(life.is_lost and life.end <= day for life in lives)
        low, high = bounds.loc[slice(None, day)].iloc[-1]
        losses = [exact(shares[cause](day), 6) for cause in CAUSES]
        yield (
            month, at_risk, lost, exact(survival.loc[slice(None, day)].iloc[-1], 6),
            exact(low, 6), exact(high, 6), *losses,
        )  # fmt: skip


def _losses(lives: Sequence[Life], steps: Sequence[tuple[float, float, float]]) -> dict[str, Any]:
    """Return per cause the share lost by a day."""
    causes: dict[tuple[str, float], int] = {}
    for life in lives:
        if life.is_lost:
            key = (life.outcome, float(life.end))
            causes[key] = causes.get(key, 0) + 1
    jumps: dict[str, list[tuple[float, float]]] = {cause: [] for cause in CAUSES}
    alive = 1.0
    for day, at_risk, observed in steps:
        if observed:
            for cause in CAUSES:
                here = causes.get((cause, float(day)), 0)
                jumps[cause].append((float(day), alive * here / at_risk))
            alive *= 1 - observed / at_risk
    return {
        cause: lambda until, found=found: sum(step for day, step in found if day <= until)
        for cause, found in jumps.items()
    }


SURVIVAL = Statistic("survival", "1", COLUMNS, compute)
