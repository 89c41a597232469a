"""Deals: first sales, expansions that are won or lost, renewals of yearly contracts."""

from __future__ import annotations

from demo.company.billing import Billing
from demo.company.changes import Change
from demo.company.clock import DAY, HOUR, as_date
from demo.company.contract import Contract
from demo.company.customer import Customer
from demo.company.meetings import Meetings

AHEAD = 95 * DAY  # a renewal is opened this long before the term ends


class Deals:
    """A customer's deals; amounts are yearly and in the customer's currency."""

    def __init__(self, customer: Customer, billing: Billing, meetings: Meetings) -> None:
        self.customer, self.billing, self.meetings = customer, billing, meetings
        self.rng = customer.streams["company"]
        self.made = 0
        self.first: str | None = None
        self.renewal: str | None = None

    def open(self, at: int, name: str, kind: str, closes: int, amount: str | None) -> str:
        """Open a deal in its first stage."""
        self.made += 1
        key = str(21_000_000_000 + self.customer.index * 1_000_003 + self.made * 7)
        self.customer.facts.note(
            "deal", key, at, created=at, name=f"{self.customer.profile.name}: {name}", type=kind,
            stage="appointmentscheduled", closes=closes, amount=amount, lost=None,
            owner=self.customer.owner(self.customer.clock.day_of(at)).id, archived=False,
        )  # fmt: skip
        return key

    def advance(self, key: str | None, at: int, stage: str, **changes: object) -> None:
        """Move a deal to a stage; a closed deal gets its close date."""
        if key is not None:
            if stage.startswith("closed"):
                changes["closes"] = at
            self.customer.facts.note("deal", key, at, stage=stage, **changes)

    def yearly(self, at: int) -> str:
        """Twelve times the MRR, as text in major units."""
        return format((self.customer.mrr(at + 1) * 12).normalize(), "f")

    def first_contact(self, at: int, signs: int) -> None:
        """Open a sales deal for larger customers and a third of the small ones."""
        if self.customer.profile.segment != "SMB" or self.rng.random() < 0.35:
            self.first = self.open(at + HOUR, "new customer", "newbusiness", signs, None)
            between = at + (signs - at) // 2
            self.customer.facts.note("deal", self.first, between, stage="qualifiedtobuy")

    def won(self, at: int) -> None:
        """Win the first deal with the first paid period."""
        self.advance(self.first, at, "closedwon", amount=self.yearly(at))
        self.first = None

    def lost(self, at: int, reason: str) -> None:
        """Lose the first deal when the trial ends unpaid."""
        self.advance(self.first, at, "closedlost", lost=reason)
        self.first = None

    def win_back(self, at: int) -> None:
        """Open a deal for a returning customer."""
        self.first = self.open(at, "win-back", "newbusiness", at + 6 * DAY, None)

    def expansion(self, change: Change, at: int) -> None:
        """Negotiate for some weeks; one in four expansions is lost."""
        label = {"seats": "more seats", "add": "further module"}.get(change.kind, "larger plan")
        closes = at + int((9 + 26 * self.rng.random()) * DAY)
        key = self.open(at, label, "existingbusiness", closes, None)
        self.customer.facts.note("deal", key, (at + closes) // 2, stage="contractsent")
        self.customer.agenda.at(closes, lambda t: self.decide_expansion(key, change, t))

    def decide_expansion(self, key: str, change: Change, at: int) -> None:
        contract = self.customer.contract
        if contract is None or contract.cancel_at_period_end or self.rng.random() < 0.25:
            self.advance(key, at, "closedlost", lost="no_budget")
            return
        before = self.customer.mrr(at + 1)
        self.billing.request(change, at)
        grown = max(self.customer.mrr(at + 1) - before, before * 0) * 12
        amount = format(grown.normalize(), "f") if grown else None
        self.advance(key, at, "closedwon", amount=amount)

    def term_begun(self, contract: Contract) -> None:
        """Win the renewal of the last term and schedule the next one."""
        if self.renewal is not None:
            at = contract.period_start
            self.advance(self.renewal, at, "closedwon", amount=self.yearly(at))
            self.renewal = None
        if contract.months == 12:
            opening = contract.period_end - AHEAD
            self.customer.agenda.at(opening, lambda t: self.open_renewal(contract, t))

    def open_renewal(self, contract: Contract, at: int) -> None:
        if contract is not self.customer.contract:
            return
        name = f"renewal {as_date(contract.period_end).year}"
        closes = contract.period_end
        self.renewal = self.open(at, name, "renewal", closes, self.yearly(at))
        if self.customer.profile.segment != "SMB" and self.customer.clock.day_of(at) >= 0:
            talk = self.customer.clock.next_weekday(self.customer.clock.day_of(at) + 3)
            self.meetings.plan(talk, "Renewal", 12)
        key = self.renewal
        self.customer.agenda.at(closes - 25 * DAY, lambda t: self.send_contract(key, t))

    def send_contract(self, key: str, at: int) -> None:
        if self.renewal == key:
            self.advance(key, at, "contractsent")

    def term_ended(self, at: int, reason: str) -> None:
        """Lose the open renewal when the contract ends."""
        self.advance(self.renewal, at, "closedlost", lost=reason)
        self.renewal = None
