"""Evaluate the alert rules against a truth file with the periods of real danger per customer.

The file is JSON: per customer ``{"in_danger": [[from, to or null], ...], "left": [date, ...]}``,
with ISO dates and half-open periods. Only a simulation can write one.
"""

from __future__ import annotations

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from retention.errors import UsageError
from retention.warehouse import Warehouse

ALERTS = "select alert_rule, customer_id, known_date, closed_date from publish.fct_alerts"
PAID_DAYS = """
    select customer_id, min(valid_from),
        max(coalesce(valid_to - 1, (select as_of from publish.as_of)))
    from publish.fct_mrr_spans group by customer_id
"""
Z = 1.959964
MIN_CUSTOMERS = 20


@dataclass(frozen=True)
class Evaluation:
    """Precision, recall and lead time of one rule."""

    alert_rule: str
    alerts: int
    precision: float | None
    interval: tuple[float | None, float | None]
    base_rate: float | None
    recall: float | None
    lead_days: float | None
    verdict: str

    @property
    def lift(self) -> float | None:
        return self.precision / self.base_rate if self.precision and self.base_rate else None


@dataclass(frozen=True)
class Customer:
    """Periods `[from, to)` in which a customer was in danger, and the days it decided to churn."""

    danger: tuple[tuple[date, date], ...]
    left: tuple[date, ...]

    def in_danger(self, day: date) -> bool:
        return any(start <= day < end for start, end in self.danger)


@dataclass(frozen=True)
class Alert:
    """One alert of a customer, from the day it was known."""

    customer: str
    known: date
    closed: date


def evaluate(wh: Warehouse, path: Path) -> list[Evaluation]:
    """Evaluate every rule with an alert for a customer of the file, the highest lift first."""
    truth = read(path)
    opened: dict[str, list[Alert]] = defaultdict(list)
    with wh.connect("bi_reader") as conn:
        for rule, customer, known, closed in conn.execute(ALERTS).fetchall():
            if customer in truth:
                opened[rule].append(Alert(customer, known, closed or date.max))
        paid = {key: (first, last) for key, first, last in conn.execute(PAID_DAYS) if key in truth}
    evaluated = [_evaluate(rule, alerts, truth, paid) for rule, alerts in opened.items()]
    return sorted(evaluated, key=lambda each: -(each.lift or 0))


def read(path: Path) -> Mapping[str, Customer]:
    """Read the truth file; raise UsageError when it is missing or malformed."""
    try:
        return {key: _customer(doc) for key, doc in json.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is not a valid truth file: {error}.",
            code="no_truth",
            hint="The simulated company writes one: .state/demo/truth.json.",
        ) from None


def wilson(share: float, trials: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share of `trials`."""
    centre = share + Z**2 / (2 * trials)
    half = Z * math.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    return (centre - half) / (1 + Z**2 / trials), (centre + half) / (1 + Z**2 / trials)


def _customer(doc: Mapping[str, Any]) -> Customer:
    danger = tuple(
        (date.fromisoformat(start), date.fromisoformat(end) if end else date.max)
        for start, end in doc["in_danger"]
    )
    return Customer(danger, tuple(date.fromisoformat(day) for day in doc["left"]))


def _evaluate(
    rule: str,
    alerts: Sequence[Alert],
    truth: Mapping[str, Customer],
    paid: Mapping[str, tuple[date, date]],
) -> Evaluation:
    first = min(each.known for each in alerts)
    customers = len({each.customer for each in alerts})
    right = sum(truth[each.customer].in_danger(each.known) for each in alerts)
    precision = right / len(alerts)
    base = _base_rate(first, truth, paid)
    low, high = wilson(precision, customers)
    verdict = "proven" if base is not None and low > base else "unproven"
    return Evaluation(
        rule,
        len(alerts),
        precision,
        (low, high),
        base,
        _recall(first, alerts, truth, paid),
        _lead(alerts, truth, paid),
        verdict if customers >= MIN_CUSTOMERS else "insufficient data",
    )


def _base_rate(
    first: date, truth: Mapping[str, Customer], paid: Mapping[str, tuple[date, date]]
) -> float | None:
    """Return the share of all customer days in danger: the precision of an alert at random."""
    days = dangerous = 0
    for key, (begun, last) in paid.items():
        begun = max(begun, first)
        days += max(0, (last - begun).days + 1)
        dangerous += sum(_overlap(begun, last, period) for period in truth[key].danger)
    return dangerous / days if days else None


def _overlap(begun: date, last: date, period: tuple[date, date]) -> int:
    end = min(last.toordinal() + 1, period[1].toordinal())
    return max(0, end - max(begun, period[0]).toordinal())


def _recall(
    first: date,
    alerts: Iterable[Alert],
    truth: Mapping[str, Customer],
    paid: Mapping[str, tuple[date, date]],
) -> float | None:
    """Return the share of the dangerous periods in which an alert was open at some time."""
    of = defaultdict(list)
    for each in alerts:
        of[each.customer].append(each)
    found = total = 0
    for key, (begun, last) in paid.items():
        for start, end in truth[key].danger:
            if _overlap(max(begun, first), last, (start, end)):
                total += 1
                found += any(each.known < end and each.closed > start for each in of[key])
    return found / total if total else None


def _lead(
    alerts: Iterable[Alert],
    truth: Mapping[str, Customer],
    paid: Mapping[str, tuple[date, date]],
) -> float | None:
    """Return the median days from the first alert open within 90 days of a churn to that churn."""
    earliest: dict[tuple[str, date], int] = {}
    for each in alerts:
        last = paid[each.customer][1]
        for day in truth[each.customer].left:
            if (
                day <= last + timedelta(days=1)
                and each.known < day
                and (day.toordinal() - each.closed.toordinal()) <= 90
            ):
                lead = (day - each.known).days
                earliest[each.customer, day] = max(lead, earliest.get((each.customer, day), 0))
    return statistics.median(earliest.values()) if earliest else None
