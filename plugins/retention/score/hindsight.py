"""Judge the signals by a truth that no warehouse has: when customers really were in danger.

The file is JSON: per customer ``{"in_danger": [[from, to or null], ...], "left": [date, ...]}``,
days as ISO text, spells half-open. A simulation can write one; for a company nobody can.
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

EPISODES = "select signal, customer_id, known_date, closed_date from publish.fct_risk_signals"
STAYS = """
    select customer_id, min(as_of_date), max(as_of_date)
    from publish.fct_mrr_daily group by customer_id
"""
Z = 1.959964
MIN_CUSTOMERS = 20


@dataclass(frozen=True)
class Judgement:
    """One signal: how often it rang in danger, and how long before a customer left."""

    signal: str
    raised: int
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
    """When a customer was in danger, `[from, to)`, and the days it left of its own will."""

    spells: tuple[tuple[date, date], ...]
    left: tuple[date, ...]

    def in_danger(self, day: date) -> bool:
        return any(start <= day < end for start, end in self.spells)


@dataclass(frozen=True)
class Episode:
    """A signal that was on for a customer, from the day it was known."""

    customer: str
    known: date
    closed: date


def judge(wh: Warehouse, path: Path) -> list[Judgement]:
    """Every signal that was raised for a customer the file knows, the best first."""
    truth = read(path)
    raised: dict[str, list[Episode]] = defaultdict(list)
    with wh.connect("bi_reader") as conn:
        for signal, customer, known, closed in conn.execute(EPISODES).fetchall():
            if customer in truth:
                raised[signal].append(Episode(customer, known, closed or date.max))
        stays = {key: (first, last) for key, first, last in conn.execute(STAYS) if key in truth}
    judged = [_judge(signal, rows, truth, stays) for signal, rows in raised.items()]
    return sorted(judged, key=lambda each: -(each.lift or 0))


def read(path: Path) -> Mapping[str, Customer]:
    """The truth of the file; raises UsageError when it is none."""
    try:
        return {key: _customer(doc) for key, doc in json.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no truth to judge by: {error}.", code="no_truth") from None


def wilson(share: float, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share seen among so many."""
    centre = share + Z**2 / (2 * trials)
    half = Z * math.sqrt(share * (1 - share) / trials + Z**2 / (4 * trials**2))
    return (centre - half) / (1 + Z**2 / trials), (centre + half) / (1 + Z**2 / trials)


def _customer(doc: Mapping[str, Any]) -> Customer:
    spells = tuple(
        (date.fromisoformat(start), date.fromisoformat(end) if end else date.max)
        for start, end in doc["in_danger"]
    )
    return Customer(spells, tuple(date.fromisoformat(day) for day in doc["left"]))


def _judge(
    signal: str,
    episodes: Sequence[Episode],
    truth: Mapping[str, Customer],
    stays: Mapping[str, tuple[date, date]],
) -> Judgement:
    first = min(each.known for each in episodes)
    customers = len({each.customer for each in episodes})
    right = sum(truth[each.customer].in_danger(each.known) for each in episodes)
    precision = right / len(episodes)
    base = _base_rate(first, truth, stays)
    low, high = wilson(precision, customers)
    verdict = "signal" if base is not None and low > base else "noise"
    return Judgement(
        signal,
        len(episodes),
        precision,
        (low, high),
        base,
        _recall(first, episodes, truth, stays),
        _lead(episodes, truth, stays),
        verdict if customers >= MIN_CUSTOMERS else "too few to say",
    )


def _base_rate(
    first: date, truth: Mapping[str, Customer], stays: Mapping[str, tuple[date, date]]
) -> float | None:
    """The share of all customer days in danger: what a signal at random is right about."""
    days = dangerous = 0
    for key, (begun, last) in stays.items():
        begun = max(begun, first)
        days += max(0, (last - begun).days + 1)
        dangerous += sum(_overlap(begun, last, spell) for spell in truth[key].spells)
    return dangerous / days if days else None


def _overlap(begun: date, last: date, spell: tuple[date, date]) -> int:
    end = min(last.toordinal() + 1, spell[1].toordinal())
    return max(0, end - max(begun, spell[0]).toordinal())


def _recall(
    first: date,
    episodes: Iterable[Episode],
    truth: Mapping[str, Customer],
    stays: Mapping[str, tuple[date, date]],
) -> float | None:
    """The share of the spells of danger in which the signal was on at some time."""
    of = defaultdict(list)
    for each in episodes:
        of[each.customer].append(each)
    found = total = 0
    for key, (begun, last) in stays.items():
        for start, end in truth[key].spells:
            if _overlap(max(begun, first), last, (start, end)):
                total += 1
                found += any(each.known < end and each.closed > start for each in of[key])
    return found / total if total else None


def _lead(
    episodes: Iterable[Episode],
    truth: Mapping[str, Customer],
    stays: Mapping[str, tuple[date, date]],
) -> float | None:
    """Median days from the first signal that was still on within 90 days to the departure."""
    earliest: dict[tuple[str, date], int] = {}
    for each in episodes:
        last = stays[each.customer][1]
        for day in truth[each.customer].left:
            if (
                day <= last + timedelta(days=1)
                and each.known < day
                and (day.toordinal() - each.closed.toordinal()) <= 90
            ):
                lead = (day - each.known).days
                earliest[each.customer, day] = max(lead, earliest.get((each.customer, day), 0))
    return statistics.median(earliest.values()) if earliest else None
