"""Model churn in each of the next months: a discrete-time hazard model, ridge-penalised.

A row is a customer, a landmark and a following month in which the customer was still active. A
logistic regression over such rows is a hazard model (Allison, 1982). Missing values are set to the
mean and get an indicator.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from retention.statistics.landmarks import Landmark, Stays

MONTH_DAYS = 30
# Smaller means a stronger penalty: a few hundred losses do not support thirty free weights.
STRENGTH = 0.01
# Winsorize: the lowest and the highest percent are set to the next value.
TAILS = (1, 99)
# Use logarithms: a further year matters more early, a hundred users more to small customers.
LOGARITHMS = ("mrr_reporting_amount", "tenure_days")
MIN_MEASURED = 0.05
# A commitment beyond the horizon counts as unlimited. Yearly customers churn when their term ends
# within the horizon.
TERM_END = "days_to_term_end"


@dataclass(frozen=True)
class Panel:
    """Landmarks in order of their days, as columns; a missing value is NaN."""

    landmarks: Sequence[Landmark]
    columns: Mapping[str, Any]
    segments: Any
    lead_days: int = 30
    horizon_days: int = 90

    @classmethod
    def of(
        cls, landmarks: Sequence[Landmark], lead_days: int = 30, horizon_days: int = 90
    ) -> Panel:
        import numpy as np

        names = sorted({name for each in landmarks for name in each.features})
        columns = {
            name: np.array([each.features.get(name, math.nan) for each in landmarks], float)
            for name in names
        }
        for name in LOGARITHMS:
            raw = [each.row.get(name) for each in landmarks]
            if any(value is not None for value in raw):
                columns[name] = np.array(
                    [math.nan if v is None else math.log1p(max(0.0, float(v))) for v in raw], float
                )
        if TERM_END in columns:
            columns[TERM_END] = np.minimum(columns[TERM_END], horizon_days + lead_days)
        segments = np.array([each.segment for each in landmarks], object)
        return cls(landmarks, dict(sorted(columns.items())), segments, lead_days, horizon_days)


@dataclass(frozen=True)
class Term:
    """One term of the model: a metric, a missing-value indicator, a due term or a segment."""

    name: str
    kind: str
    mean: float
    scale: float
    low: float = 0.0
    high: float = 1.0

    def of(self, panel: Panel, rows: slice) -> Any:
        import numpy as np

        if self.kind == "segment":
            return ((panel.segments[rows] == self.name).astype(float) - self.mean) / self.scale
        raw = panel.columns[self.name][rows]
        if self.kind == "missing":
            return (np.isnan(raw).astype(float) - self.mean) / self.scale
        if self.kind == "due":
            return (((raw > self.low) & (raw <= self.high)).astype(float) - self.mean) / self.scale
        return np.nan_to_num((np.clip(raw, self.low, self.high) - self.mean) / self.scale)


@dataclass(frozen=True)
class Model:
    """Weights on standardised values; ``months`` are the levels of the months ahead."""

    terms: tuple[Term, ...]
    weights: tuple[float, ...]
    months: tuple[float, ...]
    losses: int
    shift: float = 0.0
    stretch: float = 1.0

    def parts(self, panel: Panel, rows: slice) -> Any:
        """Return the contribution of each term for each customer, before calibration."""
        return matrix(self.terms, panel, rows) * list(self.weights)

    def hazards(self, index: float) -> list[float]:
        """Return the hazard of each month ahead, conditional on being active."""
        logits = [self.shift + self.stretch * (month + index) for month in self.months]
        return [1 / (1 + math.exp(-logit)) for logit in logits]

    def level(self) -> float:
        return self.shift + self.stretch * self.months[0]

    def contributions(self, parts: Sequence[float]) -> dict[str, float]:
        """Return contributions per metric; with the level they sum to the first month's logit."""
        found: dict[str, float] = {}
        for term, part in zip(self.terms, parts, strict=True):
            name = "segment" if term.kind == "segment" else term.name
            found[name] = found.get(name, 0.0) + self.stretch * float(part)
        return found

    def calibrated(self, shift: float, stretch: float) -> Model:
        return replace(self, shift=shift, stretch=stretch)


def leaving(hazards: Sequence[float]) -> float:
    """Return the probability of churn in any of these months."""
    return 1 - math.prod(1 - hazard for hazard in hazards)


def terms(panel: Panel, rows: slice) -> tuple[Term, ...]:
    """Centre and scale with these rows only, so that later rows cannot leak into the scale."""
    import numpy as np

    found: list[Term] = []
    for name, column in panel.columns.items():
        missing = np.isnan(column[rows])
        share = float(missing.mean())
        if 1 - share < MIN_MEASURED:
            continue
        known = column[rows][~missing]
        low, high = (float(each) for each in np.percentile(known, TAILS))
        clipped = np.clip(known, low, high)
        spread = float(clipped.std())
        if spread > 1e-9:
            found.append(Term(name, "value", float(clipped.mean()), spread, low, high))
        if share > 0.01:
            found.append(Term(name, "missing", share, math.sqrt(share * (1 - share))))
        if name == TERM_END:
            first, last = float(panel.lead_days), float(panel.horizon_days)
            due = float(((column[rows] > first) & (column[rows] <= last)).mean())
            if 0 < due < 1:
                found.append(Term(name, "due", due, math.sqrt(due * (1 - due)), first, last))
    segments = panel.segments[rows]
    kinds = sorted(set(segments))
    for segment in kinds if len(kinds) > 1 else []:
        share = float((segments == segment).mean())
        found.append(Term(segment, "segment", share, math.sqrt(share * (1 - share))))
    return tuple(found)


def matrix(used: Sequence[Term], panel: Panel, rows: slice) -> Any:
    import numpy as np

    return np.column_stack([term.of(panel, rows) for term in used])


def person_months(landmarks: Sequence[Landmark], stays: Stays, first: int, months: int) -> Any:
    """Return (landmark, month ahead, lost in it) while the customer was active.

    Starts after the lead: signs of a churn already under way must not train the model.
    """
    import numpy as np

    rows = []
    for place, each in enumerate(landmarks):
        left = stays.next_loss(each.customer_id, each.day)
        for ahead in range(months):
            until = each.day + timedelta(days=MONTH_DAYS * (ahead + 1))
            lost = left is not None and left <= until
            if ahead >= first:
                rows.append((place, ahead - first, int(lost)))
            if lost:
                break
    return np.array(rows, int).reshape(-1, 3)


def fit(panel: Panel, rows: slice, lived: Any) -> Model | None:
    """Fit the model; deterministic. None if all or no customers were lost.

    Newton's method on a convex objective: the start value does not matter.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    lived = lived[(lived[:, 0] >= rows.start) & (lived[:, 0] < rows.stop)]
    losses = int(lived[:, 2].sum())
    used = terms(panel, rows) if losses else ()
    if not used or losses == len(lived):
        return None
    table = matrix(used, panel, rows)[lived[:, 0] - rows.start]
    ahead = (lived[:, 1:2] == np.arange(1, lived[:, 1].max() + 1)).astype(float)
    found = LogisticRegression(C=STRENGTH, solver="newton-cholesky", tol=1e-8, max_iter=200)
    # Matrices this small are several times slower with more than one thread.
    with threadpool_limits(1):
        found.fit(np.hstack([table, ahead]), lived[:, 2])
    # Round at once: the last digits differ between processors.
    weights = [round(float(each), 6) for each in found.coef_[0]]
    level = round(float(found.intercept_[0]), 6)
    steps = (0.0, *weights[len(used) :])
    return Model(used, tuple(weights[: len(used)]), tuple(level + step for step in steps), losses)


def cut(landmarks: Sequence[Landmark], last: date) -> int:
    """Return how many landmarks, in order of their days, are not after that day."""
    import bisect

    return bisect.bisect_right([each.day for each in landmarks], last)
