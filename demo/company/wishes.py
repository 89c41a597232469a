"""Simulate changes that a paying customer wants: seats, modules, plans, a pause."""

from __future__ import annotations

from functools import partial

from demo.company import catalogue
from demo.company.billing import Billing
from demo.company.changes import NEXT_PLAN, PREVIOUS_PLAN, Change, seat_item
from demo.company.clock import HOUR
from demo.company.contract import Contract
from demo.company.customer import Customer
from demo.company.deals import Deals

DAYS = 30.4
# wish -> chance in a month at a mood of 7, and how a point of mood changes it
WISHES = {
    "more_seats": (0.062, 1.35), "fewer_seats": (0.014, 0.65), "add_module": (0.016, 1.25),
    "drop_module": (0.007, 0.70), "upgrade": (0.003, 1.30), "downgrade": (0.002, 0.60),
    "yearly": (0.010, 1.15), "pause": (0.005, 0.75), "discount": (0.008, 0.55),
}  # fmt: skip


class Wishes:
    """At most one wish a day, drawn by how content the customer is."""

    def __init__(self, customer: Customer, billing: Billing, deals: Deals) -> None:
        self.customer, self.billing, self.deals = customer, billing, deals
        self.rng = customer.streams["deals"]

    def step(self, day: int) -> None:
        """Draw a wish and hand it on: small customers help themselves, larger ones negotiate."""
        draw = self.rng.random()
        contract = self.customer.contract
        if contract is None or contract.status != "active" or contract.cancel_at_period_end:
            return
        above = self.customer.mood.value - 7.0
        for wish, (rate, slope) in WISHES.items():
            draw -= rate / DAYS * slope**above
            if draw < 0:
                # Through the agenda, so that the changes of one day keep their order.
                at = self.customer.office(day, self.rng)
                self.customer.agenda.at(at, partial(self.act, wish, contract))
                return

    def act(self, wish: str, contract: Contract, at: int) -> None:
        """Turn a wish into a change, if it makes sense for this customer."""
        billing, seats = self.billing, seat_item(contract)
        if contract is not self.customer.contract:
            return
        if wish == "pause":
            if contract.months == 1 and contract.paused_until is None:
                billing.pause_next = 1 + int(self.rng.random() * 3)
        elif wish == "discount":
            billing.coupon_next = catalogue.PERCENT_COUPONS["stay30"]
        elif wish == "yearly":
            if contract.months == 1 and self.customer.profile.segment != "Enterprise":
                billing.request(Change("yearly", at_boundary=True), at)
        else:
            self.act_on_items(wish, contract, seats.quantity, at)

    def act_on_items(self, wish: str, contract: Contract, seats: int, at: int) -> None:
        """Seats, modules and plans."""
        later = self.rng.random() < 0.5
        if wish == "more_seats":
            more = max(1, round(seats * (0.06 + 0.22 * self.rng.random())))
            self.expand(Change("seats", more), at)
        elif wish == "fewer_seats":
            fewer = max(1, round(seats * (0.08 + 0.25 * self.rng.random())))
            self.billing.request(Change("seats", -fewer, at_boundary=later), at)
        elif wish == "add_module":
            pick = catalogue.MODULES[int(self.rng.random() * len(catalogue.MODULES))]
            self.expand(Change("add", product=pick), at)
        elif wish == "drop_module":
            owned = [i.price.product for i in contract.items.values()]
            modules = [product for product in owned if product in catalogue.MODULES]
            if modules:
                pick = modules[int(self.rng.random() * len(modules))]
                self.billing.request(Change("drop", product=pick, at_boundary=later), at)
        else:
            self.change_plan(wish, contract, at)

    def change_plan(self, wish: str, contract: Contract, at: int) -> None:
        plan = seat_item(contract).price.product.removesuffix("_seat")
        if wish == "upgrade" and plan in NEXT_PLAN:
            self.expand(Change("plan", product=NEXT_PLAN[plan]), at)
        elif wish == "downgrade" and plan in PREVIOUS_PLAN:
            change = Change("plan", product=PREVIOUS_PLAN[plan], at_boundary=True)
            self.billing.request(change, at)

    def expand(self, change: Change, at: int) -> None:
        """Buy more: larger customers through a deal; some take part back the same day."""
        if self.customer.profile.segment != "SMB":
            self.deals.expansion(change, at)
            return
        self.billing.request(change, at)
        if change.kind == "seats" and change.seats > 1 and self.rng.random() < 0.06:
            back = Change("seats", -max(1, change.seats // 2))
            self.customer.agenda.at(at + 2 * HOUR, lambda t: self.billing.request(back, t))
