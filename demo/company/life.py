"""The life of one customer, day by day, in the order in which things happen."""

from __future__ import annotations

from random import Random

from demo.company.billing import Billing
from demo.company.chance import Streams
from demo.company.churn import Leaving
from demo.company.clock import Clock, as_date
from demo.company.customers import draw_profile
from demo.company.facts import Agenda, Facts
from demo.company.mood import Mood
from demo.company.owners import Owner, Roster, owner_on
from demo.company.people import People
from demo.company.versions import Churn, CustomerTruth
from demo.company.wishes import Wishes


class Life:
    """Everything about one customer; ``run`` lets time pass up to the end of the history.

    What happens on a day depends on the days before it and on the customer's own streams,
    on nothing else: a longer history or more customers change nothing that was.
    """

    def __init__(self, seed: int, index: int, clock: Clock, roster: Roster) -> None:
        self.seed, self.index, self.clock = seed, index, clock
        self.streams = Streams(seed, index)
        self.profile = draw_profile(seed, index, self.streams["profile"])
        self.book = roster.book_of(self.profile.segment, index)
        self.facts, self.agenda = Facts(), Agenda()
        self.mood = Mood(self.profile.fit, self.streams["mood"])
        self.people = People(self)
        self.billing = Billing(self)
        self.churn = Leaving(self)
        self.wishes = Wishes(self)
        self.quiet_spells: list[tuple[int, int | None, float]] = []
        self.truth = CustomerTruth(
            company_id=self.profile.company_id, name=self.profile.name,
            segment=self.profile.segment, industry=self.profile.industry,
            country=self.profile.country, stripe_customer_id=self.profile.stripe_id,
            currency=self.profile.currency,
        )  # fmt: skip
        self.known_since = self.profile.arrives - 5 - int(self.streams["company"].random() * 80)

    def office(self, day: int, rng: Random, first: int = 9, last: int = 17) -> int:
        """A moment of the customer's office hours."""
        return self.clock.office(day, self.profile.zone, rng, first, last)

    def owner(self, day: int) -> Owner:
        """Who looks after the customer that day."""
        return owner_on(self.book, day)

    def run(self, until: int) -> None:
        """Live from the first contact to the end of day ``until - 1``."""
        if self.known_since >= until:
            return
        rng = self.streams["company"]
        self.enter_crm(self.office(self.known_since, rng))
        signs = self.office(self.profile.arrives, rng)
        self.agenda.at(signs, self.sign)
        for day in range(self.known_since, until):
            if day >= self.profile.arrives:
                self.mood.step()
                self.people.step(day)
                self.churn.step(day)
                self.wishes.step(day)
            self.agenda.run_until(self.clock.midnight(day + 1))
            if self.clock.is_month_end(day):
                self.note_truth(day)

    def enter_crm(self, at: int) -> None:
        """The company becomes known, with its owners to come."""
        day = self.clock.day_of(at)
        self.facts.note(
            "company", self.profile.company_id, at, created=at, stage="opportunity",
            owner=self.owner(day).id,
        )  # fmt: skip
        for owner in self.book:
            if owner.from_day > day:
                taken_over = self.clock.midnight(owner.from_day) + 9 * 3600 + self.index
                self.facts.note("company", self.profile.company_id, taken_over, owner=owner.id)

    def sign(self, at: int) -> None:
        """The customer subscribes."""
        profile = self.profile
        self.facts.note("customer", profile.stripe_id, at, created=at, balance=0, delinquent=False)
        self.people.welcome(at)
        self.billing.start(
            at + 60, months=profile.months, seats=profile.seats, trial_days=profile.trial_days
        )

    def paying(self, at: int) -> None:
        """A paid period begins for the first time in this subscription."""
        if self.truth.first_paid_on is None:
            self.truth.first_paid_on = as_date(at)
        elif len(self.truth.churns) > len(self.truth.reactivated_on):
            self.truth.reactivated_on.append(as_date(at))
        self.facts.note("company", self.profile.company_id, at, stage="customer")

    def renewed(self, at: int) -> None:
        """A further period begins."""

    def ended(self, at: int, kind: str, reason: str) -> None:
        """The subscription is over; a trial that did not convert is no churn."""
        if kind != "trial":
            self.truth.churns.append(Churn(as_date(at), kind, reason))
        self.facts.note("company", self.profile.company_id, at + 2 * 3600, stage="other")
        self.churn.gone(at, kind)

    def come_back(self, at: int) -> None:
        """Subscribe again, monthly and a little smaller."""
        if self.billing.contract is None:
            seats = max(3, int(self.profile.seats * 0.8))
            self.mood.shock(1.0)
            self.people.fit_seats(at, seats)
            self.billing.start(at, months=1, seats=seats, trial_days=0)

    def note_truth(self, day: int) -> None:
        """What is true at the end of a month."""
        at = self.clock.midnight(day + 1)
        if self.billing.contracts:
            month = self.clock.date(day)
            self.truth.mrr[month, self.profile.currency] = self.billing.mrr(at)
            self.truth.satisfaction[month] = round(self.mood.value, 3)
