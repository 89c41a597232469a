"""Read customer lifetimes: start, end and how each ended."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from retention.statistics.base import Inputs

DAYS_A_MONTH = 365.25 / 12
LIVES = """
    select segment, entry_days, duration_days, outcome
    from int_customer_lifetimes
    where duration_days > entry_days
    order by customer_id
"""


@dataclass(frozen=True)
class Life:
    """A lifetime from ``entry`` to ``end`` in days of age; ``outcome`` is how it ended."""

    entry: int
    end: int
    outcome: str

    @property
    def is_lost(self) -> bool:
        return self.outcome != "active"


def by_segment(inputs: Inputs) -> dict[str, list[Life]]:
    """Return the lifetimes of each segment and of ``all``; empty without paying customers."""
    found: dict[str, list[Life]] = defaultdict(list)
    for row in inputs.rows(LIVES):
        life = Life(row["entry_days"], row["duration_days"], row["outcome"])
        found["all"].append(life)
        found[row["segment"]].append(life)
    return dict(sorted(found.items()))
