"""Neutral facts as Stripe documents, and the stream of events that tells of every version.

The shapes are those of API version 2025-02-24.acacia. Nested lists (``lines``, ``items``) are
whole here; a server cuts them at ten and says so with ``has_more``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from demo.company import stripe_billing, stripe_money
from demo.company.catalogue import (
    PERCENT_COUPONS,
    PRODUCTS,
    RATES,
    RISE_DAY,
    Coupon,
    all_prices,
    fixed_coupon,
)
from demo.company.chance import token
from demo.company.clock import DAY, Clock, as_datetime
from demo.company.customer import Customer
from demo.company.facts import State, states
from demo.company.versions import Doc, Records, Version

API_VERSION = "2025-02-24.acacia"
OPENED = -520  # the day on which the company put its prices into Stripe
Shape = Callable[[Customer, str, State], Doc]

# stream -> (kind of fact, shape, noun of its events)
SHAPES: dict[str, tuple[str, Shape, str]] = {
    "customers": ("customer", stripe_money.customer, "customer"),
    "subscriptions": ("subscription", stripe_billing.subscription, "customer.subscription"),
    "invoices": ("invoice", stripe_billing.invoice, "invoice"),
    "charges": ("charge", stripe_money.charge, "charge"),
    "refunds": ("refund", stripe_money.refund, "refund"),
}


def render(records: Records, customers: Sequence[Customer], clock: Clock, days: int) -> None:
    """Add all Stripe streams to the records."""
    until = clock.midnight(days)
    for stream in (*SHAPES, "products", "prices", "coupons", "events"):
        records["stripe", stream] = {}
    add_catalogue(records, clock, until)
    for customer in customers:
        for stream, (kind, shape, noun) in SHAPES.items():
            for key, steps in customer.facts.of(kind).items():
                found = [
                    Version(
                        as_datetime(at), shape(customer, key, state), bool(state.get("removed"))
                    )
                    for at, state in states(steps, until)
                ]
                add(records, stream, key, found, noun)


def add(records: Records, stream: str, key: str, found: list[Version], noun: str) -> None:
    """Keep the versions and, for each, the event that Stripe sends."""
    if not found:
        return
    records["stripe", stream][key] = found
    before: Version | None = None
    for place, version in enumerate(found):
        event = event_of(key, place, version, before, noun)
        records["stripe", "events"][event["id"]] = [Version(version.at, event)]
        before = version


def event_of(key: str, place: int, version: Version, before: Version | None, noun: str) -> Doc:
    """The event with the object's snapshot and, for an update, what it was before."""
    data: Doc = {"object": version.doc}
    if before is None:
        action = (
            "succeeded"
            if noun == "charge" and version.doc["status"] == "succeeded"
            else ("failed" if noun == "charge" else "created")
        )
    else:
        action = action_of(noun, before.doc, version.doc, deleted=version.deleted)
        changed = {k: v for k, v in before.doc.items() if version.doc.get(k) != v}
        if changed and not version.deleted:
            data["previous_attributes"] = changed
    return {
        "id": f"evt_1{token(23, key, place)}", "object": "event", "api_version": API_VERSION,
        "created": int(version.at.timestamp()), "data": data, "livemode": False,
        "pending_webhooks": 0, "request": {"id": None, "idempotency_key": None},
        "type": f"{noun}.{action}",
    }  # fmt: skip


def action_of(noun: str, before: Doc, after: Doc, *, deleted: bool) -> str:
    """The last word of the event's type."""
    if deleted:
        return "deleted"
    if noun == "charge":
        return "refunded"
    if noun == "customer.subscription":
        return "deleted" if after["status"] == "canceled" else "updated"
    if noun == "invoice" and before["status"] != after["status"]:
        return {
            "open": "finalized", "paid": "paid", "void": "voided",
            "uncollectible": "marked_uncollectible",
        }[after["status"]]  # fmt: skip
    if noun == "invoice" and after["attempt_count"] > before["attempt_count"]:
        return "payment_failed"
    return "updated"


def add_catalogue(records: Records, clock: Clock, until: int) -> None:
    """Products, prices (the old list is archived when the new one comes) and coupons."""
    opened, risen = clock.midnight(OPENED) + 36_000, clock.midnight(RISE_DAY)
    for product in (*PRODUCTS, "onboarding"):
        doc = stripe_money.product(product, opened)
        add(records, "products", doc["id"], [Version(as_datetime(opened), doc)], "product")
    for price in all_prices():
        made = opened if price.generation == 0 else risen - 45 * DAY
        found = [Version(as_datetime(made), stripe_money.price(price, made, active=True))]
        if price.generation == 0 and price.months:
            found.append(Version(as_datetime(risen), stripe_money.price(price, made, active=False)))
        add(records, "prices", price.id, before(found, until), "price")
    for coupon in coupons():
        doc = stripe_money.coupon(coupon, opened)
        add(records, "coupons", coupon.id, [Version(as_datetime(opened), doc)], "coupon")


def before(found: Iterable[Version], until: int) -> list[Version]:
    """Those that happen within the history."""
    return [version for version in found if version.at < as_datetime(until)]


def coupons() -> list[Coupon]:
    """Every coupon on offer."""
    return [*PERCENT_COUPONS.values(), *(fixed_coupon(currency) for currency in RATES)]
