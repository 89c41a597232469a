"""Simulate the life of one customer, day by day."""

from __future__ import annotations

from random import Random

from demo.company.billing import Billing
from demo.company.chance import Streams
from demo.company.churn import Leaving
from demo.company.clock import DAY, HOUR, Clock, as_date
from demo.company.contract import Contract
from demo.company.customer import Customer
from demo.company.customers import draw_profile
from demo.company.deals import Deals
from demo.company.goals import Goals
from demo.company.meetings import Meetings
from demo.company.owners import Roster
from demo.company.people import People
from demo.company.surveys import Surveys
from demo.company.tickets import Tickets
from demo.company.versions import Churn
from demo.company.wishes import Wishes


class Life(Customer):
    """One customer with all its parts; ``run`` simulates up to the end of the history.

    A day depends only on earlier days and on the customer's own random streams. So a longer history
    or more customers do not change earlier results.
    """

    def __init__(self, seed: int, index: int, clock: Clock, roster: Roster) -> None:
        super().__init__(seed, index, clock, roster)
        self.people = People(self)
        self.billing = Billing(self, self.people, self)
        self.churn = Leaving(self, self.billing, self.come_back)
        self.meetings = Meetings(self, self.people)
        self.deals = Deals(self, self.billing, self.meetings)
        self.wishes = Wishes(self, self.billing, self.deals)
        self.surveys, self.goals = Surveys(self, self.people), Goals(self)
        self.tickets = Tickets(self, self.people, self.surveys)
        self.parts = (
            self.people, self.churn, self.wishes, self.meetings, self.tickets, self.surveys,
        )  # fmt: skip
        self.known_since = self.profile.arrives - 5 - int(self.streams["company"].random() * 80)

    def run(self, until: int) -> None:
        """Simulate from the first contact to the end of day ``until - 1``."""
        if self.known_since >= until:
            return
        self.enter_crm(self.office(self.known_since, self.streams["company"]))
        for day in range(self.known_since, until):
            if day >= self.profile.arrives:
                self.mood.step()
                for part in self.parts:
                    part.step(day)
            self.agenda.run_until(self.clock.midnight(day + 1))
            if self.clock.is_month_end(day):
                self.note_truth(day)

    def enter_crm(self, at: int) -> None:
        """Create the company in the CRM with its future owners, and schedule the signature."""
        rng, day = self.streams["company"], self.clock.day_of(at)
        signs = self.office(self.profile.arrives, rng)
        self.facts.note(
            "company", self.profile.company_id, at, created=at, stage="opportunity",
            owner=self.owner(day).id, name=self.profile.name, parent=self.parent(rng), merged=None,
            domain=self.profile.domain, archived=False,
        )  # fmt: skip
        for owner in self.book:
            if owner.from_day > day:
                taken_over = self.clock.midnight(owner.from_day) + 9 * HOUR + self.index
                self.facts.note("company", self.profile.company_id, taken_over, owner=owner.id)
        if rng.random() < 0.025:
            self.duplicate(at + int((1 + 20 * rng.random()) * DAY))
        self.agenda.at(signs, self.sign)
        self.deals.first_contact(at, signs)

    def parent(self, rng: Random) -> str | None:
        """Return the parent company: for a few customers, an earlier customer."""
        draw, back = rng.random(), 1 + int(rng.random() * 24)
        if draw > 0.12 or back > self.index:
            return None
        older = self.index - back
        other = draw_profile(self.seed, older, Streams(self.seed, older)["profile"])
        return other.company_id if other.arrives < self.known_since else None

    def duplicate(self, at: int) -> None:
        """Create a duplicate company through a form; it is merged two weeks later."""
        twin = str(int(self.profile.company_id) + 41)
        self.facts.note(
            "company", twin, at, created=at, stage="lead", owner=None, domain=None, parent=None,
            name=self.profile.name.split()[0], merged=None, archived=False,
        )  # fmt: skip
        merged = at + 14 * DAY
        self.facts.note("company", twin, merged, archived=True)
        self.facts.note("company", self.profile.company_id, merged, merged=twin)

    def sign(self, at: int) -> None:
        """Subscribe the customer."""
        profile = self.profile
        self.facts.note("customer", profile.stripe_id, at, created=at, balance=0, delinquent=False)
        self.people.welcome(at)
        self.billing.start(
            at + 60, months=profile.months, seats=profile.seats, trial_days=profile.trial_days
        )

    def paying(self, at: int) -> None:
        """Record the first paid period of a subscription."""
        if self.truth.first_paid_on is None:
            self.truth.first_paid_on = as_date(at)
        elif len(self.truth.churns) > len(self.truth.reactivated_on):
            self.truth.reactivated_on.append(as_date(at))
        self.facts.note("company", self.profile.company_id, at, stage="customer")
        self.deals.won(at)
        self.goals.begin(at)

    def ended(self, at: int, kind: str, reason: str) -> None:
        """Record the end of a subscription; an unconverted trial is not churn."""
        if kind == "trial":
            self.deals.lost(at, reason)
            if self.streams["company"].random() < 0.15:
                later = at + int((20 + 60 * self.streams["company"].random()) * DAY)
                self.facts.note("customer", self.profile.stripe_id, later, removed=True)
        else:
            self.truth.churns.append(Churn(as_date(at), kind, reason))
            self.deals.term_ended(at, reason)
        self.facts.note("company", self.profile.company_id, at + 2 * HOUR, stage="other")
        self.quiet(at, None)
        self.churn.gone(at, kind)

    def term_begun(self, contract: Contract) -> None:
        """Win the renewal of the last term and plan the next."""
        self.deals.term_begun(contract)

    def why(self, contract: Contract) -> tuple[str, str]:
        """Return kind and reason of a cancellation at the end of the period."""
        return self.churn.why(contract)

    def come_back(self, at: int) -> None:
        """Open a win-back deal, then subscribe again, monthly with fewer seats."""
        self.deals.win_back(at)
        self.agenda.at(at + 6 * DAY, self.subscribe_again)

    def subscribe_again(self, at: int) -> None:
        """Subscribe the returning customer."""
        if self.contract is None:
            seats = max(3, int(self.profile.seats * 0.8))
            self.mood.shock(1.0)
            self.people.fit_seats(at, seats)
            self.billing.start(at, months=1, seats=seats, trial_days=0)

    def note_truth(self, day: int) -> None:
        """Record the true MRR and satisfaction at the end of a month."""
        at = self.clock.midnight(day + 1)
        if self.contracts:
            month = self.clock.date(day)
            self.truth.mrr[month, self.profile.currency] = self.mrr(at)
            self.truth.satisfaction[month] = round(self.mood.value, 3)
