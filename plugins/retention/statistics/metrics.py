"""Evaluate predictions of churn: AUC with interval, lift, Brier score, verdict.

A customer has several landmarks with similar rows, so the interval counts customers, not rows. It
sums the structural components of DeLong, DeLong and Clarke-Pearson (1988) per customer, as
Obuchowski (1997) does. With one row per customer it equals DeLong's interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PROVEN, UNPROVEN, INSUFFICIENT = "proven", "unproven", "insufficient data"


@dataclass(frozen=True)
class Auc:
    """The probability that a churned customer ranks above a retained one, with its interval."""

    value: float
    low: float | None
    high: float | None
    churned_customers: int


def auc(
    risks: Sequence[float], labels: Sequence[int], customers: Sequence[str], level: float
) -> Auc | None:
    """Compute the AUC; None if all or no customers churned, no interval below two churned.

    With few churned customers the normal distribution is too optimistic. The interval uses
    Student's t with one degree of freedom less than the smaller group of customers.
    """
    import numpy as np
    from scipy.stats import t

    risk, label = np.asarray(risks, float), np.asarray(labels, bool)
    _, cluster = np.unique(np.asarray(customers), return_inverse=True)
    left, stayed = risk[label], risk[~label]
    if not len(left) or not len(stayed):
        return None
    above = _placed(stayed, left)
    below = 1 - _placed(left, stayed)
    value = float(above.mean())
    count = int(cluster.max()) + 1
    one = np.bincount(cluster[label], above - value, count)
    other = np.bincount(cluster[~label], below - value, count)
    leavers = len(np.unique(cluster[label]))
    stayers = len(np.unique(cluster[~label]))
    freedom = min(leavers, stayers) - 1
    if freedom < 1:
        return Auc(value, None, None, leavers)
    m, n = len(left), len(stayed)
    variance = (
        leavers / (leavers - 1) * (one @ one) / m**2
        + stayers / (stayers - 1) * (other @ other) / n**2
        + 2 * count / (count - 1) * (one @ other) / (m * n)
    )
    half = float(t.ppf((1 + level) / 2, freedom)) * math.sqrt(max(0.0, float(variance)))
    return Auc(value, max(0.0, value - half), min(1.0, value + half), leavers)


def top_decile_lift(risks: Sequence[float], labels: Sequence[int]) -> float | None:
    """Return churn in the top decile of risk over total churn; ties share the last places."""
    import numpy as np

    risk, label = np.asarray(risks, float), np.asarray(labels, float)
    base = label.mean() if len(label) else 0.0
    if not base:
        return None
    places = max(1, math.ceil(len(risk) / 10))
    border = np.sort(risk)[::-1][places - 1]
    over, at = risk > border, risk == border
    caught = label[over].sum() + (places - over.sum()) * label[at].mean()
    return float(caught / places / base)


def brier(probabilities: Sequence[float], labels: Sequence[int]) -> float:
    """Return the mean squared difference of prediction and outcome (Brier, 1950)."""
    import numpy as np

    distance = np.asarray(probabilities, float) - np.asarray(labels, float)
    return float((distance**2).mean())


@dataclass(frozen=True)
class Calibration:
    """A logistic curve from risk to probability that never falls as the risk rises."""

    centre: float
    scale: float
    intercept: float
    slope: float

    def __call__(self, risks: Sequence[float]) -> Any:
        import numpy as np

        standard = (np.asarray(risks, float) - self.centre) / self.scale
        return 1 / (1 + np.exp(-(self.intercept + self.slope * standard)))


def calibrate(risks: Sequence[float], labels: Sequence[int]) -> Calibration | None:
    """Fit Platt's curve (1999) with smoothed targets; flat if churn falls with the risk.

    None if all or no customers churned.
    """
    import numpy as np

    risk, label = np.asarray(risks, float), np.asarray(labels, float)
    left, stayed = label.sum(), len(label) - label.sum()
    if not left or not stayed:
        return None
    centre, scale = float(risk.mean()), float(risk.std()) or 1.0
    x = (risk - centre) / scale
    target = np.where(label > 0, (left + 1) / (left + 2), 1 / (stayed + 2))
    a, b = math.log((left + 1) / (stayed + 1)), 0.0
    for _ in range(100):
        p = 1 / (1 + np.exp(-(a + b * x)))
        w = p * (1 - p)
        gradient = np.array([(target - p).sum(), ((target - p) * x).sum()])
        cross = (w * x).sum()
        hessian = np.array([[w.sum() + 1e-9, cross], [cross, (w * x * x).sum() + 1e-9]])
        # Full Newton steps overshoot where the risk nearly separates the two groups.
        step = np.clip(np.linalg.solve(hessian, gradient), -1.0, 1.0)
        a, b = a + float(step[0]), b + float(step[1])
        if abs(step).max() < 1e-10:
            break
    if b <= 0:
        share = float(target.mean())
        a, b = math.log(share / (1 - share)), 0.0
    return Calibration(centre, scale, a, b)


def shift(logits: Sequence[float], labels: Sequence[int]) -> float:
    """Return the constant to add to the logits so that predicted and observed totals agree."""
    import numpy as np

    logit, share = np.asarray(logits, float), float(np.mean(labels))
    low, high = -30.0, 30.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        predicted = float((1 / (1 + np.exp(-(middle + logit)))).mean())
        low, high = (middle, high) if predicted < share else (low, middle)
    return low


def verdict(
    found: Auc | None, brier_score: float | None, brier_base: float | None, min_churned: int
) -> str:
    """Return the verdict: proven means better than chance in rank and than the base rate."""
    if found is None or found.low is None or found.churned_customers < min_churned:
        return INSUFFICIENT
    if brier_score is None or brier_base is None:
        return INSUFFICIENT
    return PROVEN if found.low > 0.5 and brier_score < brier_base else UNPROVEN


def _placed(among: Any, values: Any) -> Any:
    """Return per value the share of the other group below it; a tie counts one half."""
    import numpy as np

    ordered = np.sort(among)
    under = np.searchsorted(ordered, values, "left")
    up_to = np.searchsorted(ordered, values, "right")
    return (under + up_to) / (2 * len(ordered))


def sample_size(before: float, after: float, sides: int = 2) -> int:
    """Return the customers per trial arm to detect a difference: 5 % error, 80 % power."""
    from statistics import NormalDist

    normal = NormalDist()
    mean = (before + after) / 2
    chance = normal.inv_cdf(1 - 0.05 / sides) * math.sqrt(2 * mean * (1 - mean))
    power = normal.inv_cdf(0.8) * math.sqrt(before * (1 - before) + after * (1 - after))
    return round(((chance + power) / (before - after)) ** 2)
