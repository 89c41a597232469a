"""Simulated time: day numbers counted from the start of the history, instants as unix seconds."""

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
        """The first instant of day 0."""
        return (self.start - EPOCH).days * DAY

    def midnight(self, day: int) -> int:
        """The first instant of ``day``."""
        return self.zero + day * DAY

    def day_of(self, at: int) -> int:
        """The day that contains the instant."""
        return (at - self.zero) // DAY

    def date(self, day: int) -> date:
        """The calendar date of ``day``."""
        return self.start + timedelta(days=day)

    def is_month_end(self, day: int) -> bool:
        """Whether ``day`` is the last of its month."""
        return self.date(day + 1).day == 1

    def is_weekday(self, day: int) -> bool:
        """Monday to Friday."""
        return (self.start.weekday() + day) % 7 < 5

    def next_weekday(self, day: int) -> int:
        """``day`` itself, or the Monday after it."""
        while not self.is_weekday(day):
            day += 1
        return day

    def quarter_start(self, day: int) -> int:
        """The first day of the calendar quarter that contains ``day``."""
        when = self.date(day)
        first = date(when.year, 3 * ((when.month - 1) // 3) + 1, 1)
        return (first - self.start).days

    def office(self, day: int, zone: str, rng: Random, first: int = 9, last: int = 17) -> int:
        """A second of ``day`` (UTC) that falls into the office hours of ``zone``."""
        local = first * HOUR + int(rng.random() * (last - first) * HOUR)
        # Morning in Sydney is the evening before in UTC; that of the same UTC day is taken,
        # or else a day would reach back into one that is over.
        return self.midnight(day) + (local - offset(zone, self.date(day))) % DAY


@cache
def offset(zone: str, day: date) -> int:
    """Seconds by which ``zone`` is ahead of UTC at noon of ``day``."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    gap = noon.utcoffset()
    return int(gap.total_seconds()) if gap else 0


def as_date(at: int) -> date:
    """The UTC date of an instant."""
    return EPOCH + timedelta(days=at // DAY)


def as_datetime(at: float) -> datetime:
    """The instant as a datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)


def add_months(at: int, months: int) -> int:
    """The same day of the month and time ``months`` later; a missing day becomes the last.

    Always computed from the anchor, so that 31 January, 28 February, 31 March follow
    one another as Stripe's billing cycle anchor makes them.
    """
    day, seconds = as_date(at), at % DAY
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    last = monthrange(year, month + 1)[1]
    moved = date(year, month + 1, min(day.day, last))
    return (moved - EPOCH).days * DAY + seconds
