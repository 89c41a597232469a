"""Simulate contacts: joining, leaving, being marked as gone and being replaced."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from demo.company.chance import token
from demo.company.clock import DAY
from demo.company.customer import Customer
from demo.company.names import person

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

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.rng = customer.streams["people"]
        self.contacts: list[Contact] = []

    def present(self, role: str | None = None) -> list[Contact]:
        """Return the contacts present now, of one role or of all."""
        return [c for c in self.contacts if c.left is None and role in (None, c.role)]

    def welcome(self, at: int) -> None:
        """Create the leaders, then users up to the number of seats."""
        first, *others = LEADERS[self.customer.profile.segment]
        self.join(first, at)
        for role in others:
            later = at + int(self.rng.random() * 5 * DAY)
            self.customer.agenda.at(later, partial(self.join, role))
        self.fit_seats(at, self.customer.profile.seats)

    def join(self, role: str, at: int) -> Contact:
        """Create a contact in the CRM at ``at``."""
        number = len(self.contacts)
        key = str(51_000_000_000 + self.customer.index * 1_000_003 + number * 17)
        first, last = person(token(8, self.customer.seed, "contact", self.customer.index, number))
        taken = any(c.first == first and c.last == last for c in self.contacts)
        email = f"{first}.{last}{number if taken else ''}@{self.customer.profile.domain}".lower()
        day = self.customer.clock.day_of(at)
        contact = Contact(key, number, role, first, last, email, day, self.rng.gauss(0, 0.8))
        titles = TITLES[role]
        self.contacts.append(contact)
        self.customer.facts.note(
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
            self.customer.agenda.at(later, self.join_as_user)
        users = [c for c in now if c.role == "user"]
        for contact in users[: max(0, len(now) - seats - 2)]:
            contact.left = self.customer.clock.day_of(at)

    def join_as_user(self, at: int) -> None:
        self.join("user", at)

    def step(self, day: int) -> None:
        """Let contacts leave; most are replaced."""
        if self.customer.contract is None:
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
        """Remove a contact today; the CRM learns of it days or weeks later."""
        contact.left = day
        self.customer.mood.shock(SHOCKS[contact.role] * (0.4 + 0.9 * self.rng.random()))
        seen = day + 1 + int(self.rng.random() * 35)
        noticed = self.customer.office(self.customer.clock.next_weekday(seen), self.rng)
        left_on = self.customer.clock.date(day)
        self.customer.agenda.at(noticed, lambda t: self.notice(contact, t, left_on.isoformat()))
        if self.rng.random() < (0.75 if contact.role == "user" else 0.93):
            arrival = self.customer.clock.next_weekday(day + 4 + int(self.rng.random() * 55))
            when = self.customer.office(arrival, self.rng)
            self.customer.agenda.at(when, partial(self.join, contact.role))

    def notice(self, contact: Contact, at: int, left_on: str) -> None:
        """Mark a bounced contact as gone; a few are deleted."""
        self.customer.facts.note("contact", contact.id, at, left_on=left_on, bounced=True)
        if self.rng.random() < 0.06:
            later = at + int((5 + 60 * self.rng.random()) * DAY)
            self.customer.facts.note("contact", contact.id, later, archived=True)

    def maybe_duplicate(self, day: int, staff: list[Contact]) -> None:
        """Create a duplicate contact through a form; it is merged some days later."""
        if not staff or self.rng.random() >= 0.00025:
            return
        original = staff[int(self.rng.random() * len(staff))]
        at = self.customer.office(day, self.rng)
        number = len(self.contacts)
        key = str(51_000_000_000 + self.customer.index * 1_000_003 + number * 17)
        twin = Contact(
            key, number, original.role, original.first, original.last,
            original.email.replace("@", "+web@"), day, 0.0, left=day,
        )  # fmt: skip
        self.contacts.append(twin)
        self.customer.facts.note(
            "contact", key, at, first=twin.first, last=twin.last, email=twin.email, role=None,
            created=at, title=None, left_on=None, bounced=False, archived=False, merged=(),
        )  # fmt: skip
        merged = at + int((2 + 20 * self.rng.random()) * DAY)
        self.customer.facts.note("contact", key, merged, archived=True)
        self.customer.facts.note("contact", original.id, merged, merged=(key,))
