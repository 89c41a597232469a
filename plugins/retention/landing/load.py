"""State of an open load, and the result of a committed one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from retention.warehouse import tick
from retention.window import Window

# Seconds between two keep-alive queries: below idle_in_transaction_session_timeout, and
# frequent enough to notice a lost connection early.
KEEP_ALIVE_SECONDS = 30.0


@dataclass(frozen=True)
class LoadResult:
    """Counts of one committed load, as in ``ops.loads``.

    ``set_aside`` counts the values and list items that broke the contract of their record.
    """

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
    set_aside: int = 0


@dataclass
class Load:
    """An open load: write through ``conn``, set the counters, leave the block to commit."""

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
    set_aside: int = 0
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
        """Return whether a newer window was loaded before: its records may be outdated."""
        return self.cursor is not None and self.window.end < self.cursor

    def keep_alive(self) -> None:
        """Query the server every KEEP_ALIVE_SECONDS; raises when the connection is lost."""
        if time.monotonic() - self._beat > KEEP_ALIVE_SECONDS:
            self.conn.execute("select 1")
            self._beat = time.monotonic()

    def commit_time(self) -> datetime:
        """Return ``loaded_at``. Call it late: other commits wait until this load ends."""
        if self.loaded_at is None:
            self.loaded_at = tick(self.conn)
        return self.loaded_at
