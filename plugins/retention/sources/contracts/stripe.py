"""Contracts of Stripe objects; amounts are in minor units.

Fields are null where Stripe's API reference calls them nullable, or older API versions left
them out.
"""

from __future__ import annotations

from retention.sources.contracts.fields import (
    Currency,
    Document,
    Epoch,
    Flag,
    Id,
    Interval,
    Minor,
    Percent,
    Quantity,
    UnitAmount,
    Whole,
)


class Customer(Document):
    id: Id
    created: Epoch
    currency: Currency | None = None
    delinquent: Flag | None = None
    metadata: dict[str, str | None] | None = None


class Recurring(Document):
    interval_count: Interval | None = None


class Price(Document):
    """A price. ``unit_amount`` is null for tiers and for fractions of a cent."""

    currency: Currency
    unit_amount: UnitAmount | None = None
    unit_amount_decimal: UnitAmount | None = None
    recurring: Recurring | None = None


class Item(Document):
    """An item of a subscription; a metered price has no quantity."""

    id: Id
    price: Price
    quantity: Quantity | None = None


class ItemList(Document):
    data: list[Item]


class Subscription(Document):
    id: Id
    customer: Id
    status: str
    created: Epoch
    start_date: Epoch
    currency: Currency
    current_period_start: Epoch | None = None
    current_period_end: Epoch | None = None
    cancel_at_period_end: Flag | None = None
    trial_end: Epoch | None = None
    cancel_at: Epoch | None = None
    canceled_at: Epoch | None = None
    ended_at: Epoch | None = None
    items: ItemList


class Period(Document):
    start: Epoch
    end: Epoch


class DiscountAmount(Document):
    amount: Minor


class TaxAmount(Document):
    amount: Minor
    inclusive: Flag | None = None


class Line(Document):
    """An invoice line. ``amount`` is negative for a credit of unused time."""

    id: Id
    amount: Minor
    currency: Currency
    period: Period
    price: Price | None = None
    proration: Flag | None = None
    quantity: Minor | None = None
    discount_amounts: list[DiscountAmount] | None = None
    tax_amounts: list[TaxAmount] | None = None


class LineList(Document):
    data: list[Line]


class Coupon(Document):
    percent_off: Percent | None = None


class Discount(Document):
    coupon: Coupon | None = None


class StatusTransitions(Document):
    paid_at: Epoch | None = None
    marked_uncollectible_at: Epoch | None = None


class Invoice(Document):
    """An invoice. ``total`` is negative when the credit goes to the customer's balance."""

    id: Id
    customer: Id
    status: str | None = None
    created: Epoch
    currency: Currency
    total: Minor
    amount_due: Minor
    amount_paid: Minor
    amount_remaining: Minor | None = None
    attempt_count: Whole | None = None
    due_date: Epoch | None = None
    discount: Discount | None = None
    status_transitions: StatusTransitions | None = None
    lines: LineList
