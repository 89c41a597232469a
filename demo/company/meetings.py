"""Simulate meetings: planned, moved, cancelled, missed or held, including reviews."""

from __future__ import annotations

from dataclasses import dataclass

from demo.company.chance import logistic, weighted
from demo.company.clock import DAY, HOUR
from demo.company.customer import Customer
from demo.company.people import Contact, People

REVIEW = "Quarterly business review"
EVERY = {"SMB": 70, "Mid-Market": 31, "Enterprise": 16}  # days between check-ins
REVIEWED = {"SMB": 0.40, "Mid-Market": 0.90, "Enterprise": 1.0}
LASTS = {REVIEW: 5400, "Check-in": 1800, "Renewal": 3600, "Onboarding": 3600}  # seconds
# meeting kind -> probability of attendance by role
COMES = {
    REVIEW: {"decision_maker": 0.85, "champion": 0.8, "economic_buyer": 0.35, "user": 0.05},
    "Check-in": {"decision_maker": 0.22, "champion": 0.85, "economic_buyer": 0.03, "user": 0.06},
    "Renewal": {"decision_maker": 0.8, "champion": 0.4, "economic_buyer": 0.7, "user": 0.0},
    "Onboarding": {"decision_maker": 0.5, "champion": 0.9, "economic_buyer": 0.05, "user": 0.3},
}
SECTIONS = ("results", "kpi_vs_plan", "next_plans", "goal_changes")
RISKS = ("budget_risk", "new_competitor", "strategy_change", "reorganisation")


@dataclass(slots=True)
class Meeting:
    """One meeting that has not taken place yet."""

    id: str
    kind: str
    start: int
    leads: bool
    moves: int = 0


class Meetings:
    """Plan a customer's meetings and simulate their outcomes."""

    def __init__(self, customer: Customer, people: People) -> None:
        self.customer, self.people = customer, people
        self.rng = customer.streams["meetings"]
        self.made = 0
        self.next_check_in: int | None = None

    def step(self, day: int) -> None:
        """Plan the meetings due today; none before day 0 or without a contract."""
        if day < 0 or self.customer.contract is None:
            return
        if day == self.customer.clock.quarter_start(day):
            self.maybe_review(day)
        if self.next_check_in is None:
            newcomer = day - self.customer.profile.arrives < 3
            self.plan(day, "Onboarding" if newcomer else "Check-in", 3 + int(self.rng.random() * 9))
            self.next_check_in = day + 20 + int(self.rng.random() * 20)
        elif day >= self.next_check_in:
            self.plan(day, "Check-in", 5 + int(self.rng.random() * 10))
            care = 1.35 - 0.45 * self.customer.owner(day).diligence
            pace = EVERY[self.customer.profile.segment] * care * (0.7 + 0.6 * self.rng.random())
            self.next_check_in = day + max(5, int(pace))

    def maybe_review(self, day: int) -> None:
        """Plan a review in most quarters, depending on the owner's diligence."""
        draw, place = self.rng.random(), self.rng.random()
        settled = day - self.customer.profile.arrives >= 30
        diligence = self.customer.owner(day).diligence
        if settled and draw < REVIEWED[self.customer.profile.segment] * (0.5 + 0.5 * diligence):
            self.customer.agenda.at(
                self.customer.office(
                    self.customer.clock.next_weekday(day + int(place * 55)), self.rng
                ),
                lambda at: self.plan(self.customer.clock.day_of(at), REVIEW, 14),
            )

    def plan(self, day: int, kind: str, lead: int, moves: int = 0) -> None:
        """Put a meeting into the calendar, ``lead`` days ahead."""
        created = self.customer.office(day, self.rng)
        held = self.customer.clock.next_weekday(self.customer.clock.day_of(created) + max(1, lead))
        start = self.customer.office(held, self.rng, 9, 16) // 900 * 900
        people = self.invited(kind)
        self.made += 1
        meeting = Meeting(
            str(71_000_000_000 + self.customer.index * 1_000_003 + self.made * 13), kind, start,
            any(c.role == "decision_maker" for c in people), moves,
        )  # fmt: skip
        self.customer.facts.note(
            "meeting", meeting.id, created, title=f"{kind}: {self.customer.profile.name}",
            type=kind, start=start, end=start + LASTS[kind], outcome="SCHEDULED",
            owner=self.customer.owner(day).id, people=tuple(c.id for c in people), document=None,
            sections=None, risks=None, archived=False,
        )  # fmt: skip
        eve = max(created + HOUR, start - int((0.2 + 2.2 * self.rng.random()) * DAY))
        self.customer.agenda.at(min(eve, start - 60), lambda at: self.eve(meeting, at))

    def invited(self, kind: str) -> list[Contact]:
        """Return the attendees, at least one."""
        staff = self.people.present()
        chosen = [c for c in staff if self.rng.random() < COMES[kind][c.role]]
        return chosen or staff[:1]

    def eve(self, meeting: Meeting, at: int) -> None:
        """Shortly before the meeting, cancel it (unhappy customers) or move it (busy ones)."""
        cool = logistic((4.9 - self.customer.mood.value) * 1.1)
        draw = self.rng.random()
        if self.customer.contract is None or draw < 0.04 + 0.34 * cool:
            self.note(meeting, at, outcome="CANCELED")
            if meeting.kind == REVIEW and meeting.moves < 2 and self.rng.random() < 0.55:
                self.again(meeting, at)
        elif draw > 0.89 and meeting.moves < 2:
            self.move(meeting, at)
        else:
            self.customer.agenda.at(meeting.start, lambda t: self.happen(meeting, t, cool))

    def note(self, meeting: Meeting, at: int, **changes: object) -> None:
        self.customer.facts.note("meeting", meeting.id, at, **changes)

    def move(self, meeting: Meeting, at: int) -> None:
        """Change the date of the meeting (half of them) or create a new one."""
        day = self.customer.clock.day_of(meeting.start)
        lead = 2 + int(self.rng.random() * 9)
        if self.rng.random() < 0.5:
            self.note(meeting, at, outcome="RESCHEDULED")
            self.again(meeting, at)
            return
        held = self.customer.clock.next_weekday(day + lead)
        meeting.start = self.customer.office(held, self.rng, 9, 16) // 900 * 900
        meeting.moves += 1
        self.note(meeting, at, start=meeting.start, end=meeting.start + LASTS[meeting.kind])
        self.customer.agenda.at(meeting.start - 2 * HOUR, lambda t: self.eve(meeting, t))

    def again(self, meeting: Meeting, at: int) -> None:
        """Look for another date on the next day."""
        if self.customer.contract is not None:
            following = self.customer.clock.next_weekday(self.customer.clock.day_of(at) + 1)
            self.plan(following, meeting.kind, 2 + int(self.rng.random() * 9), meeting.moves + 1)

    def happen(self, meeting: Meeting, at: int, cool: float) -> None:
        """Hold or miss the meeting; the outcome is recorded later, sometimes never."""
        written = at + 2400 + int(self.rng.expovariate(1 / 8.0) * HOUR)
        draw = self.rng.random()
        if draw < 0.02 + 0.09 * cool:
            self.note(meeting, written, outcome="NO_SHOW")
        elif draw < 0.965:
            self.held(meeting, written)
        if self.rng.random() < 0.008:
            self.note(meeting, written + 3 * DAY, archived=True)

    def held(self, meeting: Meeting, written: int) -> None:
        """Hold the meeting; a review leaves a document and raises satisfaction."""
        mood = self.customer.mood.value
        risky = self.rng.random() < 0.35 * logistic((5.2 - mood) * 1.3)
        risk = weighted(self.rng, [(r, 1.0) for r in RISKS]) if risky else None
        self.note(meeting, written, outcome="COMPLETED", risks=risk)
        if meeting.kind != REVIEW:
            self.customer.mood.shock(0.03)
            return
        self.customer.mood.shock(0.22 if meeting.leads else 0.08)
        diligence = self.customer.owner(self.customer.clock.day_of(written)).diligence
        if self.rng.random() < 0.35 + 0.62 * diligence:
            filed = written + int(self.rng.random() * 60 * HOUR)
            kept = [s for s in SECTIONS if self.rng.random() < 0.4 + 0.58 * diligence]
            self.note(
                meeting, filed, document=f"https://docs.vendor.example/reviews/{meeting.id}",
                sections=";".join(kept) or None,
            )  # fmt: skip
        sentiment = max(1, min(5, round(mood / 2 + self.rng.gauss(0.25, 0.7))))
        self.customer.facts.note(
            "company", self.customer.profile.company_id, written, sentiment=sentiment
        )
