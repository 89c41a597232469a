"""The customer's people: who they are, when they come, leave, are noticed gone and are replaced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from demo.company.chance import token
from demo.company.clock import DAY
from demo.company.names import person

if TYPE_CHECKING:
    from demo.company.life import Life

LEADERS = {
    "SMB": ("decision_maker", "champion"),
    "Mid-Market": ("decision_maker", "champion", "economic_buyer"),
    "Enterprise": ("decision_maker", "decision_maker", "champion", "champion", "economic_buyer"),
}
TITLES = {
    "decision_maker": ("Chief Operating Officer", "Managing Director", "VP Operations"),
    "champion": ("Head of Operations", "Process Lead", "Operations Manager"),
    "economic_buyer": ("Chief Financial Officer", "Head of Procurement"),
    "user": ("Planner", "Analyst", "Coordinator", "Team Lead", "Specialist"),
}
LEAVING_A_YEAR = {"decision_maker": 0.13, "champion": 0.20, "economic_buyer": 0.12, "user": 0.22}
SHOCKS = {"decision_maker": -0.8, "champion": -1.5, "economic_buyer": -0.3, "user": 0.0}


@dataclass(slots=True)
class Contact:
    """A person at a customer; days outside [joined, left) they do not use the product."""

    id: str
    number: int
    role: str
    first: str
    last: str
    email: str
    joined: int
    bias: float
    left: int | None = None


class People:
    """A customer's contacts over time."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.rng = life.streams["people"]
        self.contacts: list[Contact] = []

    def present(self, role: str | None = None) -> list[Contact]:
        """Those who work there now, of one role or of all."""
        return [c for c in self.contacts if c.left is None and role in (None, c.role)]

    def welcome(self, at: int) -> None:
        """The first people one meets: leaders, then as many users as seats."""
        first, *others = LEADERS[self.life.profile.segment]
        self.join(first, at)
        for role in others:
            later = at + int(self.rng.random() * 5 * DAY)
            self.life.agenda.at(later, partial(self.join, role))
        self.fit_seats(at, self.life.profile.seats)

    def join(self, role: str, at: int) -> Contact:
        """A new person, entered in the CRM at ``at``."""
        number = len(self.contacts)
        key = str(51_000_000_000 + self.life.index * 1_000_003 + number * 17)
        first, last = person(token(8, self.life.seed, "contact", self.life.index, number))
        taken = any(c.first == first and c.last == last for c in self.contacts)
        email = f"{first}.{last}{number if taken else ''}@{self.life.profile.domain}".lower()
        day = self.life.clock.day_of(at)
        contact = Contact(key, number, role, first, last, email, day, self.rng.gauss(0, 0.8))
        titles = TITLES[role]
        self.contacts.append(contact)
        self.life.facts.note(
            "contact", key, at, first=first, last=last, email=email, role=role, created=at,
            title=titles[int(self.rng.random() * len(titles))], left_on=None, bounced=False,
            archived=False, merged=(),
        )  # fmt: skip
        return contact

    def fit_seats(self, at: int, seats: int) -> None:
        """Bring the number of people to the number of seats, newcomers over two weeks."""
        now = self.present()
        for _ in range(max(0, int(seats * 0.9) - len(now))):
            later = at + int(self.rng.random() * 14 * DAY)
            self.life.agenda.at(later, self.join_as_user)
        users = [c for c in now if c.role == "user"]
        for contact in users[: max(0, len(now) - seats - 2)]:
            contact.left = self.life.clock.day_of(at)

    def join_as_user(self, at: int) -> None:
        self.join("user", at)

    def step(self, day: int) -> None:
        """Some leave; it is noticed some time later, and most are replaced."""
        if self.life.billing.contract is None:
            return
        staff = self.present()
        hazard = sum(LEAVING_A_YEAR[c.role] for c in staff) / 365
        if self.rng.random() >= hazard:
            self.maybe_duplicate(day, staff)
            return
        mark = self.rng.random() * hazard * 365
        for contact in staff:
            mark -= LEAVING_A_YEAR[contact.role]
            if mark < 0:
                self.leave(contact, day)
                return

    def leave(self, contact: Contact, day: int) -> None:
        """They are gone from today; the CRM learns of it days or weeks later."""
        contact.left = day
        self.life.mood.shock(SHOCKS[contact.role] * (0.4 + 0.9 * self.rng.random()))
        seen = day + 1 + int(self.rng.random() * 35)
        noticed = self.life.office(self.life.clock.next_weekday(seen), self.rng)
        left_on = self.life.clock.date(day)
        self.life.agenda.at(noticed, lambda t: self.notice(contact, t, left_on.isoformat()))
        if self.rng.random() < (0.75 if contact.role == "user" else 0.93):
            arrival = self.life.clock.next_weekday(day + 4 + int(self.rng.random() * 55))
            when = self.life.office(arrival, self.rng)
            self.life.agenda.at(when, partial(self.join, contact.role))

    def notice(self, contact: Contact, at: int, left_on: str) -> None:
        """An e-mail bounces and the contact is marked; a few are deleted outright."""
        self.life.facts.note("contact", contact.id, at, left_on=left_on, bounced=True)
        if self.rng.random() < 0.06:
            later = at + int((5 + 60 * self.rng.random()) * DAY)
            self.life.facts.note("contact", contact.id, later, archived=True)

    def maybe_duplicate(self, day: int, staff: list[Contact]) -> None:
        """A form creates somebody a second time; the two are merged some days later."""
        if not staff or self.rng.random() >= 0.00025:
            return
        original = staff[int(self.rng.random() * len(staff))]
        at = self.life.office(day, self.rng)
        number = len(self.contacts)
        key = str(51_000_000_000 + self.life.index * 1_000_003 + number * 17)
        twin = Contact(
            key, number, original.role, original.first, original.last,
            original.email.replace("@", "+web@"), day, 0.0, left=day,
        )  # fmt: skip
        self.contacts.append(twin)
        self.life.facts.note(
            "contact", key, at, first=twin.first, last=twin.last, email=twin.email, role=None,
            created=at, title=None, left_on=None, bounced=False, archived=False, merged=(),
        )  # fmt: skip
        merged = at + int((2 + 20 * self.rng.random()) * DAY)
        self.life.facts.note("contact", key, merged, archived=True)
        self.life.facts.note("contact", original.id, merged, merged=(key,))
