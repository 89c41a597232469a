"""Simulate support tickets: arrival, response, resolution and their effect on satisfaction."""

from __future__ import annotations

from random import Random

from demo.company.chance import weighted
from demo.company.clock import DAY, HOUR
from demo.company.customer import Customer
from demo.company.people import People
from demo.company.surveys import Surveys

A_MONTH = {"SMB": 0.45, "Mid-Market": 0.9, "Enterprise": 1.9}
CATEGORIES = (
    ("PRODUCT_ISSUE", 5.0), ("GENERAL_INQUIRY", 2.5), ("FEATURE_REQUEST", 2.0),
    ("BILLING_ISSUE", 1.2),
)  # fmt: skip
CHANNELS = (("EMAIL", 5.0), ("FORM", 2.5), ("CHAT", 2.0), ("PHONE", 0.8))
PRIORITIES = (("LOW", 3.0), ("MEDIUM", 5.0), ("HIGH", 1.8), ("URGENT", 0.5))
SUBJECTS = {
    "PRODUCT_ISSUE": ("Report shows wrong totals", "Import stops half-way", "Slow since Monday",
                      "Automation did not run", "Cannot save record"),
    "GENERAL_INQUIRY": ("How to add a team", "Question about permissions", "Training material"),
    "FEATURE_REQUEST": ("Filter by region", "Bulk edit", "Calendar view", "Export to ERP"),
    "BILLING_ISSUE": ("Invoice address", "Charged twice?", "Change of payment method"),
}  # fmt: skip
SLOWNESS = {"LOW": 2.2, "MEDIUM": 1.2, "HIGH": 0.6, "URGENT": 0.35}


class Tickets:
    """Opens a customer's tickets and carries them to their end."""

    def __init__(self, customer: Customer, people: People, surveys: Surveys) -> None:
        self.customer, self.people, self.surveys = customer, people, surveys
        self.rng = customer.streams["tickets"]
        # A separate stream, so that features added later do not change existing tickets.
        self.later = Random(customer.streams.seed_of("tickets") + 1)
        self.made = 0

    def step(self, day: int) -> None:
        """Open a ticket with a probability that depends on satisfaction and weekday."""
        draw = self.rng.random()
        if day < 0 or self.customer.contract is None:
            return
        rate = A_MONTH[self.customer.profile.segment] / 30.4
        rate *= 1 + 0.28 * max(0.0, 7.2 - self.customer.mood.value)
        rate *= 1.3 if self.customer.clock.is_weekday(day) else 0.25
        if draw < rate:
            self.open(self.customer.office(day, self.rng, 7, 19))

    def open(self, at: int) -> None:
        """A new ticket, with the moments of its reply and its closing."""
        self.made += 1
        key = str(31_000_000_000 + self.customer.index * 1_000_003 + self.made * 11)
        category = weighted(self.rng, CATEGORIES)
        priority = weighted(self.rng, PRIORITIES)
        subjects = SUBJECTS[category]
        staff = self.people.present()
        asker = staff[int(self.rng.random() * len(staff))].id if staff else None
        self.customer.facts.note(
            "ticket", key, at, created=at, category=category, priority=priority, stage="1",
            subject=subjects[int(self.rng.random() * len(subjects))], person=asker, replied=None,
            closed=None, channel=weighted(self.rng, CHANNELS), implemented_on=None, archived=False,
            informed_on=None, owner=self.customer.owner(self.customer.clock.day_of(at)).id,
            thread=f"5{key}", auto_replied=self.auto_reply(at),
        )  # fmt: skip
        if self.later.random() < 0.03:
            self.ask_again(key, at)
        if self.rng.random() < 0.006:
            self.customer.facts.note("ticket", key, at + 2 * HOUR, archived=True)
            return
        wait = self.rng.lognormvariate(1.0, 1.15) * SLOWNESS[priority] * HOUR
        reply = self.working(at + max(120, int(wait)))
        self.customer.agenda.at(reply, lambda t: self.reply(key, category, priority, at, t))

    def auto_reply(self, at: int) -> int | None:
        """Most tickets are acknowledged by a machine in the second they arrive."""
        return at if self.later.random() < 0.6 else None

    def ask_again(self, key: str, at: int) -> None:
        """Create a second ticket of the same thread, closed as a duplicate."""
        state = dict(self.customer.facts.of("ticket")[key][0][1])
        twin, again = str(int(key) + 5), at + int((1 + 5 * self.later.random()) * HOUR)
        state.update(created=again, channel="EMAIL", auto_replied=None)
        self.customer.facts.note("ticket", twin, again, **state)
        self.customer.facts.note("ticket", twin, again + HOUR, stage="4", closed=again + HOUR)

    def working(self, at: int) -> int:
        """Move weekend times to Monday."""
        day = self.customer.clock.day_of(at)
        monday = self.customer.clock.next_weekday(day)
        return at if monday == day else max(at, self.customer.office(monday, self.rng, 8, 12))

    def reply(self, key: str, category: str, priority: str, opened: int, at: int) -> None:
        """Send the first response; a late response to an urgent ticket lowers satisfaction."""
        self.customer.facts.note("ticket", key, at, stage="2", replied=at)
        if at - opened > 8 * HOUR and priority in ("LOW", "MEDIUM") and self.later.random() < 0.15:
            self.customer.facts.note("ticket", key, at, priority="HIGH")
        hours = (at - opened) / HOUR
        if hours > 24:
            self.customer.mood.shock(-0.12 - (0.35 if priority in ("HIGH", "URGENT") else 0.0))
        days = self.rng.lognormvariate(0.3, 1.0) * (2.0 if category == "PRODUCT_ISSUE" else 1.0)
        closing = self.working(at + 600 + int(days * DAY))
        if days > 1:
            self.customer.facts.note("ticket", key, (at + closing) // 2, stage="3")
        self.customer.agenda.at(closing, lambda t: self.close(key, category, opened, t))

    def close(self, key: str, category: str, opened: int, at: int) -> None:
        """Close the ticket; the customer may get a survey."""
        self.customer.facts.note("ticket", key, at, stage="4", closed=at)
        days = (at - opened) / DAY
        if category == "PRODUCT_ISSUE" and days > 8:
            self.customer.mood.shock(-0.25 - 0.5 * self.rng.random())
        if self.rng.random() < 0.04:
            self.reopen(key, at)
        else:
            self.surveys.after_ticket(at, days)
        if category == "FEATURE_REQUEST" and self.rng.random() < 0.38:
            self.implement(key, at)

    def reopen(self, key: str, at: int) -> None:
        """Reopen and close the ticket again."""
        self.customer.mood.shock(-0.2)
        again = at + int((0.3 + 3 * self.rng.random()) * DAY)
        self.customer.facts.note("ticket", key, again, stage="3", closed=None)
        done = again + int((0.5 + 4 * self.rng.random()) * DAY)
        self.customer.facts.note("ticket", key, done, stage="4", closed=done)

    def implement(self, key: str, at: int) -> None:
        """Implement the feature request weeks later; the customer may be informed."""
        built = at + int((8 + 60 * self.rng.random()) * DAY)
        on = self.customer.clock.date(self.customer.clock.day_of(built)).isoformat()
        self.customer.facts.note("ticket", key, built, implemented_on=on)
        if self.rng.random() < 0.6:
            told = built + int(12 * self.rng.random() * DAY) + HOUR
            told_on = self.customer.clock.date(self.customer.clock.day_of(told)).isoformat()
            self.customer.facts.note("ticket", key, told, informed_on=told_on)
            self.customer.agenda.at(told, lambda _: self.customer.mood.shock(0.2))
