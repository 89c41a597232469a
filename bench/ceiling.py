"""Measure the upper limit of churn prediction in the demo company, from hidden satisfaction.

    python bench/ceiling.py [customers] [seed ...]

The warehouse has no access to satisfaction, so no score can predict better. The model is fitted
to customers with even numbers and evaluated on odd ones, at the month ends of `bench/score.py`:
churn after 30 and within 90 days.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from demo.company.clock import DAY, Clock, add_months
from demo.company.life import Life
from demo.company.owners import Roster
from demo.company.simulation import START

FIRST, LAST, DAYS = date(2025, 1, 1), date(2026, 3, 31), 732
LEAD, HORIZON = 30, 90
SEGMENTS = ("SMB", "Mid-Market", "Enterprise")
KNOWN = {
    "satisfaction": [0],
    "segment": [1, 2, 3],
    "segment, satisfaction": [0, 1, 2, 3],
    "segment, end of the term": [1, 2, 3, 4, 5],
    "segment, end of the term, satisfaction": [0, 1, 2, 3, 4, 5],
}


def main(customers: int, seeds: list[int]) -> None:
    """Print the AUC of each set of features."""
    rows = [
        (number % 2, *row)
        for seed in seeds
        for number in range(customers)
        for row in landmarks(seed, number)
    ]
    table = np.array(rows, float)
    odd, churned, x = table[:, 0] == 1, table[:, 1], table[:, 2:]
    print(f"{len(rows):,} customers at month ends, {int(churned.sum())} churned; seeds {seeds}")
    for name, columns in KNOWN.items():
        chosen = (x[:, columns] - x[:, columns].mean(0)) / x[:, columns].std(0)
        model = LogisticRegression().fit(chosen[~odd], churned[~odd])
        auc = roc_auc_score(churned[odd], model.predict_proba(chosen[odd])[:, 1])
        print(f"{name:40} AUC {auc:.3f}")


def landmarks(seed: int, number: int) -> list[tuple[Any, ...]]:
    """Return (churned, satisfaction, segments, days to term end, due) at each paid month end."""
    clock = Clock(START)
    life = Life(seed, number, clock, Roster(seed))
    life.run(DAYS)
    found = []
    for (month, _), amount in life.truth.mrr.items():
        at = clock.midnight((month - START).days + 1)
        terms = [c for c in life.billing.contracts if c.start <= at < (c.ended_at or at + 1)]
        gaps = [(c.ended_on - month).days for c in life.truth.churns if c.ended_on > month]
        gap = min(gaps, default=HORIZON + 1)
        if not amount or not terms or not FIRST <= month <= LAST or gap <= LEAD:
            continue
        periods = 0
        while add_months(terms[0].anchor, periods) < at:
            periods += terms[0].months
        ends = (add_months(terms[0].anchor, periods) - at) / DAY
        segments = [life.profile.segment == name for name in SEGMENTS]
        bound = min(ends, LEAD + HORIZON)
        satisfaction = life.truth.satisfaction[month]
        found.append((gap <= HORIZON, satisfaction, *segments, bound, LEAD < ends <= HORIZON))
    return found


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    main(numbers[0] if numbers else 600, numbers[1:] or [7])
