"""The state of one subscription, and its MRR under the policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from demo.company.catalogue import MINOR, Coupon, Price
from demo.company.clock import add_months


@dataclass(slots=True)
class Item:
    """A price times a quantity; ``percent`` is the discount in effect on it at present."""

    id: str
    price: Price
    quantity: int
    since: int
    percent: int = 0


@dataclass(slots=True)
class Discount:
    """A coupon applied to the subscription; ``left`` counts billing periods, None for ever."""

    id: str
    coupon: Coupon
    start: int
    left: int | None
    end: int | None = None


@dataclass(slots=True)
class Contract:
    """A subscription: periods count from ``anchor``, and ``gone`` months have been begun."""

    id: str
    anchor: int
    months: int
    currency: str
    by_invoice: bool
    start: int
    gone: int = 0
    period_start: int = 0
    period_end: int = 0
    trial_end: int | None = None
    items: dict[str, Item] = field(default_factory=dict)
    discount: Discount | None = None
    fixed_off: int = 0
    status: str = "active"
    paused_until: int | None = None
    cancel_at_period_end: bool = False
    canceled_at: int | None = None
    ended_at: int | None = None
    feedback: str | None = None
    cancel_reason: str | None = None
    latest_invoice: str | None = None
    billed: dict[str, tuple[str, str]] = field(default_factory=dict)  # item -> invoice, line

    def begin_period(self) -> None:
        """Start the next billing period; drop a discount whose periods are over."""
        self.period_start = add_months(self.anchor, self.gone)
        self.gone += self.months
        self.period_end = add_months(self.anchor, self.gone)
        if self.discount and self.discount.left == 0:
            self.discount = None
        percent, self.fixed_off = 0, 0
        if self.discount:
            percent = self.discount.coupon.percent_off or 0
            self.fixed_off = self.discount.coupon.amount_off or 0
            if self.discount.left is not None:
                self.discount.left -= 1
        for item in self.items.values():
            item.percent = percent

    def percent_now(self) -> int:
        """The percentage that a change in mid-period gets; a coupon used once is used up."""
        if self.discount is None or self.discount.coupon.duration == "once":
            return 0
        return self.discount.coupon.percent_off or 0

    def is_paid(self, at: int) -> bool:
        """Return whether it counts just before ``at``: begun, not on trial, paused or ended."""
        trial = self.trial_end is not None and self.trial_end >= at
        ended = self.ended_at is not None and self.ended_at < at
        return self.start < at and not trial and not ended and self.paused_until is None

    def mrr(self, at: int) -> Decimal:
        """Return the normalised monthly amount just before ``at``, net of discounts."""
        if not self.is_paid(at):
            return Decimal(0)
        cents = sum(
            item.price.unit_amount * item.quantity * (100 - item.percent) // 100
            for item in self.items.values()
        )
        monthly = Decimal(cents - self.fixed_off) / self.months
        return monthly / MINOR[self.currency]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an invoice; ``amount`` is before, ``discount`` the part taken off."""

    id: str
    price: Price
    quantity: int
    amount: int
    discount: int
    start: int
    end: int
    item_id: str | None = None
    kind: str = "regular"  # regular | trial | credit | debit | one_off
    credited: tuple[str, str] | None = None  # of a credit: the invoice and line it takes back
