"""What the warehouse depends on in Stripe's objects; amounts are in minor units."""

from __future__ import annotations

from retention.sources.contracts.fields import (
    Amount,
    Currency,
    Document,
    Id,
    MaybeAmount,
    Moment,
    Number,
)


class Customer(Document):
    id: Id
    created: Moment
    currency: Currency | None = None
    metadata: dict[str, str | None] | None = None


class Price(Document):
    currency: Currency
    unit_amount: MaybeAmount = None
    unit_amount_decimal: MaybeAmount = None


class Item(Document):
    id: Id
    price: Price
    quantity: MaybeAmount = None


class ItemList(Document):
    data: list[Item]


class Subscription(Document):
    id: Id
    customer: Id
    status: str
    created: Moment
    start_date: Moment
    currency: Currency
    current_period_start: Moment | None = None
    current_period_end: Moment | None = None
    trial_end: Moment | None = None
    cancel_at: Moment | None = None
    canceled_at: Moment | None = None
    ended_at: Moment | None = None
    items: ItemList


class Period(Document):
    start: Moment
    end: Moment


class Line(Document):
    """``amount`` may be negative: a credit for the unused part of a period."""

    id: Id
    amount: Number
    currency: Currency
    period: Period
    price: Price | None = None
    quantity: MaybeAmount = None


class LineList(Document):
    data: list[Line]


class Invoice(Document):
    """``total`` may be negative: what the customer is owed goes to its balance."""

    id: Id
    customer: Id
    status: str | None = None
    created: Moment
    currency: Currency
    total: Number
    amount_due: Amount
    amount_paid: Amount
    due_date: Moment | None = None
    lines: LineList
