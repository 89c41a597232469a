"""The world at one instant, and the account at a vendor that shows it.

A request takes one View and answers from it, so it sees one instant even while the
clock moves. Whatever is worth computing once for an instant is kept in ``View.memo``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

from starlette.requests import Request

from demo.servers.bad_day import BadDay, poison
from demo.servers.clock import Clock, instant_after

T = TypeVar("T")
Versions = dict[str, Any]  # record id -> demo.company.world.Version


class World(Protocol):
    """What the servers need of demo.company.world.World."""

    records: dict[tuple[str, str], dict[str, list[Any]]]
    events: Any
    start: date
    days: int

    def visible(self, vendor: str, stream: str, at: datetime) -> Versions:
        """The newest version before ``at`` of every record of the stream."""


class View:
    """One world at one instant."""

    def __init__(self, world: World, instant: datetime) -> None:
        self.world = world
        self.instant = instant
        self._memo: dict[Hashable, Any] = {}

    def has(self, vendor: str, stream: str) -> bool:
        """Whether the vendor keeps such a stream at all, empty or not."""
        return (vendor, stream) in self.world.records

    def visible(self, vendor: str, stream: str) -> Versions:
        """The newest version of every record, deleted ones included; empty if unknown."""
        if not self.has(vendor, stream):
            return {}
        return self.memo(
            ("visible", vendor, stream),
            lambda: self.world.visible(vendor, stream, self.instant),
        )

    def memo(self, key: Hashable, build: Callable[[], T]) -> T:
        """``build()`` the first time ``key`` is asked for at this instant."""
        if key not in self._memo:
            self._memo[key] = build()
        found: T = self._memo[key]
        return found


class Views:
    """The views that requests of all vendors share; the three used last are kept."""

    keep = 3

    def __init__(self, world: World, clock: Clock, bad_day: Callable[[], BadDay | None]) -> None:
        self.world = world
        self.clock = clock
        self._bad_day = bad_day
        self._views: OrderedDict[Hashable, View] = OrderedDict()
        self._poisoned: tuple[BadDay, World] | None = None

    def now(self, lag: timedelta = timedelta(0)) -> View:
        """The world as of the clock, or ``lag`` before that, as a slow index shows it."""
        as_of = self.clock.as_of
        bad = self._bad_day()
        if bad is not None and as_of < bad.day:
            bad = None
        key = (as_of, lag, bad)
        if key not in self._views:
            self._views[key] = View(self._world(bad), instant_after(as_of) - lag)
            while len(self._views) > self.keep:
                self._views.popitem(last=False)
        self._views.move_to_end(key)
        return self._views[key]

    def _world(self, bad: BadDay | None) -> World:
        if bad is None:
            return self.world
        if self._poisoned is None or self._poisoned[0] != bad:
            self._poisoned = (bad, poison(self.world, bad))
        return self._poisoned[1]


@dataclass
class Account:
    """The demo company's account at one vendor: its token and what it shows."""

    vendor: str
    token: str
    views: Views
    folder: Path | None = None
    counters: dict[str, int] = field(default_factory=dict)

    def view(self, request: Request) -> View:
        """The one instant that ``request`` sees, however often it asks."""
        if "demo.view" not in request.scope:
            lag = request.scope.get("demo.lag", timedelta(0))
            request.scope["demo.view"] = self.views.now(lag)
        view: View = request.scope["demo.view"]
        return view

    def count(self, name: str) -> int:
        """One more of ``name``; the count so far, this one included."""
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]
