"""Read customers at month ends: the features known on that day and the later outcome.

All customers are observed on the same calendar days, whatever their outcome. Days chosen by
outcome, such as the day of the loss, would bias the evaluation upwards.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from retention.statistics.base import Inputs

WITHIN, BY_RENEWAL = "within_horizon", "by_renewal"
OUTCOMES = (WITHIN, BY_RENEWAL)
LEFT, STAYED, TOO_LATE, IMMATURE, NO_RENEWAL = (
    "left", "stayed", "too_late", "immature", "no_renewal",
)  # fmt: skip
POLICY = "select name, value from policy where name = any(%(names)s)"
NAMES = [
    "backtest_lead_days",
    "backtest_horizon_days",
    "backtest_interval_level",
    "backtest_min_churned",
    "churn_model_min_losses",
]
# Sizes of the customer: they describe it and are no features of a forecast.
CONTEXT = ["licensed_seats", "active_users", "open_tickets"]
MONTH_ENDS = """
    select
        health.customer_id,
        health.as_of_date,
        health.segment,
        health.score,
        health.band,
        health.score_definition || ' ' || health.score_version as version,
        days.mrr_reporting_amount,
        days.tenure_days,
        metrics.measured
    from fct_customer_health_daily as health
    inner join int_customer_days_history as days
        on
            health.customer_id = days.customer_id
            and health.as_of_date = days.as_of_date
    left join (
        select
            customer_id, as_of_date,
            jsonb_object_agg(metric, jsonb_build_array(value, observed_date)) as measured
        from int_customer_metrics_history
        where
            value is not null
            and observed_date is not null
            and metric != all(%(context)s)
            and (extract(day from as_of_date + 1) = 1 or as_of_date = %(as_of)s)
        group by customer_id, as_of_date
    ) as metrics
        on
            health.customer_id = metrics.customer_id
            and health.as_of_date = metrics.as_of_date
    where
        (
            extract(day from health.as_of_date + 1) = 1
            or health.as_of_date = %(as_of)s
        )
        and health.as_of_date <= %(as_of)s
    order by health.as_of_date, health.customer_id
"""
STAYS = "select customer_id, starts_date, churned_date from int_active_periods"
RENEWALS = """
    select customer_id, contract_starts_date, renewal_date
    from fct_renewals
    where contract_starts_date < renewal_date
"""


class LeakError(ValueError):
    """A feature uses data from after its landmark."""


@dataclass(frozen=True)
class Rules:
    """How predictions are made and evaluated: rows of the policies seed."""

    lead_days: int
    horizon_days: int
    level: float
    min_churned: int
    min_losses: int = 30

    @classmethod
    def read(cls, inputs: Inputs) -> Rules:
        found = {row["name"]: row["value"] for row in inputs.rows(POLICY, {"names": NAMES})}
        lead, horizon, level, churned, losses = (found[name] for name in NAMES)
        return cls(int(lead), int(horizon), float(level), int(churned), int(losses))


@dataclass(frozen=True)
class Landmark:
    """One paying customer on one day, with the features known at the end of that day."""

    customer_id: str
    day: date
    segment: str
    score: float | None
    version: str | None = None
    band: str | None = None
    features: Mapping[str, float] = field(default_factory=dict)
    observed: Mapping[str, date] = field(default_factory=dict)
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Stays:
    """The periods in which each customer paid; a customer may churn and return several times."""

    churned: Mapping[str, Sequence[date]]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, date | None]]) -> Stays:
        found: dict[str, list[date]] = defaultdict(list)
        for customer_id, churned in rows:
            if churned:
                found[customer_id].append(churned)
        return cls({key: sorted(days) for key, days in found.items()})

    def next_loss(self, customer_id: str, day: date) -> date | None:
        """Return the first loss after the end of that day."""
        days = self.churned.get(customer_id, ())
        place = bisect.bisect_right(days, day)
        return days[place] if place < len(days) else None


def outcome(day: date, left: date | None, until: date, as_of: date, lead_days: int) -> str:
    """Return the outcome by the end of ``until`` of a customer that paid at the end of ``day``.

    An outcome is only known once the whole horizon is over, for every customer. Churn is known
    earlier than survival; counting it early would overstate churn.
    """
    if until > as_of:
        return IMMATURE
    if until <= day + timedelta(days=lead_days):
        return TOO_LATE
    if left is None or left > until:
        return STAYED
    return LEFT if left > day + timedelta(days=lead_days) else TOO_LATE


def within(landmark: Landmark, stays: Stays, as_of: date, rules: Rules) -> str:
    left = stays.next_loss(landmark.customer_id, landmark.day)
    until = landmark.day + timedelta(days=rules.horizon_days)
    return outcome(landmark.day, left, until, as_of, rules.lead_days)


def by_renewal(
    landmark: Landmark,
    stays: Stays,
    as_of: date,
    rules: Rules,
    renewals: Mapping[str, Sequence[tuple[date, date]]],
) -> str:
    """Return the outcome by the end of the term that was running on the day."""
    ends = [end for start, end in renewals.get(landmark.customer_id, ()) if start <= landmark.day]
    ends = [end for end in ends if end > landmark.day]
    if not ends:
        return NO_RENEWAL
    left = stays.next_loss(landmark.customer_id, landmark.day)
    return outcome(landmark.day, left, min(ends), as_of, rules.lead_days)


def renewals(inputs: Inputs) -> Mapping[str, Sequence[tuple[date, date]]]:
    found: dict[str, list[tuple[date, date]]] = defaultdict(list)
    for row in inputs.rows(RENEWALS):
        found[row["customer_id"]].append((row["contract_starts_date"], row["renewal_date"]))
    return found


def stays(inputs: Inputs) -> Stays:
    return Stays.of((row["customer_id"], row["churned_date"]) for row in inputs.rows(STAYS))


def read(inputs: Inputs) -> list[Landmark]:
    """Return the month ends and the day of the build, oldest first."""
    found = [
        landmark(row)
        for row in inputs.rows(MONTH_ENDS, {"as_of": inputs.as_of, "context": CONTEXT})
    ]
    refuse_leaks(found, inputs.as_of)
    return found


def landmark(row: Mapping[str, Any]) -> Landmark:
    """Build a landmark; each feature has a metric and the newest date its value rests on."""
    measured: Mapping[str, tuple[float, str]] = row["measured"] or {}
    features = {name: float(value) for name, (value, _) in sorted(measured.items())}
    score = row["score"]
    return Landmark(
        row["customer_id"],
        row["as_of_date"],
        row["segment"],
        None if score is None else float(score),
        row["version"],
        row["band"],
        features,
        {name: date.fromisoformat(day) for name, (_, day) in sorted(measured.items())},
        {
            "mrr_reporting_amount": float(row["mrr_reporting_amount"]),
            "tenure_days": row["tenure_days"],
            **features,
        },
    )


def refuse_leaks(landmarks: Iterable[Landmark], as_of: date) -> None:
    """Raise LeakError for a feature observed after its landmark, or a landmark after its day."""
    for each in landmarks:
        for name, day in each.observed.items():
            if day > each.day:
                raise LeakError(f"{name} of {each.day} was observed on {day}")
        if each.day != as_of and (each.day + timedelta(days=1)).day != 1:
            raise LeakError(f"{each.day} is not a month end; a landmark must be a month end")
