"""Define the output of the simulation: document versions, usage events and the true state."""

from __future__ import annotations

import gc
import pickle
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """A document as the vendor's API shows it from ``at`` on, until the next version.

    ``deleted`` versions are what the vendor shows of a record that was archived or removed.
    Documents share parts with one another; readers must not change them.
    """

    at: datetime
    doc: Doc
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Churn:
    """The end of a paid relationship, at ``ended_on`` (UTC date of the subscription's end).

    ``kind`` is voluntary, involuntary (unpaid) or silent (without any warning).
    """

    ended_on: date
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class NpsAnswer:
    """One completed answer to the recommendation question."""

    answered_at: datetime
    response_id: str
    contact_id: str
    role: str
    score: int


@dataclass(slots=True)
class CustomerTruth:
    """What is true of one customer, whatever the documents let one see.

    ``mrr`` holds every month end from the first subscription on, zero included, under the
    policy written in ``demo.company``. ``satisfaction`` is 0 to 10, at month ends.
    """

    company_id: str
    name: str
    segment: str
    industry: str
    country: str
    stripe_customer_id: str
    currency: str
    first_paid_on: date | None = None
    mrr: dict[tuple[date, str], Decimal] = field(default_factory=dict)
    satisfaction: dict[date, float] = field(default_factory=dict)
    churns: list[Churn] = field(default_factory=list)
    reactivated_on: list[date] = field(default_factory=list)
    nps: list[NpsAnswer] = field(default_factory=list)

    @property
    def churned_on(self) -> date | None:
        """Return the churn date, or None while the customer is active (again)."""
        gone = len(self.churns) > len(self.reactivated_on)
        return self.churns[-1].ended_on if gone else None

    @property
    def left_without_warning(self) -> bool:
        """Return whether the customer churned silently."""
        return self.churned_on is not None and self.churns[-1].kind == "silent"


Records = dict[tuple[str, str], dict[str, list[Version]]]


@dataclass(slots=True)
class World:
    """The whole demo company up to the end of day ``start + days - 1``.

    ``records[vendor, stream][id]`` lists versions in time order. ``events`` has one row per
    usage event received, re-sent ones included.
    """

    seed: int
    customers: int
    start: date
    days: int
    records: Records
    events: pa.Table
    truth: dict[str, CustomerTruth]

    def visible(self, vendor: str, stream: str, at: datetime) -> dict[str, Version]:
        """The newest version before ``at`` of each record, deleted ones included."""
        seen = {}
        for record_id, versions in self.records[vendor, stream].items():
            newest = next((v for v in reversed(versions) if v.at < at), None)
            if newest is not None:
                seen[record_id] = newest
        return seen

    def save(self, path: Path) -> None:
        """Write the world atomically."""
        draft = path.with_suffix(path.suffix + ".part")
        with draft.open("wb") as file:
            pickle.dump(self, file, protocol=5)
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> World:
        """Read what ``save`` wrote; only load files of your own."""
        # Millions of small objects without cycles: garbage collection would double the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            with path.open("rb") as file:
                world = pickle.load(file)  # noqa: S301
        finally:
            if collecting:
                gc.enable()
        if not isinstance(world, cls):
            raise TypeError(f"{path} does not hold a World")
        return world
