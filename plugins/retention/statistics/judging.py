"""How well a number ranks and foretells who leaves: AUC with interval, lift, Brier, a verdict.

A customer is judged at many landmarks and its rows are alike, so the interval counts customers and
not rows: the structural components of DeLong, DeLong and Clarke-Pearson (1988), summed per customer
as in Obuchowski (1997). With every customer once it is DeLong's interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

PROVEN, UNPROVEN, TOO_FEW = "proven", "unproven", "too few to say"


@dataclass(frozen=True)
class Auc:
    """The chance that who leaves was ranked above who stays, with its interval."""

    value: float
    low: float | None
    high: float | None
    churned_customers: int


def auc(
    risks: Sequence[float], labels: Sequence[int], customers: Sequence[str], level: float
) -> Auc | None:
    """None where all left or all stayed; no interval where fewer than two customers left.

    Few customers leave, and the normal distribution flatters few: the interval takes Student's
    t with one degree of freedom less than there are customers that left, or that stayed.
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
    """Churn in the tenth at the highest risk over churn of all; ties share the last places."""
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
    """The mean squared distance of what was foretold from what came (Brier, 1950)."""
    import numpy as np

    distance = np.asarray(probabilities, float) - np.asarray(labels, float)
    return float((distance**2).mean())


@dataclass(frozen=True)
class Calibration:
    """A probability from a risk: a logistic curve that never falls as the risk rises."""

    centre: float
    scale: float
    intercept: float
    slope: float

    def __call__(self, risks: Sequence[float]) -> Any:
        import numpy as np

        standard = (np.asarray(risks, float) - self.centre) / self.scale
        return 1 / (1 + np.exp(-(self.intercept + self.slope * standard)))


def calibrate(risks: Sequence[float], labels: Sequence[int]) -> Calibration | None:
    """Platt's curve (1999) with his smoothed targets; flat where leaving falls with the risk.

    None where nobody left or nobody stayed: nothing can be learned from that.
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
        # Newton's whole steps overshoot where the risk nearly tells the two apart.
        step = np.clip(np.linalg.solve(hessian, gradient), -1.0, 1.0)
        a, b = a + float(step[0]), b + float(step[1])
        if abs(step).max() < 1e-10:
            break
    if b <= 0:
        share = float(target.mean())
        a, b = math.log(share / (1 - share)), 0.0
    return Calibration(centre, scale, a, b)


def shift(logits: Sequence[float], labels: Sequence[int]) -> float:
    """What has to be added to the logits for as many to be foretold as came."""
    import numpy as np

    logit, share = np.asarray(logits, float), float(np.mean(labels))
    low, high = -30.0, 30.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        foretold = float((1 / (1 + np.exp(-(middle + logit)))).mean())
        low, high = (middle, high) if foretold < share else (low, middle)
    return low


def verdict(
    found: Auc | None, brier_score: float | None, brier_base: float | None, min_churned: int
) -> str:
    """Proven is what ranks better than chance and foretells better than the base rate."""
    if found is None or found.low is None or found.churned_customers < min_churned:
        return TOO_FEW
    if brier_score is None or brier_base is None:
        return TOO_FEW
    return PROVEN if found.low > 0.5 and brier_score < brier_base else UNPROVEN


def _placed(among: Any, values: Any) -> Any:
    """Per value, the share of the others below it; a tie counts a half."""
    import numpy as np

    ordered = np.sort(among)
    under = np.searchsorted(ordered, values, "left")
    up_to = np.searchsorted(ordered, values, "right")
    return (under + up_to) / (2 * len(ordered))


def sample_size(before: float, after: float, sides: int = 2) -> int:
    """Customers an arm of a trial needs to tell two churn rates apart: 5 % error, 80 % power."""
    from statistics import NormalDist

    normal = NormalDist()
    mean = (before + after) / 2
    chance = normal.inv_cdf(1 - 0.05 / sides) * math.sqrt(2 * mean * (1 - mean))
    power = normal.inv_cdf(0.8) * math.sqrt(before * (1 - before) + after * (1 - after))
    return round(((chance + power) / (before - after)) ** 2)
