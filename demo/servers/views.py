"""Show the world at one instant, through the account at one vendor.

A request answers from one View, so it sees one instant even while the clock moves. ``View.memo``
caches what is computed once per instant.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar

from starlette.requests import Request

from demo.servers.clock import Clock, instant_after
from demo.servers.data_faults import DataFaults, inject

T = TypeVar("T")
Versions = dict[str, Any]  # record id -> demo.company.world.Version


class World(Protocol):
    """The interface of demo.company.world.World that the servers use."""

    records: dict[tuple[str, str], dict[str, list[Any]]]
    events: Any
    start: date
    days: int

    def visible(self, vendor: str, stream: str, at: datetime) -> Versions:
        """Return the newest version before ``at`` of every record of the stream."""


class View:
    """The world at one instant."""

    def __init__(self, world: World, instant: datetime) -> None:
        self.world = world
        self.instant = instant
        self._memo: dict[Hashable, Any] = {}

    def has(self, vendor: str, stream: str) -> bool:
        """Return whether the vendor has this stream, empty or not."""
        return (vendor, stream) in self.world.records

    def visible(self, vendor: str, stream: str) -> Versions:
        """Return the newest version of every record, deleted ones included; empty if unknown."""
        if not self.has(vendor, stream):
            return {}
        return self.memo(
            ("visible", vendor, stream),
            lambda: self.world.visible(vendor, stream, self.instant),
        )

    def memo(self, key: Hashable, build: Callable[[], T]) -> T:
        """Return ``build()``, called once per ``key`` and instant."""
        if key not in self._memo:
            self._memo[key] = build()
        found: T = self._memo[key]
        return found


class Views:
    """Share views between the requests of all vendors; keep the three used last."""

    keep = 3

    def __init__(
        self, world: World, clock: Clock, data_faults: Callable[[], DataFaults | None]
    ) -> None:
        self.world = world
        self.clock = clock
        self._data_faults = data_faults
        self._views: OrderedDict[Hashable, View] = OrderedDict()
        self._faulty: tuple[DataFaults, World] | None = None

    def now(self, lag: timedelta = timedelta(0)) -> View:
        """Return the world as of the clock, or ``lag`` earlier, as a slow index shows it."""
        as_of = self.clock.as_of
        bad = self._data_faults()
        if bad is not None and as_of < bad.day:
            bad = None
        key = (as_of, lag, bad)
        if key not in self._views:
            self._views[key] = View(self._world(bad), instant_after(as_of) - lag)
            while len(self._views) > self.keep:
                self._views.popitem(last=False)
        self._views.move_to_end(key)
        return self._views[key]

    def _world(self, bad: DataFaults | None) -> World:
        if bad is None:
            return self.world
        if self._faulty is None or self._faulty[0] != bad:
            self._faulty = (bad, inject(self.world, bad))
        return self._faulty[1]


@dataclass
class Account:
    """The demo company's account at one vendor: its token and its views."""

    vendor: str
    token: str
    views: Views
    folder: Path | None = None
    counters: dict[str, int] = field(default_factory=dict)

    def view(self, request: Request) -> View:
        """Return the single view that ``request`` sees."""
        if "demo.view" not in request.scope:
            lag = request.scope.get("demo.lag", timedelta(0))
            request.scope["demo.view"] = self.views.now(lag)
        view: View = request.scope["demo.view"]
        return view

    def count(self, name: str) -> int:
        """Increment the counter ``name`` and return it."""
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]
