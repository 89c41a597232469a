"""Simulate goals agreed with the customer and their progress."""

from __future__ import annotations

from demo.company.clock import DAY
from demo.company.customer import Customer

# name, from, to
GOALS = (
    ("Cut planning time per week (hours)", 20, 12),
    ("On-time deliveries (%)", 82, 94),
    ("Share of orders without rework (%)", 88, 96),
    ("Active users per month", 10, 25),
    ("Days from order to invoice", 14, 6),
    ("Reports made by hand per month", 40, 8),
)
CHECKED_EVERY = 45


class Goals:
    """One or two goals at a time; a finished goal is followed by another."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.rng = customer.streams["goals"]
        self.made = 0

    def begin(self, at: int) -> None:
        """After the first payment: small customers rarely agree on goals."""
        count = {"SMB": 1, "Mid-Market": 1, "Enterprise": 2}[self.customer.profile.segment]
        for _ in range(count):
            if self.customer.profile.segment != "SMB" or self.rng.random() < 0.4:
                later = max(at, self.customer.clock.zero) + int((6 + 40 * self.rng.random()) * DAY)
                self.customer.agenda.at(later, self.agree)

    def agree(self, at: int) -> None:
        """Record a goal with baseline, target and due date."""
        if self.customer.contract is None:
            return
        self.made += 1
        key = str(81_000_000_000 + self.customer.index * 1_000_003 + self.made * 5)
        name, low, high = GOALS[int(self.rng.random() * len(GOALS))]
        baseline = round(low * (0.85 + 0.3 * self.rng.random()), 1)
        target = round(high * (0.9 + 0.2 * self.rng.random()), 1)
        due = at + int((150 + 220 * self.rng.random()) * DAY)
        day = self.customer.clock.date(self.customer.clock.day_of(due))
        self.customer.facts.note(
            "goal", key, at, name=name, baseline=baseline, target=target, current=baseline,
            due_on=day.isoformat(), status="in_progress", archived=False,
        )  # fmt: skip
        self.next_check(key, at, (baseline, target, 0.0), due)

    def next_check(self, key: str, at: int, course: tuple[float, float, float], due: int) -> None:
        pace = CHECKED_EVERY * (0.7 + 0.6 * self.rng.random())
        self.customer.agenda.at(
            min(at + int(pace * DAY), due), lambda t: self.check(key, course, due, t)
        )

    def check(self, key: str, course: tuple[float, float, float], due: int, at: int) -> None:
        """Update progress; it is faster at high satisfaction."""
        baseline, target, done = course
        if self.customer.contract is None:
            self.customer.facts.note("goal", key, at, status="dropped")
            return
        done += max(-0.05, self.rng.gauss(0.055 * (self.customer.mood.value - 3.2), 0.09))
        current = round(baseline + (target - baseline) * min(done, 1.1), 1)
        if done >= 1.0:
            self.customer.facts.note("goal", key, at, current=current, status="achieved")
            self.customer.mood.shock(0.3)
        elif at >= due:
            self.customer.facts.note("goal", key, at, current=current, status="missed")
            self.customer.mood.shock(-0.25)
        else:
            self.customer.facts.note("goal", key, at, current=current)
            self.next_check(key, at, (baseline, target, done), due)
            return
        self.customer.agenda.at(at + int((5 + 40 * self.rng.random()) * DAY), self.agree)
