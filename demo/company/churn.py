"""Decide why and how customers churn: with a reason, silently, or not although unhappy."""

from __future__ import annotations

import math

from demo.company.billing import Billing
from demo.company.chance import weighted
from demo.company.clock import DAY
from demo.company.contract import Contract
from demo.company.customer import Customer
from demo.company.customers import CHURN_A_MONTH
from demo.company.facts import Action

SILENT_SHARE = 0.20  # share of churn that does not depend on satisfaction
VOLUNTARY_SHARE = {"SMB": 0.68, "Mid-Market": 0.40, "Enterprise": 0.50}
STEEPNESS = 0.70  # one point less of satisfaction doubles the churn rate, exp(0.70) = 2
REASONS = (
    ("too_expensive", 3.0), ("missing_features", 2.5), ("switched_service", 2.5),
    ("customer_service", 1.5), ("unused", 1.5), ("low_quality", 1.0), ("too_complex", 1.0),
)  # fmt: skip


class Leaving:
    """Decide daily whether the customer churns, and cancel in time."""

    def __init__(self, customer: Customer, billing: Billing, come_back: Action) -> None:
        self.customer, self.billing, self.come_back = customer, billing, come_back
        self.rng = customer.streams["churn"]
        base = CHURN_A_MONTH[customer.profile.segment] / 30.4
        self.silent = base * SILENT_SHARE
        self.voluntary = base * VOLUNTARY_SHARE[customer.profile.segment]
        if customer.profile.locked_in:
            self.voluntary *= 0.15
        self.plan: tuple[str, str] | None = None

    def step(self, day: int) -> None:
        """Decide whether to churn, with one draw a day."""
        contract = self.customer.contract
        draw = self.rng.random()
        if contract is None or contract.status == "trialing" or self.plan is not None:
            return
        unhappy = self.voluntary * math.exp(STEEPNESS * (7.0 - self.customer.mood.value))
        if draw < unhappy:
            self.decide(contract, day, "voluntary", weighted(self.rng, REASONS))
        elif draw < unhappy + self.silent:
            self.decide(contract, day, "silent", "other")

    def decide(self, contract: Contract, day: int, kind: str, reason: str) -> None:
        """Choose the moment of cancellation: yearly terms near their end, monthly ones soon."""
        self.plan = (kind, reason)
        now = self.customer.office(day, self.rng)
        if kind == "voluntary":
            self.customer.quiet(now, 0.7)
        if kind == "silent":
            tell = contract.period_end - int((1 + 2 * self.rng.random()) * DAY)
        elif contract.months == 12:
            tell = contract.period_end - int((15 + 65 * self.rng.random()) * DAY)
        else:
            tell = now
        at_once = kind == "voluntary" and self.rng.random() < (
            0.06 if contract.months == 12 else 0.3
        )
        when = now if at_once else max(now, tell)
        self.customer.agenda.at(when, lambda t: self.tell(contract, t, at_once=at_once))

    def tell(self, contract: Contract, at: int, *, at_once: bool) -> None:
        """Cancel, unless satisfaction recovered in the meantime."""
        if self.plan is None or contract is not self.customer.contract:
            return
        kind, reason = self.plan
        if kind == "voluntary" and self.customer.mood.value > 7.4 and self.rng.random() < 0.5:
            self.plan = None
            self.customer.quiet(at, None)
            return
        if at_once and self.billing.can_change(at):
            self.billing.cancel_now(at, kind, reason)
            return
        self.billing.cancel_at_end(at, reason)
        if kind == "voluntary" and self.rng.random() < 0.12:
            later = at + int(self.rng.random() * max(0, contract.period_end - at))
            self.customer.agenda.at(later, lambda t: self.stay(contract, t))

    def stay(self, contract: Contract, at: int) -> None:
        """Revoke the cancellation after the account manager's intervention."""
        if contract is self.customer.contract and self.plan is not None:
            self.plan = None
            self.customer.quiet(at, None)
            self.billing.keep(at)
            self.customer.mood.shock(0.8)

    def why(self, contract: Contract) -> tuple[str, str]:
        """Return kind and reason of a cancellation at the end of the period."""
        return self.plan or ("voluntary", contract.feedback or "other")

    def gone(self, at: int, kind: str) -> None:
        """Clear the plan; some customers return months later."""
        self.plan = None
        chance = {"involuntary": 0.2, "voluntary": 0.12, "silent": 0.08}.get(kind, 0.0)
        back = at + int((35 + 190 * self.rng.random()) * DAY)
        if self.rng.random() < chance:
            self.customer.agenda.at(back, self.come_back)
