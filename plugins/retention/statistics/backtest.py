"""How well the published score foretold who left: per version, segment, outcome and month.

Each month is judged with what was known then: the curve from score to probability is fitted to
months whose outcomes had come before its end, so that a whole horizon lies between (purge gap).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from retention.statistics import judging, landmarks
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
    "judged_count": "bigint",
    "churned_count": "bigint",
    "churned_customers": "bigint",
    "churn_rate": "numeric(9,6)",
    "auc": "numeric(9,6)",
    "auc_low": "numeric(9,6)",
    "auc_high": "numeric(9,6)",
    "top_decile_lift": "numeric(9,4)",
    "foretold_count": "bigint",
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
# Ten bands of equal width would hold nobody at the top: churn is rare.
BANDS = 5


@dataclass(frozen=True)
class Case:
    """A landmark, what became of it, and what was foretold of it: a risk and a probability."""

    landmark: Landmark
    result: str
    risk: float | None
    probability: float | None = None
    base_rate: float | None = None

    @property
    def is_judged(self) -> bool:
        return self.result in (LEFT, STAYED) and self.risk is not None

    @property
    def label(self) -> int:
        return int(self.result == LEFT)


def compute(inputs: Inputs) -> Iterator[Row]:
    """The score as readers saw it, by the version that was in force, and its learned companion."""
    rules = Rules.read(inputs)
    found = landmarks.read(inputs)
    told = {(row["customer_id"], row["landmark_date"]): row for row in inputs.rows(PROBABILITIES)}
    rows = [told.get((each.customer_id, each.day)) for each in found]
    chances = [float(row["churn_probability_90d"]) if row else None for row in rows]
    model = "model " + max((row["version"] for row in told.values()), default="")
    for outcome, result in results(inputs, found, rules).items():
        risks = [None if each.score is None else -each.score for each in found]
        cases = foretell(found, result, risks, rules)
        yield from judged(HEALTH_SCORE, outcome, cases, rules)
        if told:
            learned = as_told(found, result, chances, rules)
            yield from judged(LEARNED, outcome, learned, rules, lambda _: model)


def as_told(
    found: Sequence[Landmark],
    result: Sequence[str],
    chances: Sequence[float | None],
    rules: Rules,
) -> list[Case]:
    """Cases whose probability is the one that was named, beside the base rate of the day."""
    cases = foretell(found, result, chances, rules)
    return [
        replace(case, probability=case.risk if case.base_rate is not None else None)
        for case in cases
    ]


def results(inputs: Inputs, found: Sequence[Landmark], rules: Rules) -> dict[str, list[str]]:
    """What became of each landmark, in both ways of asking."""
    stays, renewals = landmarks.stays(inputs), landmarks.renewals(inputs)
    as_of = inputs.as_of
    return {
        landmarks.WITHIN: [landmarks.within(each, stays, as_of, rules) for each in found],
        landmarks.BY_RENEWAL: [
            landmarks.by_renewal(each, stays, as_of, rules, renewals) for each in found
        ],
    }


def foretell(
    found: Sequence[Landmark],
    result: Sequence[str],
    risks: Sequence[float | None],
    rules: Rules,
) -> list[Case]:
    """Cases with the probability that could be named on their day, where there was a past."""
    by_day: dict[date, list[Case]] = defaultdict(list)
    for each, came, risk in zip(found, result, risks, strict=True):
        if came != landmarks.NO_RENEWAL and is_month_end(each.day):
            by_day[each.day].append(Case(each, came, risk))
    cases: list[Case] = []
    for day, here in sorted(by_day.items()):
        past = [case for case in cases if case.is_judged and is_over(case.landmark.day, day, rules)]
        churned = len({case.landmark.customer_id for case in past if case.label})
        curve = None
        if churned >= rules.min_churned:
            curve = judging.calibrate([case.risk or 0.0 for case in past], labels(past))
        rate = sum(labels(past)) / len(past) if past else None
        for case in here:
            told = float(curve([case.risk])[0]) if curve and case.risk is not None else None
            cases.append(replace(case, probability=told, base_rate=rate if curve else None))
    return cases


def is_over(day: date, by: date, rules: Rules) -> bool:
    """Whether the outcome of a landmark had come by then: the purge gap."""
    return day + timedelta(days=rules.horizon_days) <= by


def is_month_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def labels(cases: Iterable[Case]) -> list[int]:
    return [each.label for each in cases]


def judged(
    name: str,
    outcome: str,
    cases: Sequence[Case],
    rules: Rules,
    version: Callable[[Case], str | None] = lambda case: case.landmark.version,
) -> Iterator[Row]:
    """A row per version and segment over all months, and one for each month."""
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
    """The counts, which add up to the population, and what they are worth."""
    judged_cases = [each for each in group if each.is_judged]
    result = labels(judged_cases)
    risks = [each.risk or 0.0 for each in judged_cases]
    customers = [each.landmark.customer_id for each in judged_cases]
    found = judging.auc(risks, result, customers, rules.level) if judged_cases else None
    told = [each for each in judged_cases if each.probability is not None]
    ours = base = None
    if told:
        ours = judging.brier([each.probability or 0.0 for each in told], labels(told))
        base = judging.brier([each.base_rate or 0.0 for each in told], labels(told))
    stamp = judging.verdict(found, ours, base, rules.min_churned)
    known = [each for each in group if each.result in (LEFT, STAYED)]
    return (
        len(group),
        sum(each.result == TOO_LATE for each in group),
        sum(each.result == IMMATURE for each in group),
        len(known) - len(judged_cases),
        len(judged_cases),
        sum(result),
        len({key for key, left in zip(customers, result, strict=True) if left}),
        exact(sum(result) / len(result), 6) if result else None,
        exact(found.value, 6) if found else None,
        exact(found.low, 6) if found else None,
        exact(found.high, 6) if found else None,
        exact(judging.top_decile_lift(risks, result), 4),
        len(told),
        exact(ours, 6),
        exact(base, 6),
        json.dumps(bands(told)),
        stamp,
    )


def bands(told: Sequence[Case]) -> list[Mapping[str, Any]]:
    """Fifths by what was foretold: the mean foretold and the share that came."""
    ordered = sorted(
        told, key=lambda each: (each.probability, each.landmark.day, each.landmark.customer_id)
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
                    "foretold": float(f"{mean:.4f}"),
                    "came": float(f"{share:.4f}"),
                }
            )
    return shown


BACKTEST = Statistic("backtest", "1", COLUMNS, compute)
