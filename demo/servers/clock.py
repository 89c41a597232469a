"""Hold the simulated date of the servers, in memory or in a file.

``as_of`` is the last complete day; the servers show the world at the following midnight (UTC).
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol


class Clock(Protocol):
    """Any source of the last complete day."""

    @property
    def as_of(self) -> date:
        """Return the last complete day."""


class SetClock:
    """Clock held in memory: ``clock.as_of = date(2026, 7, 1)``."""

    def __init__(self, as_of: date) -> None:
        self.as_of = as_of


class FileClock:
    """Clock held in a file with one ISO date, so that other processes can move it.

    A missing or half-written file leaves the date unchanged.
    """

    def __init__(self, path: Path, as_of: date | None = None) -> None:
        self.path = path
        if as_of is not None:
            self.move(as_of)
        self._last = date.fromisoformat(path.read_text().strip())

    @property
    def as_of(self) -> date:
        """Return the date that the file holds now."""
        with suppress(OSError, ValueError):
            self._last = date.fromisoformat(self.path.read_text().strip())
        return self._last

    def move(self, as_of: date) -> None:
        """Set the clock to ``as_of`` atomically: a reader sees the old date or the new one."""
        write_atomically(self.path, as_of.isoformat() + "\n")


def move(folder: Path, as_of: date, *, patience: float = 60.0) -> None:
    """Set the clock of the servers over ``folder`` (state/demo) and wait until they follow.

    Return once they serve ``as_of``, export files included. Raise TimeoutError after ``patience``
    seconds.
    """
    write_atomically(folder / "clock", as_of.isoformat() + "\n")
    deadline = monotonic() + patience
    while not _serves(folder, as_of):
        if monotonic() > deadline:
            raise TimeoutError(
                f"the demo servers over {folder} do not serve {as_of} after {patience:.0f} s"
            )
        sleep(0.02)


def _serves(folder: Path, as_of: date) -> bool:
    try:
        return (folder / "served").read_text() == as_of.isoformat()
    except FileNotFoundError:
        return False


def instant_after(as_of: date) -> datetime:
    """Return the instant at which ``as_of`` is complete: the following midnight, UTC."""
    return datetime.combine(as_of + timedelta(days=1), time(), tzinfo=UTC)


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace ``path`` with ``text`` atomically: a reader never sees a partial file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.touch(mode=mode)
    fresh.write_text(text)
    fresh.replace(path)
