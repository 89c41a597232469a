"""What the simulation yields: versions of vendor documents, and what is true behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

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

    ``kind`` is voluntary, involuntary (unpaid) or silent (left without any warning).
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
        """When the customer left, or None while (or again) a customer."""
        gone = len(self.churns) > len(self.reactivated_on)
        return self.churns[-1].ended_on if gone else None

    @property
    def left_without_warning(self) -> bool:
        """Whether the customer is gone although it seemed content."""
        return self.churned_on is not None and self.churns[-1].kind == "silent"
