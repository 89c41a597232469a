"""Apply changes to a subscription and compute the resulting invoice lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

from demo.company.catalogue import MODULES, ONBOARDING, PLATFORM, RISE_DAY, price_of
from demo.company.contract import Contract, Item, Line
from demo.company.customer import Customer

Pair = tuple[Item | None, Item | None]
NEXT_PLAN = {"essentials": "growth", "growth": "scale"}
PREVIOUS_PLAN = {"growth": "essentials", "scale": "growth"}
MODULE_COUNT = {"SMB": (0, 1), "Mid-Market": (0, 4), "Enterprise": (2, 12)}


@dataclass(frozen=True, slots=True)
class Change:
    """A requested change: seats, add, drop, plan or yearly."""

    kind: str
    seats: int = 0
    product: str = ""
    at_boundary: bool = False


def first_basket(customer: Customer, rng: Random, seats: int) -> list[tuple[str, int]]:
    """Return seats, the platform fee of the plan, and some modules."""
    plan = customer.profile.plan
    basket = [(f"{plan}_seat", seats)]
    if plan in PLATFORM:
        basket.append((PLATFORM[plan], 1))
    low, high = MODULE_COUNT[customer.profile.segment]
    wanted = set(rng.sample(MODULES, rng.randint(low, high)))
    return basket + [(m, 1 + (m == "api_pack")) for m in MODULES if m in wanted]


def seat_item(contract: Contract) -> Item:
    """Return the item that counts seats."""
    return next(i for i in contract.items.values() if i.price.product.endswith("_seat"))


def resolve(customer: Customer, contract: Contract, change: Change, at: int) -> list[Pair]:
    """Return the items before and after; empty if the change no longer applies."""
    seats = seat_item(contract)
    if change.kind == "seats":
        quantity = max(3, seats.quantity + change.seats)
        return [] if quantity == seats.quantity else [(seats, replace(seats, quantity=quantity))]
    if change.kind == "add":
        taken = {item.price.product for item in contract.items.values()}
        return (
            []
            if change.product in taken
            else [(None, new_item(customer, contract, change.product, at))]
        )
    if change.kind == "drop":
        found = [i for i in contract.items.values() if i.price.product == change.product]
        return [(item, None) for item in found]
    if change.kind == "plan":
        return resolve_plan(customer, contract, change.product, at)
    return []


def resolve_plan(customer: Customer, contract: Contract, plan: str, at: int) -> list[Pair]:
    """Move the seats to another plan's price and swap the platform fee."""
    seats = seat_item(contract)
    product = f"{plan}_seat"
    if seats.price.product == product:
        return []
    pairs: list[Pair] = [
        (seats, replace(seats, price=customer.price(product, contract.months, at)))
    ]
    fees = [i for i in contract.items.values() if i.price.product in PLATFORM.values()]
    pairs += [(item, None) for item in fees]
    if plan in PLATFORM:
        pairs.append((None, new_item(customer, contract, PLATFORM[plan], at)))
    return pairs


def new_item(customer: Customer, contract: Contract, product: str, at: int) -> Item:
    """Return a new item of the subscription."""
    return Item(customer.key("si"), customer.price(product, contract.months, at), 1, at)


def commit(contract: Contract, pairs: list[Pair]) -> None:
    """Replace the old items by the new ones."""
    for old, new in pairs:
        if new is None and old is not None:
            del contract.items[old.id]
        elif new is not None:
            contract.items[new.id] = new


def apply(customer: Customer, contract: Contract, change: Change, at: int) -> None:
    """Change the items at a period boundary, where no proration is needed."""
    if change.kind != "yearly":
        commit(contract, resolve(customer, contract, change, at))
        return
    lasting = contract.discount is None or contract.discount.left is None
    if contract.months == 1 and lasting:
        contract.months = 12
        contract.by_invoice = False
        for item in contract.items.values():
            item.price = customer.price(item.price.product, contract.months, at)


def raise_prices(customer: Customer, contract: Contract, at: int) -> bool:
    """Apply the new price list at the first boundary after the notice; True if prices rose."""
    notice = 0 if contract.months == 12 else 60
    due = customer.clock.day_of(at) >= RISE_DAY + notice
    old = [item for item in contract.items.values() if item.price.generation == 0]
    if not due or not old:
        return False
    for item in old:
        price = item.price
        item.price = price_of(price.product, price.currency, contract.months, 1)
    return True


def prorate(
    customer: Customer, contract: Contract, change: Change, at: int
) -> tuple[Line, ...] | None:
    """Change the items now and return the credit and debit lines; None if nothing changes."""
    pairs = resolve(customer, contract, change, at)
    if not pairs:
        return None
    percent = contract.percent_now()
    for _, new in pairs:
        if new is not None:
            new.percent = percent
    lines = credit_lines(customer, contract, [old for old, _ in pairs if old is not None], at)
    lines += debit_lines(customer, contract, [new for _, new in pairs if new is not None], at)
    commit(contract, pairs)
    return lines


def credit_lines(
    customer: Customer, contract: Contract, items: Iterable[Item], at: int
) -> tuple[Line, ...]:
    """Return lines for unused time, net of its discount."""
    left = (contract.period_end - at) / (contract.period_end - contract.period_start)
    lines = []
    for item in items:
        paid = item.price.unit_amount * item.quantity * (100 - item.percent) // 100
        line = Line(
            customer.key("il"), item.price, item.quantity, -round(paid * left), 0, at,
            contract.period_end, item.id, "credit", contract.billed[item.id],
        )  # fmt: skip
        lines.append(line)
    return tuple(lines)


def debit_lines(
    customer: Customer, contract: Contract, items: Iterable[Item], at: int
) -> tuple[Line, ...]:
    """Return lines for the remaining time, with the discount on the line."""
    left = (contract.period_end - at) / (contract.period_end - contract.period_start)
    lines = []
    for item in items:
        amount = round(item.price.unit_amount * item.quantity * left)
        line = Line(
            customer.key("il"), item.price, item.quantity, amount,
            round(amount * item.percent / 100), at, contract.period_end, item.id, "debit",
        )  # fmt: skip
        lines.append(line)
    return tuple(lines)


def period_lines(customer: Customer, contract: Contract, start: int, end: int) -> tuple[Line, ...]:
    """Return lines for a whole period; a fixed discount is distributed by amount."""
    items = list(contract.items.values())
    amounts = [item.price.unit_amount * item.quantity for item in items]
    contract.fixed_off = min(contract.fixed_off, sum(amounts))
    shares = share_out(contract.fixed_off, amounts)
    return tuple(
        Line(
            customer.key("il"), item.price, item.quantity, amount,
            share or amount * item.percent // 100, start, end, item.id,
        )
        for item, amount, share in zip(items, amounts, shares, strict=True)
    )  # fmt: skip


def share_out(total: int, amounts: list[int]) -> list[int]:
    """Distribute in whole minor units; the last share takes the rounding difference."""
    shares = [total * amount // sum(amounts) for amount in amounts]
    shares[-1] += total - sum(shares)
    return shares


def onboarding_line(customer: Customer, contract: Contract, at: int) -> tuple[Line, ...]:
    """Return the one-off fee on the first invoice of larger customers."""
    price = price_of(ONBOARDING[0], contract.currency, 0, 0)
    line = Line(customer.key("il"), price, 1, price.unit_amount, 0, at, at, None, "one_off")
    return (line,)
