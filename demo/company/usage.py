"""Product usage: events per user and feature, driven by satisfaction, late and sent twice at times.

Counts come from a hash of user and day, everything else of an event from a hash of the event:
nothing is drawn in sequence, so a longer history leaves all earlier events as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from demo.company.clock import DAY, Clock
from demo.company.life import Life
from demo.company.people import Contact
from demo.company.usage_events import FEATURES, Draws, event_table, hashed, uniform

RATES = {"decision_maker": 0.12, "champion": 1.1, "economic_buyer": 0.04, "user": 0.58}
MOST_A_DAY = 12


@dataclass(frozen=True, slots=True)
class Activity:
    """Expected events of one customer: ``rates[user, day]`` from ``first`` on."""

    life: Life
    users: list[Contact]
    first: int
    rates: np.ndarray


def activity(life: Life, until: int) -> Activity | None:
    """How much each user is expected to do each day of the history."""
    users = [c for c in life.people.contacts if c.joined < until]
    first = max(0, life.profile.arrives)
    if not users or first >= until:
        return None
    days = np.arange(first, until)
    level = product_in_use(life, days) * mood_factor(life, days) * weekday_factor(life, days)
    rates = np.empty((len(users), len(days)))
    for row, user in enumerate(users):
        left = user.left if user.left is not None else until
        there = (days >= user.joined) & (days < left)
        settling = np.clip(0.35 + (days - user.joined) / 40.0, 0.0, 1.0)
        rates[row] = RATES[user.role] * np.exp(0.45 * user.bias) * there * settling * level
    return Activity(life, users, first, rates)


def product_in_use(life: Life, days: np.ndarray) -> np.ndarray:
    """1 while subscribed, little while paused or after having decided to leave."""
    share = np.zeros(len(days))
    for contract in life.contracts:
        begins = life.clock.day_of(contract.start)
        ends = days[-1] + 1 if contract.ended_at is None else life.clock.day_of(contract.ended_at)
        share[(days >= begins) & (days < ends)] = 1.0
    for begins, ends, factor in life.quiet_spells:
        share[(days >= begins) & (days < (ends if ends is not None else days[-1] + 1))] *= factor
    return share


def mood_factor(life: Life, days: np.ndarray) -> np.ndarray:
    """Content customers use it more, by an S-curve around a mood of 5.4."""
    history = np.array(life.mood.history)
    mood = history[days - life.profile.arrives]
    return np.asarray(np.clip(0.12 + 0.88 / (1 + np.exp(-(mood - 5.4) / 1.05)), 0, 1))


def weekday_factor(life: Life, days: np.ndarray) -> np.ndarray:
    """Full on working days, little at weekends, less in August and late December."""
    weekday = (life.clock.start.weekday() + days) % 7
    factor = np.where(weekday < 5, np.where(weekday == 4, 0.85, 1.0), 0.06)
    dates = np.datetime64(life.clock.start, "D") + days
    month = dates.astype("datetime64[M]").astype(int) % 12
    day = (dates - dates.astype("datetime64[M]")).astype(int) + 1
    factor = np.where(month == 7, factor * 0.82, factor)
    return np.where((month == 11) & (day >= 22), factor * 0.45, factor)


def poisson(rates: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The Poisson quantile of each draw, at most MOST_A_DAY."""
    counts = np.zeros(rates.shape, np.int64)
    term = np.exp(-rates)
    reached = term.copy()
    for k in range(1, MOST_A_DAY + 1):
        more = draws > reached
        if not more.any():
            break
        counts += more
        term = term * rates / k
        reached += term
    return counts


def draw(active: Activity) -> Draws:
    """The events of one customer, user by user in time order."""
    life, seed = active.life, active.life.streams.seed_of("usage")
    numbers = np.array([user.number for user in active.users], np.uint64)
    days = np.arange(active.first, active.first + active.rates.shape[1])
    cells = hashed(np.uint64(seed), numbers[:, None] * np.uint64(4096) + days.astype(np.uint64))
    counts = poisson(active.rates, uniform(cells))
    rows, columns = np.nonzero(counts)
    repeats = counts[rows, columns]
    rows, columns = np.repeat(rows, repeats), np.repeat(columns, repeats)
    begins = np.cumsum(repeats) - repeats
    sequence = np.arange(len(rows)) - np.repeat(begins, repeats)
    words = hashed(cells[rows, columns], sequence.astype(np.uint64))
    history = np.array(life.mood.history)
    return Draws(
        company=life.profile.company_id, zone=life.profile.zone,
        users=[user.id for user in active.users], user=rows, day=days[columns], words=words,
        mood=history[days[columns] - life.profile.arrives],
    )  # fmt: skip


def simulate_usage(lives: list[Life], clock: Clock, days: int) -> pa.Table:
    """All events received before the end of the history, in the order of their arrival."""
    drawn = [draw(found) for life in lives if (found := activity(life, days)) is not None]
    return event_table(drawn, clock, clock.zero + days * DAY)


__all__ = ["FEATURES", "simulate_usage"]
