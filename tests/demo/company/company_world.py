"""The simulated company as the tests look at it; each world is made once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from demo.company.world import Version, World, simulate

EVER = datetime(2100, 1, 1, tzinfo=UTC)
SHORT = 400

Doc = dict[str, Any]


@cache
def whole_world() -> World:
    """The demo company at its usual size."""
    return simulate()


@cache
def small_world() -> World:
    """A company of sixty customers over SHORT days."""
    return simulate(customers=60, days=SHORT)


def docs(world: World, vendor: str, stream: str) -> dict[str, Doc]:
    """The newest document of every record, deleted ones included."""
    return {key: v.doc for key, v in world.visible(vendor, stream, EVER).items()}


def all_versions(world: World) -> Iterator[tuple[str, str, str, list[Version]]]:
    """Vendor, stream, id and versions of every record."""
    for (vendor, stream), records in world.records.items():
        for key, versions in records.items():
            yield vendor, stream, key, versions
