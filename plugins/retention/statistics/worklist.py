"""Backtest the order of the worklist: what its top would have caught at past month ends.

Every paying customer with a known outcome stands in each order at each past month end. Caught is
who churned within the horizon, and the MRR lost, among the first customers of the order. All
orders see the same customers; those that churned within the lead time are left out, because
nobody could have acted.

Intervals resample customers with all their month ends (cluster bootstrap, Efron and Tibshirani
1993, chapter 13): two month ends of one customer are not independent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from retention.statistics import backtest, landmarks
from retention.statistics.base import Inputs, Row, Statistic, exact
from retention.statistics.landmarks import LEFT, STAYED, Rules

COLUMNS = {
    "ranking": "text",
    "list_size": "integer",
    "month_ends": "integer",
    "first_landmark_date": "date",
    "last_landmark_date": "date",
    "evaluated_count": "bigint",
    "churned_count": "bigint",
    "churned_customers": "bigint",
    "lost_mrr_amount": "numeric(18,4)",
    "caught_count": "numeric(12,2)",
    "caught_mrr_amount": "numeric(18,4)",
    "caught_mrr_low_amount": "numeric(18,4)",
    "caught_mrr_high_amount": "numeric(18,4)",
    "foresight_rate": "numeric(9,6)",
    "mrr_difference_amount": "numeric(18,4)",
    "mrr_difference_low_amount": "numeric(18,4)",
    "mrr_difference_high_amount": "numeric(18,4)",
    "verdict": "text",
}
LIST_SIZES = (10, 30)
RESAMPLES, SEED, LEVEL = 400, 20_261_201, 0.95
OURS, CHANCE, FORESIGHT = "expected loss", "chance", "perfect foresight"


@dataclass(frozen=True)
class Case:
    """A paying customer at a month end: what was known, and what came.

    ``score`` is 0 to 100, ``probability`` that of the learned model; each is None when unknown.
    """

    customer_id: str
    day: date
    mrr: float
    score: float | None
    probability: float | None
    is_churned: bool

    @property
    def lost(self) -> float:
        return self.mrr if self.is_churned else 0.0

    @property
    def risk(self) -> float:
        """The score as a risk of 0 to 1; a customer without a score is in the middle."""
        return 0.5 if self.score is None else 1 - self.score / 100


def orders(cases: Sequence[Case]) -> Mapping[str, Sequence[float]]:
    """Return the value each order sorts by, largest first.

    Expected loss has the probability that was predicted at the time; a customer without one has
    the mean of the others. Before a model could be learned the order is therefore that by MRR.
    """
    known = [each.probability for each in cases if each.probability is not None]
    mean = sum(known) / len(known) if known else 1.0
    chances = [mean if each.probability is None else each.probability for each in cases]
    return {
        OURS: [each.mrr * chance for each, chance in zip(cases, chances, strict=True)],
        "MRR": [each.mrr for each in cases],
        "health score": [each.risk for each in cases],
        "probability": chances,
        "MRR x (100 - score)": [each.mrr * each.risk for each in cases],
        FORESIGHT: [each.lost for each in cases],
    }


def compute(inputs: Inputs) -> Iterator[Row]:
    """Compare the orders over all month ends whose outcome is known."""
    rules = Rules.read(inputs)
    found = landmarks.read(inputs)
    stays = landmarks.stays(inputs)
    predicted = {
        (row["customer_id"], row["landmark_date"]): float(row["churn_probability_90d"])
        for row in inputs.rows(backtest.PROBABILITIES)
    }
    cases = []
    for each in found:
        came = landmarks.within(each, stays, inputs.as_of, rules)
        if backtest.is_month_end(each.day) and came in (LEFT, STAYED):
            chance = predicted.get((each.customer_id, each.day))
            mrr = each.row["mrr_reporting_amount"] or 0.0
            cases.append(Case(each.customer_id, each.day, mrr, each.score, chance, came == LEFT))
    yield from compare(cases, rules.min_churned)


def compare(
    cases: Sequence[Case], min_churned: int, sizes: Sequence[int] = LIST_SIZES
) -> Iterator[Row]:
    """Return a row per order and size of the list, each against the order by expected loss.

    The verdict is about lost MRR: ``catches more``, ``catches less``, ``no difference shown`` when
    the interval of the difference includes 0, ``insufficient data`` below ``min_churned`` churned
    customers. Deterministic: resampling is seeded.
    """
    import numpy as np

    if not cases:
        return
    churned = {each.customer_id for each in cases if each.is_churned}
    names, clusters = np.unique([each.customer_id for each in cases], return_inverse=True)
    draws = np.random.default_rng(SEED).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES
    )
    # The first row has every customer once: the figures themselves.
    weights = np.vstack([np.ones(len(names), dtype=int), draws])
    by_day: dict[date, list[int]] = defaultdict(list)
    for place, each in enumerate(cases):
        by_day[each.day].append(place)
    for size in sizes:
        caught = _caught(cases, by_day, clusters, weights, size)
        for name, (mrr, heads) in caught.items():
            yield (
                name,
                size,
                len(by_day),
                min(by_day),
                max(by_day),
                len(cases),
                sum(each.is_churned for each in cases),
                len(churned),
                exact(sum(each.lost for each in cases), 4),
                exact(float(heads[0]), 2),
                exact(float(mrr[0]), 4),
                *(exact(float(bound), 4) for bound in _interval(mrr[1:])),
                _share(mrr[0], caught[FORESIGHT][0][0]),
                *_difference(name, mrr, caught[OURS][0], len(churned) >= min_churned),
            )


def _caught(
    cases: Sequence[Case],
    by_day: Mapping[date, Sequence[int]],
    clusters: Any,
    weights: Any,
    size: int,
) -> dict[str, tuple[Any, Any]]:
    """Return lost MRR and churned customers in the top of each order, per resample."""
    import numpy as np

    zero = np.zeros(len(weights))
    caught = {name: (zero.copy(), zero.copy()) for name in (*orders([]), CHANCE)}
    for places in by_day.values():
        here = [cases[place] for place in places]
        lost = np.array([each.lost for each in here])
        left = np.array([float(each.is_churned) for each in here])
        held = weights[:, clusters[np.array(places)]]
        total = held.sum(axis=1)
        share = np.minimum(1.0, size / np.maximum(total, 1))
        caught[CHANCE][0][:] += share * (held @ lost)
        caught[CHANCE][1][:] += share * (held @ left)
        for name, values in orders(here).items():
            # Equal values keep the order of the cases, which has nothing to do with the outcome.
            order = np.argsort(-np.asarray(values), kind="stable")
            ranked = held[:, order]
            taken = np.clip(size - (ranked.cumsum(axis=1) - ranked), 0, ranked)
            caught[name][0][:] += taken @ lost[order]
            caught[name][1][:] += taken @ left[order]
    return caught


def _interval(values: Any) -> tuple[float, float]:
    import numpy as np

    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _share(caught: float, foresight: float) -> Any:
    return exact(caught / foresight, 6) if foresight else None


def _difference(name: str, mrr: Any, ours: Any, is_enough: bool) -> tuple[Any, ...]:
    """Return what expected loss catches more than this order: amount, interval and verdict."""
    if name == OURS:
        return None, None, None, None
    low, high = _interval(ours[1:] - mrr[1:])
    verdict = "no difference shown"
    if not is_enough:
        verdict = "insufficient data"
    elif low > 0:
        verdict = "catches less"
    elif high < 0:
        verdict = "catches more"
    return exact(float(ours[0] - mrr[0]), 4), exact(low, 4), exact(high, 4), verdict


WORKLIST = Statistic("worklist_quality", "1", COLUMNS, compute)
