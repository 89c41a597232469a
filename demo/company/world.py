"""The demo company's world: simulate it, look at it as of an instant, keep it on disk."""

from __future__ import annotations

import gc
import pickle
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from demo.company import render_hubspot, render_stripe, usage
from demo.company.clock import Clock
from demo.company.life import Life
from demo.company.owners import Roster
from demo.company.versions import CustomerTruth, Version

__all__ = ["Version", "World", "simulate"]

Records = dict[tuple[str, str], dict[str, list[Version]]]


@dataclass(slots=True)
class World:
    """The whole demo company up to the end of day ``start + days - 1``.

    ``records[vendor, stream][id]`` lists versions in time order. ``events`` has one row per
    usage event received, re-sent ones included.
    """

    seed: int
    customers: int
    start: date
    days: int
    records: Records
    events: pa.Table
    truth: dict[str, CustomerTruth]

    def visible(self, vendor: str, stream: str, at: datetime) -> dict[str, Version]:
        """The newest version before ``at`` of each record, deleted ones included."""
        seen = {}
        for record_id, versions in self.records[vendor, stream].items():
            newest = next((v for v in reversed(versions) if v.at < at), None)
            if newest is not None:
                seen[record_id] = newest
        return seen

    def save(self, path: Path) -> None:
        """Write the world so that a reader never finds half of it."""
        draft = path.with_suffix(path.suffix + ".part")
        with draft.open("wb") as file:
            pickle.dump(self, file, protocol=5)
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> World:
        """Read what ``save`` wrote; only ever load files of your own making."""
        # Millions of small objects and no cycles: the collector would cost half the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            with path.open("rb") as file:
                world = pickle.load(file)  # noqa: S301
        finally:
            if collecting:
                gc.enable()
        if not isinstance(world, cls):
            raise TypeError(f"{path} does not hold a World")
        return world


def simulate(
    seed: int = 7, customers: int = 420, start: date = date(2024, 7, 1), days: int = 790
) -> World:
    """The company from before ``start`` to the end of day ``days``.

    The same arguments give the same world; more days or more customers only add to it.
    """
    collecting = gc.isenabled()
    gc.disable()  # as in load: millions of objects that live as long as the world does
    try:
        clock, roster = Clock(start), Roster(seed)
        lives = [Life(seed, index, clock, roster) for index in range(customers)]
        for life in lives:
            life.run(days)
        records: Records = {}
        render_hubspot.render(records, lives, roster, clock, days)
        render_stripe.render(records, lives, clock, days)
        events = usage.simulate_usage(lives, clock, days)
    finally:
        if collecting:
            gc.enable()
    truth = {life.profile.company_id: life.truth for life in lives if life.facts.kinds}
    return World(seed, customers, start, days, records, events, truth)
