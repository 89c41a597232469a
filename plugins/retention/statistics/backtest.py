"""Backtest the published score: predicted and observed churn by version, segment and month.

Each month uses only data known at its time. The curve from score to probability is fitted to months
whose outcomes were known before its end, so a whole horizon lies between them (purge gap).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from retention.statistics import landmarks, metrics
from retention.statistics.base import Inputs, Row, Statistic, exact
from retention.statistics.landmarks import IMMATURE, LEFT, STAYED, TOO_LATE, Landmark, Rules

COLUMNS = {
    "score_name": "text",
    "score_version": "text",
    "segment": "text",
    "outcome": "text",
    "period": "text",
    "landmark_date": "date",
    "first_landmark_date": "date",
    "population_count": "bigint",
    "too_late_count": "bigint",
    "immature_count": "bigint",
    "unscored_count": "bigint",
    "evaluated_count": "bigint",
    "churned_count": "bigint",
    "churned_customers": "bigint",
    "churn_rate": "numeric(9,6)",
    "auc": "numeric(9,6)",
    "auc_low": "numeric(9,6)",
    "auc_high": "numeric(9,6)",
    "top_decile_lift": "numeric(9,4)",
    "predicted_count": "bigint",
    "brier": "numeric(9,6)",
    "brier_base_rate": "numeric(9,6)",
    "calibration": "jsonb",
    "stamp": "text",
    "lead_days": "integer",
    "horizon_days": "integer",
}
HEALTH_SCORE, LEARNED = "health_score", "learned"
PROBABILITIES = """
    select customer_id, landmark_date, churn_probability_90d, version
    from statistics.churn_probability
"""
# Ten bands of equal width would leave the top bands empty: churn is rare.
BANDS = 5


@dataclass(frozen=True)
class Case:
    """A landmark with its outcome, the predicted risk and the predicted probability."""

    landmark: Landmark
    result: str
    risk: float | None
    probability: float | None = None
    base_rate: float | None = None

    @property
    def is_evaluated(self) -> bool:
        return self.result in (LEFT, STAYED) and self.risk is not None

    @property
    def label(self) -> int:
        return int(self.result == LEFT)


def compute(inputs: Inputs) -> Iterator[Row]:
    """Backtest the score by the version in force, and the learned model beside it."""
    rules = Rules.read(inputs)
    found = landmarks.read(inputs)
    predicted = {
        (row["customer_id"], row["landmark_date"]): row for row in inputs.rows(PROBABILITIES)
    }
    rows = [predicted.get((each.customer_id, each.day)) for each in found]
    chances = [float(row["churn_probability_90d"]) if row else None for row in rows]
    model = "model " + max((row["version"] for row in predicted.values()), default="")
    for outcome, result in results(inputs, found, rules).items():
        risks = [None if each.score is None else -each.score for each in found]
        cases = predict(found, result, risks, rules)
        yield from evaluated(HEALTH_SCORE, outcome, cases, rules)
        if predicted:
            learned = as_published(found, result, chances, rules)
            yield from evaluated(LEARNED, outcome, learned, rules, lambda _: model)


def as_published(
    found: Sequence[Landmark],
    result: Sequence[str],
    chances: Sequence[float | None],
    rules: Rules,
) -> list[Case]:
    """Return cases with the probability predicted at the time and the base rate of the day."""
    cases = predict(found, result, chances, rules)
    return [
        replace(case, probability=case.risk if case.base_rate is not None else None)
        for case in cases
    ]


def results(inputs: Inputs, found: Sequence[Landmark], rules: Rules) -> dict[str, list[str]]:
    """Return the outcome of each landmark, by horizon and by renewal."""
    stays, renewals = landmarks.stays(inputs), landmarks.renewals(inputs)
    as_of = inputs.as_of
    return {
        landmarks.WITHIN: [landmarks.within(each, stays, as_of, rules) for each in found],
        landmarks.BY_RENEWAL: [
            landmarks.by_renewal(each, stays, as_of, rules, renewals) for each in found
        ],
    }


def predict(
    found: Sequence[Landmark],
    result: Sequence[str],
    risks: Sequence[float | None],
    rules: Rules,
) -> list[Case]:
    """Return cases with the probability predicted from earlier data, where it existed."""
    by_day: dict[date, list[Case]] = defaultdict(list)
    for each, came, risk in zip(found, result, risks, strict=True):
        if came != landmarks.NO_RENEWAL and is_month_end(each.day):
            by_day[each.day].append(Case(each, came, risk))
    cases: list[Case] = []
    for day, here in sorted(by_day.items()):
        past = [
            case for case in cases if case.is_evaluated and is_over(case.landmark.day, day, rules)
        ]
        churned = len({case.landmark.customer_id for case in past if case.label})
        curve = None
        if churned >= rules.min_churned:
            curve = metrics.calibrate([case.risk or 0.0 for case in past], labels(past))
        rate = sum(labels(past)) / len(past) if past else None
        for case in here:
            predicted = float(curve([case.risk])[0]) if curve and case.risk is not None else None
            cases.append(replace(case, probability=predicted, base_rate=rate if curve else None))
    return cases


def is_over(day: date, by: date, rules: Rules) -> bool:
    """Return whether the outcome of a landmark was known by then (purge gap)."""
    return day + timedelta(days=rules.horizon_days) <= by


def is_month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def labels(cases: Iterable[Case]) -> list[int]:
    return [each.label for each in cases]


def evaluated(
    name: str,
    outcome: str,
    cases: Sequence[Case],
    rules: Rules,
    version: Callable[[Case], str | None] = lambda case: case.landmark.version,
) -> Iterator[Row]:
    """Return a row per version and segment over all months, and one per month."""
    groups: dict[tuple[str, str, str, date | None], list[Case]] = defaultdict(list)
    for each in cases:
        for segment in ("all", each.landmark.segment):
            for day in (None, each.landmark.day):
                groups[version(each) or "", segment, "month" if day else "all", day].append(each)
    for (which, segment, period, _), group in sorted(
        groups.items(), key=lambda item: (item[0][:3], item[0][3] or date.min)
    ):
        first = min(each.landmark.day for each in group)
        last = max(each.landmark.day for each in group)
        yield (
            name, which, segment, outcome, period, last, first,
            *figures(group, rules), rules.lead_days, rules.horizon_days,
        )  # fmt: skip


def figures(group: Sequence[Case], rules: Rules) -> Row:
    """Return the counts, which add up to the population, and the metrics."""
    evaluated_cases = [each for each in group if each.is_evaluated]
    result = labels(evaluated_cases)
    risks = [each.risk or 0.0 for each in evaluated_cases]
    customers = [each.landmark.customer_id for each in evaluated_cases]
    found = metrics.auc(risks, result, customers, rules.level) if evaluated_cases else None
    predicted = [each for each in evaluated_cases if each.probability is not None]
    ours = base = None
    if predicted:
        ours = metrics.brier([each.probability or 0.0 for each in predicted], labels(predicted))
        base = metrics.brier([each.base_rate or 0.0 for each in predicted], labels(predicted))
    stamp = metrics.verdict(found, ours, base, rules.min_churned)
    known = [each for each in group if each.result in (LEFT, STAYED)]
    return (
        len(group),
        sum(each.result == TOO_LATE for each in group),
        sum(each.result == IMMATURE for each in group),
        len(known) - len(evaluated_cases),
        len(evaluated_cases),
        sum(result),
        len({key for key, left in zip(customers, result, strict=True) if left}),
        exact(sum(result) / len(result), 6) if result else None,
        exact(found.value, 6) if found else None,
        exact(found.low, 6) if found else None,
        exact(found.high, 6) if found else None,
        exact(metrics.top_decile_lift(risks, result), 4),
        len(predicted),
        exact(ours, 6),
        exact(base, 6),
        json.dumps(bands(predicted)),
        stamp,
    )


def bands(predicted: Sequence[Case]) -> list[Mapping[str, Any]]:
    """Return quintiles of the prediction: mean prediction and observed churn rate."""
    ordered = sorted(
        predicted, key=lambda each: (each.probability, each.landmark.day, each.landmark.customer_id)
    )
    shown: list[Mapping[str, Any]] = []
    for band in range(BANDS):
        part = ordered[len(ordered) * band // BANDS : len(ordered) * (band + 1) // BANDS]
        if part:
            mean = sum(each.probability or 0.0 for each in part) / len(part)
            share = sum(labels(part)) / len(part)
            shown.append(
                {
                    "band": band + 1,
                    "customers": len(part),
                    "predicted": float(f"{mean:.4f}"),
                    "observed": float(f"{share:.4f}"),
                }
            )
    return shown


BACKTEST = Statistic("backtest", "1", COLUMNS, compute)
