"""The half-open time window of one load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from retention.errors import EmptyWindow, UsageError


@dataclass(frozen=True)
class Window:
    """``[start, end)`` in UTC. ``start`` is None for the first load: all of history.

    Raises EmptyWindow when the end is not after the start: a load of an empty interval
    would otherwise succeed without loading anything.
    """

    start: datetime | None
    end: datetime

    def __post_init__(self) -> None:
        if self.start is not None:
            object.__setattr__(self, "start", _utc(self.start))
        object.__setattr__(self, "end", _utc(self.end))
        if self.start is not None and self.end <= self.start:
            raise EmptyWindow(
                f"the window [{self.start.isoformat()}, {self.end.isoformat()}) is empty.",
                hint="Give an end after the start; in Airflow use CronDataIntervalTimetable.",
            )

    @classmethod
    def of_day(cls, day: date) -> Window:
        """Return the window of one UTC day; loading it makes ``as_of`` that day complete."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return cls(start, start + timedelta(days=1))

    @classmethod
    def through(cls, day: date) -> Window:
        """Return the window of all history through the end of ``day``."""
        return cls(None, cls.of_day(day).end)

    def __str__(self) -> str:
        start = self.start.isoformat() if self.start else "the beginning"
        return f"[{start}, {self.end.isoformat()})"


def _utc(moment: datetime) -> datetime:
    """Convert to a plain datetime: Airflow passes pendulum times, whose arithmetic differs."""
    if moment.tzinfo is None:
        raise UsageError(f"a window needs times with a time zone, got {moment}")
    return datetime.fromtimestamp(moment.timestamp(), UTC)
