"""Deals: first sales, expansions that are won or lost, renewals of yearly contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.company.changes import Change
from demo.company.clock import DAY, HOUR, as_date
from demo.company.contract import Contract

if TYPE_CHECKING:
    from demo.company.life import Life

AHEAD = 95 * DAY  # a renewal is opened this long before the term ends


class Deals:
    """A customer's deals; amounts are yearly and in the customer's currency."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.rng = life.streams["company"]
        self.made = 0
        self.first: str | None = None
        self.renewal: str | None = None

    def open(self, at: int, name: str, kind: str, closes: int, amount: str | None) -> str:
        """A new deal in its first stage."""
        self.made += 1
        key = str(21_000_000_000 + self.life.index * 1_000_003 + self.made * 7)
        self.life.facts.note(
            "deal", key, at, created=at, name=f"{self.life.profile.name}: {name}", type=kind,
            stage="appointmentscheduled", closes=closes, amount=amount, lost=None,
            owner=self.life.owner(self.life.clock.day_of(at)).id, archived=False,
        )  # fmt: skip
        return key

    def advance(self, key: str | None, at: int, stage: str, **changes: object) -> None:
        """Move a deal to a stage; a closed one gets its date."""
        if key is not None:
            if stage.startswith("closed"):
                changes["closes"] = at
            self.life.facts.note("deal", key, at, stage=stage, **changes)

    def yearly(self, at: int) -> str:
        """Twelve times the MRR, as text in major units."""
        return format((self.life.billing.mrr(at + 1) * 12).normalize(), "f")

    def first_contact(self, at: int, signs: int) -> None:
        """Larger customers are sold to; most small ones just sign up."""
        if self.life.profile.segment != "SMB" or self.rng.random() < 0.35:
            self.first = self.open(at + HOUR, "new customer", "newbusiness", signs, None)
            between = at + (signs - at) // 2
            self.life.facts.note("deal", self.first, between, stage="qualifiedtobuy")

    def won(self, at: int) -> None:
        """The first paid period: the sale is made."""
        self.advance(self.first, at, "closedwon", amount=self.yearly(at))
        self.first = None

    def lost(self, at: int, reason: str) -> None:
        """The trial ended without a sale."""
        self.advance(self.first, at, "closedlost", lost=reason)
        self.first = None

    def win_back(self, at: int) -> None:
        """A customer that left comes back."""
        self.first = self.open(at, "win-back", "newbusiness", at + 6 * DAY, None)

    def expansion(self, change: Change, at: int) -> None:
        """Negotiate for some weeks; a quarter comes to nothing."""
        label = {"seats": "more seats", "add": "further module"}.get(change.kind, "larger plan")
        closes = at + int((9 + 26 * self.rng.random()) * DAY)
        key = self.open(at, label, "existingbusiness", closes, None)
        self.life.facts.note("deal", key, (at + closes) // 2, stage="contractsent")
        self.life.agenda.at(closes, lambda t: self.decide_expansion(key, change, t))

    def decide_expansion(self, key: str, change: Change, at: int) -> None:
        contract = self.life.billing.contract
        if contract is None or contract.cancel_at_period_end or self.rng.random() < 0.25:
            self.advance(key, at, "closedlost", lost="no_budget")
            return
        before = self.life.billing.mrr(at + 1)
        self.life.billing.request(change, at)
        grown = max(self.life.billing.mrr(at + 1) - before, before * 0) * 12
        amount = format(grown.normalize(), "f") if grown else None
        self.advance(key, at, "closedwon", amount=amount)

    def term_begun(self, contract: Contract) -> None:
        """The renewal of the last term is won; the next one will be opened in time."""
        if self.renewal is not None:
            at = contract.period_start
            self.advance(self.renewal, at, "closedwon", amount=self.yearly(at))
            self.renewal = None
        if contract.months == 12:
            opening = contract.period_end - AHEAD
            self.life.agenda.at(opening, lambda t: self.open_renewal(contract, t))

    def open_renewal(self, contract: Contract, at: int) -> None:
        if contract is not self.life.billing.contract:
            return
        name = f"renewal {as_date(contract.period_end).year}"
        closes = contract.period_end
        self.renewal = self.open(at, name, "renewal", closes, self.yearly(at))
        if self.life.profile.segment != "SMB" and self.life.clock.day_of(at) >= 0:
            talk = self.life.clock.next_weekday(self.life.clock.day_of(at) + 3)
            self.life.meetings.plan(talk, "Renewal", 12)
        key = self.renewal
        self.life.agenda.at(closes - 25 * DAY, lambda t: self.send_contract(key, t))

    def send_contract(self, key: str, at: int) -> None:
        if self.renewal == key:
            self.advance(key, at, "contractsent")

    def term_ended(self, at: int, reason: str) -> None:
        """The contract is over: what was to be renewed is lost."""
        self.advance(self.renewal, at, "closedlost", lost=reason)
        self.renewal = None
