"""The life of one customer, day by day, in the order in which things happen."""

from __future__ import annotations

from random import Random

from demo.company.billing import Billing
from demo.company.chance import Streams
from demo.company.churn import Leaving
from demo.company.clock import DAY, HOUR, Clock, as_date
from demo.company.customers import draw_profile
from demo.company.deals import Deals
from demo.company.facts import Agenda, Facts
from demo.company.goals import Goals
from demo.company.meetings import Meetings
from demo.company.mood import Mood
from demo.company.owners import Owner, Roster, owner_on
from demo.company.people import People
from demo.company.surveys import Surveys
from demo.company.tickets import Tickets
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
        self.people, self.billing = People(self), Billing(self)
        self.churn, self.wishes, self.deals = Leaving(self), Wishes(self), Deals(self)
        self.meetings, self.tickets = Meetings(self), Tickets(self)
        self.surveys, self.goals = Surveys(self), Goals(self)
        self.parts = (
            self.people, self.churn, self.wishes, self.meetings, self.tickets, self.surveys,
        )  # fmt: skip
        # days during which less is used: [first, end or None, share]
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
        """The company becomes known, with the owners it will have, and is to sign one day."""
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
        """A few belong to a group whose parent is an earlier customer."""
        draw, back = rng.random(), 1 + int(rng.random() * 24)
        if draw > 0.12 or back > self.index:
            return None
        older = self.index - back
        other = draw_profile(self.seed, older, Streams(self.seed, older)["profile"])
        return other.company_id if other.arrives < self.known_since else None

    def duplicate(self, at: int) -> None:
        """A form enters the company a second time; the two are merged two weeks later."""
        twin = str(int(self.profile.company_id) + 41)
        self.facts.note(
            "company", twin, at, created=at, stage="lead", owner=None, domain=None, parent=None,
            name=self.profile.name.split()[0], merged=None, archived=False,
        )  # fmt: skip
        merged = at + 14 * DAY
        self.facts.note("company", twin, merged, archived=True)
        self.facts.note("company", self.profile.company_id, merged, merged=twin)

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
        self.deals.won(at)
        self.goals.begin(at)

    def ended(self, at: int, kind: str, reason: str) -> None:
        """The subscription is over; a trial that did not convert is no churn."""
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

    def quiet(self, at: int, share: float | None) -> None:
        """From now on the product is used less; None ends the spell."""
        day = self.clock.day_of(at)
        if self.quiet_spells and self.quiet_spells[-1][1] is None:
            first, _, before = self.quiet_spells.pop()
            self.quiet_spells.append((first, day, before))
        if share is not None:
            self.quiet_spells.append((day, None, share))

    def come_back(self, at: int) -> None:
        """Talk for some days, then subscribe again, monthly and a little smaller."""
        self.deals.win_back(at)
        self.agenda.at(at + 6 * DAY, self.subscribe_again)

    def subscribe_again(self, at: int) -> None:
        """The customer is back."""
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
