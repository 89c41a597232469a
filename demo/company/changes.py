"""Changes to a subscription and the invoice lines that follow from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from demo.company.catalogue import MODULES, ONBOARDING, PLATFORM, RISE_DAY, price_of
from demo.company.contract import Contract, Item, Line

if TYPE_CHECKING:
    from demo.company.billing import Billing
    from demo.company.life import Life

Pair = tuple[Item | None, Item | None]
NEXT_PLAN = {"essentials": "growth", "growth": "scale"}
PREVIOUS_PLAN = {"growth": "essentials", "scale": "growth"}
MODULE_COUNT = {"SMB": (0, 1), "Mid-Market": (0, 4), "Enterprise": (2, 12)}


@dataclass(frozen=True, slots=True)
class Change:
    """What a customer asks for: seats, add, drop, plan or yearly."""

    kind: str
    seats: int = 0
    product: str = ""
    at_boundary: bool = False


def first_basket(life: Life, rng: Random, seats: int) -> list[tuple[str, int]]:
    """Seats, the platform fee of the plan, and some modules."""
    plan = life.profile.plan
    basket = [(f"{plan}_seat", seats)]
    if plan in PLATFORM:
        basket.append((PLATFORM[plan], 1))
    low, high = MODULE_COUNT[life.profile.segment]
    wanted = set(rng.sample(MODULES, rng.randint(low, high)))
    return basket + [(m, 1 + (m == "api_pack")) for m in MODULES if m in wanted]


def seat_item(contract: Contract) -> Item:
    """The item that counts seats."""
    return next(i for i in contract.items.values() if i.price.product.endswith("_seat"))


def resolve(billing: Billing, contract: Contract, change: Change, at: int) -> list[Pair]:
    """The items before and after; empty when the change no longer makes sense."""
    seats = seat_item(contract)
    if change.kind == "seats":
        quantity = max(3, seats.quantity + change.seats)
        return [] if quantity == seats.quantity else [(seats, replace(seats, quantity=quantity))]
    if change.kind == "add":
        taken = {item.price.product for item in contract.items.values()}
        return (
            []
            if change.product in taken
            else [(None, new_item(billing, contract, change.product, at))]
        )
    if change.kind == "drop":
        found = [i for i in contract.items.values() if i.price.product == change.product]
        return [(item, None) for item in found]
    if change.kind == "plan":
        return resolve_plan(billing, contract, change.product, at)
    return []


def resolve_plan(billing: Billing, contract: Contract, plan: str, at: int) -> list[Pair]:
    """Move the seats to another plan's price and swap the platform fee."""
    seats = seat_item(contract)
    product = f"{plan}_seat"
    if seats.price.product == product:
        return []
    pairs: list[Pair] = [(seats, replace(seats, price=billing.price(product, contract.months, at)))]
    fees = [i for i in contract.items.values() if i.price.product in PLATFORM.values()]
    pairs += [(item, None) for item in fees]
    if plan in PLATFORM:
        pairs.append((None, new_item(billing, contract, PLATFORM[plan], at)))
    return pairs


def new_item(billing: Billing, contract: Contract, product: str, at: int) -> Item:
    """An item that joins the subscription."""
    return Item(billing.key("si"), billing.price(product, contract.months, at), 1, at)


def commit(contract: Contract, pairs: list[Pair]) -> None:
    """Put the new items in the place of the old."""
    for old, new in pairs:
        if new is None and old is not None:
            del contract.items[old.id]
        elif new is not None:
            contract.items[new.id] = new


def apply(billing: Billing, contract: Contract, change: Change, at: int) -> None:
    """Change the items at a period boundary, where nothing needs proration."""
    if change.kind == "yearly":
        lasting = contract.discount is None or contract.discount.left is None
        if contract.months == 1 and lasting:
            contract.months = 12
            contract.by_invoice = False
            reprice(billing, contract, at)
        return
    commit(contract, resolve(billing, contract, change, at))
    billing.life.people.fit_seats(at, seat_item(contract).quantity)


def reprice(billing: Billing, contract: Contract, at: int) -> None:
    for item in contract.items.values():
        item.price = billing.price(item.price.product, contract.months, at)


def raise_prices(billing: Billing, contract: Contract, at: int) -> None:
    """The new price list reaches a customer at the first boundary after the notice."""
    notice = 0 if contract.months == 12 else 60
    due = billing.life.clock.day_of(at) >= RISE_DAY + notice
    old = [item for item in contract.items.values() if item.price.generation == 0]
    if not due or not old:
        return
    for item in old:
        price = item.price
        item.price = price_of(price.product, price.currency, contract.months, 1)
    billing.life.mood.shock(-0.2 - 0.8 * billing.rng.random())


def prorate(billing: Billing, contract: Contract, change: Change, at: int) -> None:
    """Change the items now: credit what is left of the old, debit what is left of the new."""
    pairs = resolve(billing, contract, change, at)
    if not pairs:
        return
    percent = contract.percent_now()
    for _, new in pairs:
        if new is not None:
            new.percent = percent
    lines = credit_lines(billing, contract, [old for old, _ in pairs if old is not None], at)
    lines += debit_lines(billing, contract, [new for _, new in pairs if new is not None], at)
    commit(contract, pairs)
    billing.invoicing.issue(contract, at, lines, "subscription_update", at_once=True)
    billing.snapshot(contract, at)
    billing.life.people.fit_seats(at, seat_item(contract).quantity)


def credit_lines(
    billing: Billing, contract: Contract, items: Iterable[Item], at: int
) -> tuple[Line, ...]:
    """Unused time, net of the discount that was on it."""
    left = (contract.period_end - at) / (contract.period_end - contract.period_start)
    lines = []
    for item in items:
        paid = item.price.unit_amount * item.quantity * (100 - item.percent) // 100
        line = Line(
            billing.key("il"), item.price, item.quantity, -round(paid * left), 0, at,
            contract.period_end, item.id, "credit", contract.billed[item.id],
        )  # fmt: skip
        lines.append(line)
    return tuple(lines)


def debit_lines(
    billing: Billing, contract: Contract, items: Iterable[Item], at: int
) -> tuple[Line, ...]:
    """Remaining time, with the discount shown on the line."""
    left = (contract.period_end - at) / (contract.period_end - contract.period_start)
    lines = []
    for item in items:
        amount = round(item.price.unit_amount * item.quantity * left)
        line = Line(
            billing.key("il"), item.price, item.quantity, amount,
            round(amount * item.percent / 100), at, contract.period_end, item.id, "debit",
        )  # fmt: skip
        lines.append(line)
    return tuple(lines)


def period_lines(billing: Billing, contract: Contract, start: int, end: int) -> tuple[Line, ...]:
    """A whole period of every item; a fixed discount is shared out by amount."""
    items = list(contract.items.values())
    amounts = [item.price.unit_amount * item.quantity for item in items]
    contract.fixed_off = min(contract.fixed_off, sum(amounts))
    shares = share_out(contract.fixed_off, amounts)
    return tuple(
        Line(
            billing.key("il"), item.price, item.quantity, amount,
            share or amount * item.percent // 100, start, end, item.id,
        )
        for item, amount, share in zip(items, amounts, shares, strict=True)
    )  # fmt: skip


def share_out(total: int, amounts: list[int]) -> list[int]:
    """Whole minor units in proportion; the last takes what rounding left."""
    shares = [total * amount // sum(amounts) for amount in amounts]
    shares[-1] += total - sum(shares)
    return shares


def onboarding_line(billing: Billing, contract: Contract, at: int) -> tuple[Line, ...]:
    """The one-off fee that larger customers pay with their first invoice."""
    price = price_of(ONBOARDING[0], contract.currency, 0, 0)
    line = Line(billing.key("il"), price, 1, price.unit_amount, 0, at, at, None, "one_off")
    return (line,)
