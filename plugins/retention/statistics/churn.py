"""Predict the probability of churn within the horizon, refitted at the end of each month.

The prediction is published beside the score and does not replace it. Each month is predicted by a
model fitted to landmarks whose outcomes were known before: past predictions are those that would
have been published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from retention.statistics import backtest, hazard, landmarks, metrics
from retention.statistics.base import Inputs, Row, Statistic, exact
from retention.statistics.landmarks import Landmark, Rules, Stays

COLUMNS = {
    "customer_id": "text",
    "landmark_date": "date",
    "segment": "text",
    "churn_probability_90d": "numeric(9,6)",
    "logit": "numeric(12,6)",
    "level": "numeric(12,6)",
    "contributions": "jsonb",
    "fitted_until_date": "date",
    "fitted_losses": "bigint",
    "is_calibrated": "boolean",
}


@dataclass(frozen=True)
class Prediction:
    """The prediction of one model for one customer."""

    landmark: Landmark
    model: hazard.Model
    index: float
    parts: Sequence[float]
    fitted_until: date
    is_calibrated: bool


def compute(inputs: Inputs) -> Iterator[Row]:
    """Predict for past month ends, as of each, and for the day of the build."""
    rules = Rules.read(inputs)
    found = landmarks.read(inputs)
    for each in predict(found, landmarks.stays(inputs), rules):
        yield row(each)


def predict(found: Sequence[Landmark], stays: Stays, rules: Rules) -> Iterator[Prediction]:
    """Walk forward: fit to known outcomes, calibrate on known predictions, predict."""
    if not found:
        return
    lead, months = (days // hazard.MONTH_DAYS for days in (rules.lead_days, rules.horizon_days))
    panel = hazard.Panel.of(found, rules.lead_days, rules.horizon_days)
    lived = hazard.person_months(found, stays, lead, months)
    predictions: list[Prediction] = []
    for day in sorted({each.day for each in found}):
        # Between two month ends the model of the last month end is used.
        fitted_on = day if backtest.is_month_end(day) else day.replace(day=1) - timedelta(days=1)
        until = fitted_on - timedelta(days=rules.horizon_days)
        model = hazard.fit(panel, slice(0, hazard.cut(found, until)), lived)
        if model is None or model.losses < rules.min_losses:
            continue
        curve = _curve(predictions, until, stays, rules)
        if curve:
            model = model.calibrated(*curve)
        rows = slice(hazard.cut(found, day - timedelta(days=1)), hazard.cut(found, day))
        parts = model.parts(panel, rows)
        for place, landmark in enumerate(found[rows]):
            here = Prediction(
                landmark, model, float(parts[place].sum()), parts[place], until, bool(curve)
            )
            predictions.append(here)
            yield here


def _curve(
    predictions: Sequence[Prediction], until: date, stays: Stays, rules: Rules
) -> tuple[float, float] | None:
    """Return (shift, slope) of the logit, fitted to the first months of earlier predictions."""
    import numpy as np

    past, labels = [], []
    first = rules.lead_days + hazard.MONTH_DAYS
    for each in predictions:
        left = stays.next_loss(each.landmark.customer_id, each.landmark.day)
        after = (left - each.landmark.day).days if left else None
        if each.landmark.day <= until and (after is None or after > rules.lead_days):
            past.append(each)
            labels.append(int(after is not None and after <= first))
    if sum(labels) < rules.min_losses:
        return None
    logits = [each.model.months[0] + each.index for each in past]
    curve = metrics.calibrate(logits, labels)
    if curve is None or curve.slope <= 0:
        return None
    stretch = curve.slope / curve.scale
    shift = curve.intercept - stretch * curve.centre
    if stretch > 1:
        # Calibration may only reduce confidence: a slope above 1 rests on too few losses.
        shift, stretch = metrics.shift(logits, labels), 1.0
    return float(np.round(shift, 6)), float(np.round(stretch, 6))


def row(each: Prediction) -> Row:
    chance = hazard.leaving(each.model.hazards(each.index))
    level = exact(each.model.level(), 6)
    shares = {name: exact(part, 6) for name, part in each.model.contributions(each.parts).items()}
    logit = sum((share for share in shares.values() if share is not None), level or Decimal())
    return (
        each.landmark.customer_id,
        each.landmark.day,
        each.landmark.segment,
        exact(chance, 6),
        logit,
        level,
        json.dumps([_shown(each.landmark, name, share) for name, share in sorted(shares.items())]),
        each.fitted_until,
        each.model.losses,
        each.is_calibrated,
    )


def _shown(landmark: Landmark, name: str, share: Any) -> Mapping[str, Any]:
    observed = landmark.observed.get(name)
    return {
        "metric": name,
        "value": landmark.segment if name == "segment" else landmark.row.get(name),
        "observed_date": observed.isoformat() if observed else None,
        "contribution": float(share),
    }


CHURN = Statistic("churn_probability", "2", COLUMNS, compute)
