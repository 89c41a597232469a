"""Simulate a customer's subscriptions: trials, periods, pauses, ends."""

from __future__ import annotations

from typing import Protocol

from demo.company import catalogue, changes
from demo.company.catalogue import Coupon
from demo.company.chance import weighted
from demo.company.clock import DAY, add_months
from demo.company.contract import Contract, Discount, Item, Line
from demo.company.customer import Customer
from demo.company.invoicing import Invoicing
from demo.company.people import People

QUIET = 2 * DAY  # no changes of a subscription this close to a period boundary


class Listener(Protocol):
    """Receives the events of a customer's subscription."""

    def paying(self, at: int) -> None:
        """Handle the first paid period of a subscription."""

    def term_begun(self, contract: Contract) -> None:
        """Handle the start of a period."""

    def why(self, contract: Contract) -> tuple[str, str]:
        """Return kind and reason of the cancellation that takes effect now."""

    def ended(self, at: int, kind: str, reason: str) -> None:
        """Handle the end of a subscription."""


class Billing:
    """Hold pending changes and run the billing periods of the customer's contract."""

    def __init__(self, customer: Customer, people: People, listener: Listener) -> None:
        self.customer, self.people, self.listener = customer, people, listener
        self.rng = customer.streams["billing"]
        self.invoicing = Invoicing(customer, self.end)
        self.pending: list[changes.Change] = []
        self.coupon_next: Coupon | None = None
        self.pause_next = 0

    def start(self, at: int, *, months: int, seats: int, trial_days: int) -> Contract:
        """Start a subscription, on trial or paid from the start."""
        profile = self.customer.profile
        trial_end = at + trial_days * DAY if trial_days else None
        contract = Contract(
            id=self.customer.key("sub"), anchor=trial_end or at, months=months,
            currency=profile.currency, by_invoice=profile.by_invoice and months == 12,
            start=at, trial_end=trial_end,
        )  # fmt: skip
        for product, quantity in changes.first_basket(self.customer, self.rng, seats):
            item = Item(
                self.customer.key("si"), self.customer.price(product, months, at), quantity, at
            )
            contract.items[item.id] = item
        self.customer.contract = contract
        self.customer.contracts.append(contract)
        if trial_end is None:
            self.first_coupon(contract, at)
            self.begin(contract, at, "subscription_create")
        else:
            self.begin_trial(contract, at, trial_end)
        return contract

    def begin_trial(self, contract: Contract, at: int, trial_end: int) -> None:
        contract.status = "trialing"
        contract.period_start, contract.period_end = at, trial_end
        lines = tuple(
            Line(
                self.customer.key("il"),
                item.price,
                item.quantity,
                0,
                0,
                at,
                trial_end,
                item.id,
                "trial",
            )
            for item in contract.items.values()
        )
        self.invoicing.issue(contract, at, lines, "subscription_create", at_once=True)
        self.customer.record(contract, at)
        self.customer.agenda.at(trial_end, lambda t: self.end_trial(contract, t))

    def end_trial(self, contract: Contract, at: int) -> None:
        """Convert the trial to a paid subscription, or end it unpaid."""
        chance = 0.62 + 0.06 * (self.customer.mood.value - 6.5)
        if self.rng.random() < chance:
            contract.status = "active"
            self.first_coupon(contract, at)
            self.begin(contract, at, "subscription_cycle")
        else:
            contract.canceled_at = at
            contract.cancel_reason = "cancellation_requested"
            self.end(contract, at, "trial", "trial_not_converted")

    def first_coupon(self, contract: Contract, at: int) -> None:
        """Give a coupon to two of five new customers, depending on currency and period."""
        if self.rng.random() > 0.42:
            return
        coupons = catalogue.PERCENT_COUPONS
        forever = [(coupons["partner10"], 2.0), (coupons["framework15"], 1.0)]
        monthly = [
            (coupons["welcome20"], 3.0), (coupons["launch50"], 2.0), (coupons["quarter25"], 2.0),
            (coupons["pilot100"], 0.8), (catalogue.fixed_coupon(contract.currency), 1.5),
        ]  # fmt: skip
        yearly = [(coupons["welcome20"], 1.0)]
        choices = forever + (monthly if contract.months == 1 else yearly)
        self.attach(contract, weighted(self.rng, choices), at)

    def attach(self, contract: Contract, coupon: Coupon, at: int) -> None:
        """Apply a coupon from this period boundary on."""
        left = {"once": 1, "forever": None}.get(coupon.duration, coupon.periods)
        end = None
        if coupon.duration == "repeating" and left:
            end = add_months(contract.anchor, contract.gone + left * contract.months)
        contract.discount = Discount(self.customer.key("di"), coupon, at, left, end)

    def begin(self, contract: Contract, at: int, reason: str) -> None:
        """Begin a period: invoice all of it and schedule its end."""
        contract.begin_period()
        start, end = contract.period_start, contract.period_end
        lines = changes.period_lines(self.customer, contract, start, end)
        if reason == "subscription_create" and self.customer.profile.segment != "SMB":
            lines += changes.onboarding_line(self.customer, contract, at)
        if contract.gone == contract.months:
            self.listener.paying(at)
        at_once = reason == "subscription_create"
        self.invoicing.issue(contract, at, lines, reason, at_once=at_once)
        self.customer.record(contract, at)
        self.listener.term_begun(contract)
        self.customer.agenda.at(end, lambda t: self.boundary(contract, t))

    def boundary(self, contract: Contract, at: int) -> None:
        """End the subscription at a period boundary, or apply pending changes and continue."""
        if contract.ended_at is not None:
            return
        if contract.cancel_at_period_end:
            self.end(contract, at, *self.listener.why(contract))
            return
        if contract.paused_until is not None and at >= contract.paused_until:
            contract.paused_until = None
            self.customer.quiet(at, None)
        if self.pause_next and contract.months == 1:
            contract.paused_until = add_months(contract.anchor, contract.gone + self.pause_next)
            self.pause_next = 0
            self.customer.quiet(at, 0.1)
        self.change_terms(contract, at)
        self.begin(contract, at, "subscription_cycle")

    def change_terms(self, contract: Contract, at: int) -> None:
        """Apply the pending changes, the new price list and the next coupon."""
        for change in self.pending:
            changes.apply(self.customer, contract, change, at)
            if change.kind != "yearly":
                self.fit_seats(contract, at)
        self.pending.clear()
        if changes.raise_prices(self.customer, contract, at):
            self.customer.mood.shock(-0.2 - 0.8 * self.rng.random())
        if contract.discount and contract.discount.left == 0:
            contract.discount = None
        if self.coupon_next and contract.discount is None and contract.months == 1:
            self.attach(contract, self.coupon_next, at)
        self.coupon_next = None

    def can_change(self, at: int) -> bool:
        """Return whether the subscription can be changed now, in mid-period."""
        contract = self.customer.contract
        return (
            contract is not None
            and contract.status == "active"
            and not contract.cancel_at_period_end
            and contract.paused_until is None
            and not contract.fixed_off
            and contract.percent_now() < 100
            and not self.invoicing.unpaid
            and contract.period_start + QUIET < at < contract.period_end - QUIET
        )

    def request(self, change: changes.Change, at: int) -> None:
        """Change the subscription now with proration, or else at the next boundary."""
        contract = self.customer.contract
        if contract is None or contract.ended_at is not None:
            return
        if change.at_boundary or not self.can_change(at):
            self.pending.append(change)
        else:
            self.prorate(contract, change, at)

    def prorate(self, contract: Contract, change: changes.Change, at: int) -> None:
        """Change the items now and invoice the difference."""
        lines = changes.prorate(self.customer, contract, change, at)
        if lines is not None:
            self.invoicing.issue(contract, at, lines, "subscription_update", at_once=True)
            self.customer.record(contract, at)
            self.fit_seats(contract, at)

    def fit_seats(self, contract: Contract, at: int) -> None:
        self.people.fit_seats(at, changes.seat_item(contract).quantity)

    def cancel_at_end(self, at: int, reason: str) -> None:
        """Announce that the current period is the last."""
        contract = self.customer.contract
        if contract is None or contract.cancel_at_period_end or contract.ended_at is not None:
            return
        contract.cancel_at_period_end, contract.canceled_at = True, at
        contract.cancel_reason, contract.feedback = "cancellation_requested", reason
        self.customer.record(contract, at)

    def keep(self, at: int) -> None:
        """Revoke a cancellation before it takes effect."""
        contract = self.customer.contract
        if contract is not None and contract.cancel_at_period_end and contract.ended_at is None:
            contract.cancel_at_period_end, contract.canceled_at = False, None
            contract.cancel_reason, contract.feedback = None, None
            self.customer.record(contract, at)

    def cancel_now(self, at: int, kind: str, reason: str) -> None:
        """End in mid-period; unused time of a yearly term is credited."""
        contract = self.customer.contract
        if contract is None or not self.can_change(at):
            return
        if contract.months == 12:
            lines = changes.credit_lines(self.customer, contract, contract.items.values(), at)
            self.invoicing.issue(contract, at, lines, "subscription_update", at_once=True)
        contract.canceled_at = at
        contract.cancel_reason, contract.feedback = "cancellation_requested", reason
        self.end(contract, at, kind, reason)

    def end(self, contract: Contract, at: int, kind: str, reason: str) -> None:
        """End the subscription."""
        contract.status, contract.ended_at = "canceled", at
        self.customer.contract = None
        self.pending.clear()
        self.pause_next, self.coupon_next = 0, None
        self.customer.record(contract, at)
        self.listener.ended(at, kind, reason)
