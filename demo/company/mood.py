"""A customer's hidden satisfaction: a slow random walk around its fit, moved by events."""

from __future__ import annotations

from random import Random

LOWEST, HIGHEST = 0.0, 10.0


class Mood:
    """``value`` is the satisfaction today, 0 to 10; ``history`` holds it day by day."""

    def __init__(self, fit: float, rng: Random) -> None:
        self.rng = rng
        self.fit = fit
        self.centre = fit
        self.value = min(9.6, fit + rng.gauss(0.3, 0.5))
        self.history: list[float] = []

    def step(self) -> None:
        """Advance one day: random drift and slow return to the centre."""
        self.centre += 0.004 * (self.fit - self.centre) + self.rng.gauss(0, 0.035)
        self.value += 0.014 * (self.centre - self.value) + self.rng.gauss(0, 0.10)
        self.value = min(HIGHEST, max(LOWEST, self.value))
        self.history.append(self.value)

    def shock(self, size: float) -> None:
        """Change satisfaction by ``size``; a third of it lasts."""
        self.value = min(HIGHEST, max(LOWEST, self.value + size))
        self.centre = min(HIGHEST, max(LOWEST, self.centre + size / 3))
