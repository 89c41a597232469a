"""Convert simulated time: day numbers from the start of the history, instants in Unix seconds."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from random import Random
from zoneinfo import ZoneInfo

DAY = 86_400
HOUR = 3_600
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """Day 0 is ``start``; days before it are negative."""

    start: date

    @cached_property
    def zero(self) -> int:
        """Return the first instant of day 0."""
        return (self.start - EPOCH).days * DAY

    def midnight(self, day: int) -> int:
        """Return the first instant of ``day``."""
        return self.zero + day * DAY

    def day_of(self, at: int) -> int:
        """Return the day that contains the instant."""
        return (at - self.zero) // DAY

    def date(self, day: int) -> date:
        """Return the calendar date of ``day``."""
        return self.start + timedelta(days=day)

    def is_month_end(self, day: int) -> bool:
        """Return whether ``day`` is the last of its month."""
        return self.date(day + 1).day == 1

    def is_weekday(self, day: int) -> bool:
        """Return whether the day is Monday to Friday."""
        return (self.start.weekday() + day) % 7 < 5

    def next_weekday(self, day: int) -> int:
        """Return ``day`` itself, or the following Monday."""
        while not self.is_weekday(day):
            day += 1
        return day

    def quarter_start(self, day: int) -> int:
        """Return the first day of the calendar quarter that contains ``day``."""
        when = self.date(day)
        first = date(when.year, 3 * ((when.month - 1) // 3) + 1, 1)
        return (first - self.start).days

    def office(self, day: int, zone: str, rng: Random, first: int = 9, last: int = 17) -> int:
        """Draw a second of ``day`` (UTC) within the office hours of ``zone``."""
        local = first * HOUR + int(rng.random() * (last - first) * HOUR)
        # Morning in Sydney is the previous evening in UTC. The time within the same UTC day is
        # used, because the previous day is already over.
        return self.midnight(day) + (local - offset(zone, self.date(day))) % DAY


@cache
def offset(zone: str, day: date) -> int:
    """Return the seconds by which ``zone`` is ahead of UTC at noon of ``day``."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    gap = noon.utcoffset()
    return int(gap.total_seconds()) if gap else 0


def as_date(at: int) -> date:
    """Return the UTC date of an instant."""
    return EPOCH + timedelta(days=at // DAY)


def as_datetime(at: float) -> datetime:
    """Return the instant as a datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)


def add_months(at: int, months: int) -> int:
    """Add months, keeping day and time; a missing day becomes the last of the month.

    Always computed from the anchor: 31 January, 28 February, 31 March, as with Stripe's billing
    cycle anchor.
    """
    day, seconds = as_date(at), at % DAY
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    last = monthrange(year, month + 1)[1]
    moved = date(year, month + 1, min(day.day, last))
    return (moved - EPOCH).days * DAY + seconds
