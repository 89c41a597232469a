"""A customer's subscriptions from the first day to the last: trials, periods, pauses, ends."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from demo.company import catalogue, changes
from demo.company.catalogue import Coupon, Price, price_of
from demo.company.chance import token, weighted
from demo.company.clock import DAY, add_months
from demo.company.contract import Contract, Discount, Item, Line
from demo.company.invoicing import Invoicing

if TYPE_CHECKING:
    from demo.company.life import Life

QUIET = 2 * DAY  # nobody changes a subscription this close to a period boundary


class Billing:
    """Owns the contract in force, those before it, and what waits for the next boundary."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.rng = life.streams["billing"]
        self.invoicing = Invoicing(life)
        self.contract: Contract | None = None
        self.contracts: list[Contract] = []
        self.pending: list[changes.Change] = []
        self.coupon_next: Coupon | None = None
        self.pause_next = 0
        self.counters = {"sub": 0, "si": 0, "il": 0, "di": 0}

    def key(self, prefix: str) -> str:
        """The next identifier of a kind, as Stripe would write it."""
        self.counters[prefix] += 1
        parts = (self.life.seed, prefix, self.life.index, self.counters[prefix])
        return f"{prefix}_1{token(23, *parts)}" if prefix != "si" else f"si_{token(14, *parts)}"

    def generation(self, at: int) -> int:
        """Which price list a new item gets."""
        return int(self.life.clock.day_of(at) >= catalogue.RISE_DAY)

    def price(self, product: str, months: int, at: int) -> Price:
        return price_of(product, self.life.profile.currency, months, self.generation(at))

    def start(self, at: int, *, months: int, seats: int, trial_days: int) -> Contract:
        """Subscribe, on trial or paid from the first moment."""
        profile = self.life.profile
        trial_end = at + trial_days * DAY if trial_days else None
        contract = Contract(
            id=self.key("sub"), anchor=trial_end or at, months=months, currency=profile.currency,
            by_invoice=profile.by_invoice and months == 12, start=at, trial_end=trial_end,
        )  # fmt: skip
        for product, quantity in changes.first_basket(self.life, self.rng, seats):
            item = Item(self.key("si"), self.price(product, months, at), quantity, at)
            contract.items[item.id] = item
        self.contract = contract
        self.contracts.append(contract)
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
            Line(self.key("il"), item.price, item.quantity, 0, 0, at, trial_end, item.id, "trial")
            for item in contract.items.values()
        )
        self.invoicing.issue(contract, at, lines, "subscription_create", at_once=True)
        self.snapshot(contract, at)
        self.life.agenda.at(trial_end, lambda t: self.end_trial(contract, t))

    def end_trial(self, contract: Contract, at: int) -> None:
        """Convert to a paid subscription, or stop without ever having paid."""
        chance = 0.62 + 0.06 * (self.life.mood.value - 6.5)
        if self.rng.random() < chance:
            contract.status = "active"
            self.first_coupon(contract, at)
            self.begin(contract, at, "subscription_cycle")
        else:
            contract.canceled_at = at
            contract.cancel_reason = "cancellation_requested"
            self.end(contract, at, "trial", "trial_not_converted")

    def first_coupon(self, contract: Contract, at: int) -> None:
        """Two of five new customers get some discount, by what they are."""
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
        contract.discount = Discount(self.key("di"), coupon, at, left, end)

    def begin(self, contract: Contract, at: int, reason: str) -> None:
        """Begin a period: invoice all of it, and come back when it is over."""
        contract.begin_period()
        start, end = contract.period_start, contract.period_end
        lines = changes.period_lines(self, contract, start, end)
        if reason == "subscription_create" and self.life.profile.segment != "SMB":
            lines += changes.onboarding_line(self, contract, at)
        if contract.gone == contract.months:
            self.life.paying(at)
        at_once = reason == "subscription_create"
        self.invoicing.issue(contract, at, lines, reason, at_once=at_once)
        self.snapshot(contract, at)
        self.life.deals.term_begun(contract)
        self.life.agenda.at(end, lambda t: self.boundary(contract, t))

    def boundary(self, contract: Contract, at: int) -> None:
        """The period is over: end, or take what waited for this moment into the next one."""
        if contract.ended_at is not None:
            return
        if contract.cancel_at_period_end:
            self.end(contract, at, *self.life.churn.why(contract))
            return
        if contract.paused_until is not None and at >= contract.paused_until:
            contract.paused_until = None
            self.life.quiet(at, None)
        if self.pause_next and contract.months == 1:
            contract.paused_until = add_months(contract.anchor, contract.gone + self.pause_next)
            self.pause_next = 0
            self.life.quiet(at, 0.1)
        for change in self.pending:
            changes.apply(self, contract, change, at)
        self.pending.clear()
        changes.raise_prices(self, contract, at)
        if contract.discount and contract.discount.left == 0:
            contract.discount = None
        if self.coupon_next and contract.discount is None and contract.months == 1:
            self.attach(contract, self.coupon_next, at)
        self.coupon_next = None
        self.begin(contract, at, "subscription_cycle")

    def can_change(self, at: int) -> bool:
        """Whether the subscription can be changed right now, in mid-period."""
        contract = self.contract
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
        contract = self.contract
        if contract is None or contract.ended_at is not None:
            return
        if change.at_boundary or not self.can_change(at):
            self.pending.append(change)
        else:
            changes.prorate(self, contract, change, at)

    def cancel_at_end(self, at: int, reason: str) -> None:
        """Announce that the current period is the last."""
        contract = self.contract
        if contract is None or contract.cancel_at_period_end or contract.ended_at is not None:
            return
        contract.cancel_at_period_end, contract.canceled_at = True, at
        contract.cancel_reason, contract.feedback = "cancellation_requested", reason
        self.snapshot(contract, at)

    def keep(self, at: int) -> None:
        """Take a cancellation back before it takes effect."""
        contract = self.contract
        if contract is not None and contract.cancel_at_period_end and contract.ended_at is None:
            contract.cancel_at_period_end, contract.canceled_at = False, None
            contract.cancel_reason, contract.feedback = None, None
            self.snapshot(contract, at)

    def cancel_now(self, at: int, kind: str, reason: str) -> None:
        """Stop in mid-period; what was paid for a year ahead is credited."""
        contract = self.contract
        if contract is None or not self.can_change(at):
            return
        if contract.months == 12:
            lines = changes.credit_lines(self, contract, contract.items.values(), at)
            self.invoicing.issue(contract, at, lines, "subscription_update", at_once=True)
        contract.canceled_at = at
        contract.cancel_reason, contract.feedback = "cancellation_requested", reason
        self.end(contract, at, kind, reason)

    def end(self, contract: Contract, at: int, kind: str, reason: str) -> None:
        """The subscription is over."""
        contract.status, contract.ended_at = "canceled", at
        self.contract = None
        self.pending.clear()
        self.pause_next, self.coupon_next = 0, None
        self.snapshot(contract, at)
        self.life.ended(at, kind, reason)

    def snapshot(self, contract: Contract, at: int) -> None:
        """Record how the subscription looks from now on."""
        # Stripe takes a coupon used once off the subscription with the invoice it was used on.
        discount = contract.discount
        if discount is not None and discount.coupon.duration == "once":
            discount = None
        items = tuple(
            (item.id, item.price, item.quantity, item.since) for item in contract.items.values()
        )
        names = (
            "anchor", "months", "by_invoice", "start", "period_start", "period_end", "trial_end",
            "status", "paused_until", "cancel_at_period_end", "canceled_at", "ended_at",
            "feedback", "cancel_reason", "latest_invoice",
        )  # fmt: skip
        state = {name: getattr(contract, name) for name in names}
        self.life.facts.note(
            "subscription", contract.id, at, items=items, discount=discount, **state
        )

    def mrr(self, at: int) -> Decimal:
        """The customer's MRR just before ``at``."""
        return sum((contract.mrr(at) for contract in self.contracts), Decimal(0))
