"""Why and how customers leave: for a reason, without a word, or not at all although unhappy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from demo.company.chance import weighted
from demo.company.clock import DAY
from demo.company.contract import Contract
from demo.company.customers import CHURN_A_MONTH

if TYPE_CHECKING:
    from demo.company.life import Life

SILENT_SHARE = 0.20  # of all leaving has nothing to do with satisfaction
VOLUNTARY_SHARE = {"SMB": 0.68, "Mid-Market": 0.40, "Enterprise": 0.50}
STEEPNESS = 0.70  # one point of satisfaction less makes leaving exp(0.70) = 2 times as likely
REASONS = (
    ("too_expensive", 3.0), ("missing_features", 2.5), ("switched_service", 2.5),
    ("customer_service", 1.5), ("unused", 1.5), ("low_quality", 1.0), ("too_complex", 1.0),
)  # fmt: skip


class Leaving:
    """Decides once a day whether the customer wants to leave, and carries it out in time."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.rng = life.streams["churn"]
        base = CHURN_A_MONTH[life.profile.segment] / 30.4
        self.silent = base * SILENT_SHARE
        self.voluntary = base * VOLUNTARY_SHARE[life.profile.segment]
        if life.profile.locked_in:
            self.voluntary *= 0.15
        self.plan: tuple[str, str] | None = None

    def step(self, day: int) -> None:
        """Make up the customer's mind, with one draw a day."""
        contract = self.life.billing.contract
        draw = self.rng.random()
        if contract is None or contract.status == "trialing" or self.plan is not None:
            return
        unhappy = self.voluntary * math.exp(STEEPNESS * (7.0 - self.life.mood.value))
        if draw < unhappy:
            self.decide(contract, day, "voluntary", weighted(self.rng, REASONS))
        elif draw < unhappy + self.silent:
            self.decide(contract, day, "silent", "other")

    def decide(self, contract: Contract, day: int, kind: str, reason: str) -> None:
        """Choose the moment of telling: years end on their date, months end soon."""
        self.plan = (kind, reason)
        now = self.life.office(day, self.rng)
        if kind == "voluntary":
            self.life.quiet(now, 0.7)
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
        self.life.agenda.at(when, lambda t: self.tell(contract, t, at_once=at_once))

    def tell(self, contract: Contract, at: int, *, at_once: bool) -> None:
        """Cancel, unless the mood has turned while the customer waited for its term."""
        if self.plan is None or contract is not self.life.billing.contract:
            return
        kind, reason = self.plan
        if kind == "voluntary" and self.life.mood.value > 7.4 and self.rng.random() < 0.5:
            self.plan = None
            self.life.quiet(at, None)
            return
        if at_once and self.life.billing.can_change(at):
            self.life.billing.cancel_now(at, kind, reason)
            return
        self.life.billing.cancel_at_end(at, reason)
        if kind == "voluntary" and self.rng.random() < 0.12:
            later = at + int(self.rng.random() * max(0, contract.period_end - at))
            self.life.agenda.at(later, lambda t: self.stay(contract, t))

    def stay(self, contract: Contract, at: int) -> None:
        """The account manager saved it: the cancellation is taken back."""
        if contract is self.life.billing.contract and self.plan is not None:
            self.plan = None
            self.life.quiet(at, None)
            self.life.billing.keep(at)
            self.life.mood.shock(0.8)

    def why(self, contract: Contract) -> tuple[str, str]:
        """Kind and reason of a cancellation that takes effect at the end of the period."""
        return self.plan or ("voluntary", contract.feedback or "other")

    def gone(self, at: int, kind: str) -> None:
        """After the end: some come back months later."""
        self.plan = None
        chance = {"involuntary": 0.2, "voluntary": 0.12, "silent": 0.08}.get(kind, 0.0)
        back = at + int((35 + 190 * self.rng.random()) * DAY)
        if self.rng.random() < chance:
            self.life.agenda.at(back, self.life.come_back)
