"""Simulate surveys: monthly NPS, CSAT and CES after tickets, and recovery of detractors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from demo.company import sayings
from demo.company.chance import token
from demo.company.clock import DAY, HOUR, as_datetime
from demo.company.customer import Customer
from demo.company.people import Contact, People
from demo.company.versions import NpsAnswer

ASKED = {"decision_maker": 0.5, "champion": 0.5, "economic_buyer": 0.25, "user": 0.13}
ANSWERS = {"decision_maker": 0.33, "champion": 0.52, "economic_buyer": 0.2, "user": 0.38}


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody answers to a form; ``next_step`` is what would make it a ten."""

    form: str
    score: int
    reason: str | None
    next_step: str | None


class Surveys:
    """Asks a customer's people and keeps what they answer."""

    def __init__(self, customer: Customer, people: People) -> None:
        self.customer, self.people = customer, people
        self.rng = customer.streams["surveys"]
        self.wave_day = 3 + customer.index * 7 % 22
        self.made = self.invites = self.tasks = 0

    def step(self, day: int) -> None:
        """Send the survey once a month, on the customer's own day."""
        if day < 0 or self.customer.clock.date(day).day != self.wave_day:
            return
        contract = self.customer.contract
        first = self.customer.truth.first_paid_on
        if contract is None or first is None or (self.customer.clock.date(day) - first).days < 30:
            return
        self.wave(self.customer.office(self.customer.clock.next_weekday(day), self.rng, 8, 11))

    def wave(self, at: int) -> None:
        """Invite some contacts; a part of them answers within days."""
        invited = [
            c for c in self.people.present() if self.rng.random() < ASKED[c.role]
        ] or self.people.present("champion")[:1]
        if not invited:
            return
        self.invites += len(invited)
        on = self.customer.clock.date(self.customer.clock.day_of(at)).isoformat()
        self.customer.facts.note(
            "company", self.customer.profile.company_id, at, invited_on=on, invites=self.invites
        )
        for contact in invited:
            willing = ANSWERS[contact.role] * (0.55 + self.customer.mood.value / 15)
            if self.rng.random() < willing:
                later = at + int(self.rng.expovariate(1 / 1.4) * DAY) + 120
                self.customer.agenda.at(later, partial(self.answer_nps, contact))

    def answer_nps(self, contact: Contact, at: int) -> None:
        """Answer with a score of 0 to 10 from satisfaction and the contact's bias."""
        above = 0.55 if contact.role == "user" else 1.0  # daily users give lower scores
        felt = self.customer.mood.value + contact.bias + self.rng.gauss(above, 1.0)
        felt -= 4.0 if self.rng.random() < 0.02 else 0.0  # an outlier
        score = max(0, min(10, round(felt)))
        reason = sayings.pick(self.rng, sayings.of_nps(score), 0.72)
        next_step = sayings.pick(self.rng, sayings.NEXT_STEPS, 0.45)
        self.answer(contact, at, Answered("nps", score, reason, next_step))

    def after_ticket(self, at: int, days: float) -> None:
        """Ask how the help was: satisfaction 1 to 5, or effort 1 to 7."""
        staff = self.people.present()
        if self.rng.random() > 0.38 or not staff:
            return
        contact = staff[int(self.rng.random() * len(staff))]
        quick = 0.6 - 0.16 * min(days, 12)
        felt = self.customer.mood.value / 10 + self.rng.gauss(0, 0.16)
        form = "csat" if self.rng.random() < 0.65 else "ces"
        scale = 5 if form == "csat" else 7
        score = max(1, min(scale, round(1 + (scale - 1) * felt + quick)))
        reason = sayings.pick(self.rng, sayings.of_help(score, scale), 0.5)
        later = at + int((0.05 + 1.5 * self.rng.random()) * DAY)
        self.customer.agenda.at(
            later, lambda t: self.answer(contact, t, Answered(form, score, reason, None))
        )

    def answer(self, contact: Contact, at: int, answered: Answered) -> None:
        """Record a response; some stop after the score and finish later, or never."""
        self.made += 1
        key = token(26, self.customer.seed, "response", self.customer.index, self.made).lower()
        state = {
            "form": answered.form, "landed": at, "contact": contact.id, "email": contact.email,
            "score": answered.score, "reason": answered.reason, "next_step": answered.next_step,
        }  # fmt: skip
        sent = at + 25 + int(self.rng.random() * 240)
        if self.rng.random() < 0.07:
            self.customer.facts.note("response", key, sent, **state, submitted=None, staged=sent)
            if self.rng.random() < 0.5:
                return
            sent += int((0.5 + 70 * self.rng.random()) * HOUR)
        self.customer.agenda.at(sent, lambda t: self.submit(key, contact, answered, state, t))

    def submit(
        self, key: str, contact: Contact, answered: Answered, state: dict[str, object], at: int
    ) -> None:
        """The response is complete; a detractor calls for a recovery."""
        self.customer.facts.note("response", key, at, **state, submitted=at, staged=None)
        if answered.form == "nps":
            self.customer.truth.nps.append(
                NpsAnswer(as_datetime(at), key, contact.id, contact.role, answered.score)
            )
            if answered.score <= 6:
                self.recover(key, contact, at)

    def recover(self, response: str, contact: Contact, at: int) -> None:
        """The owner is to act within 48 hours; diligent ones do."""
        day = self.customer.clock.day_of(at)
        owner = self.customer.owner(day)
        if self.rng.random() > 0.45 + 0.5 * owner.diligence:
            return
        self.tasks += 1
        key = str(91_000_000_000 + self.customer.index * 1_000_003 + self.tasks * 3)
        made = at + 600 + int(self.rng.expovariate(1 / 5.0) * HOUR)
        self.customer.facts.note(
            "task", key, made, subject=f"Recovery: call {contact.first} {contact.last}",
            type="CALL", priority="HIGH", status="NOT_STARTED", due=at + 48 * HOUR, owner=owner.id,
            person=contact.id, response=response, completed=None, archived=False,
        )  # fmt: skip
        slow = self.rng.lognormvariate(3.35 - 0.9 * (owner.diligence - 0.75), 0.75)
        if self.rng.random() < 0.93:
            done = made + int(slow * HOUR)
            self.customer.agenda.at(
                done, lambda t: self.recovered(key, t, in_time=t - at <= 48 * HOUR)
            )

    def recovered(self, key: str, at: int, *, in_time: bool) -> None:
        """The first step is taken; in time it helps more."""
        self.customer.facts.note("task", key, at, status="COMPLETED", completed=at)
        self.customer.mood.shock(0.35 if in_time else 0.1)
