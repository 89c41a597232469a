"""A load as those who write to it see it, and what is left of it when it has committed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from retention.warehouse import tick
from retention.window import Window

# Seconds between two signs of life while a vendor is read: well below the server's limit for
# an idle transaction, and often enough to notice early that the connection is lost.
PULSE = 30.0


@dataclass(frozen=True)
class LoadResult:
    """What one load left behind; the same numbers stand in ``ops.loads``."""

    load_id: int
    source: str
    stream: str
    window: Window
    records_seen: int
    versions_written: int
    rejected: int
    sanitised: int
    seconds: float
    loaded_at: datetime


@dataclass
class Load:
    """An open load: write over ``conn``, fill in the counters, leave the block to commit."""

    conn: psycopg.Connection
    load_id: int
    source: str
    stream: str
    window: Window
    cursor: datetime | None
    records_seen: int = 0
    versions_written: int = 0
    rejected: int = 0
    sanitised: int = 0
    requests: int | None = None
    control_total: float | None = None
    loaded_at: datetime | None = None
    result: LoadResult | None = None
    _beat: float = field(default_factory=time.monotonic)

    @property
    def where(self) -> str:
        return f"{self.source}/{self.stream} {self.window}"

    @property
    def is_backfill(self) -> bool:
        """Whether a newer window was loaded before: what it brings may be yesterday's news."""
        return self.cursor is not None and self.window.end < self.cursor

    def stay_alive(self) -> None:
        """Show the server now and then that this run is alive; raises once it has given up."""
        if time.monotonic() - self._beat > PULSE:
            self.conn.execute("select 1")
            self._beat = time.monotonic()

    def commit_time(self) -> datetime:
        """The load's ``loaded_at``. Ask late: other commits wait until this load ends."""
        if self.loaded_at is None:
            self.loaded_at = tick(self.conn)
        return self.loaded_at
