"""The demo servers over a small world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.company.world import World
from demo.servers.app import Servers, serve
from tests.demo.servers.small_world import AS_OF, small_world


@pytest.fixture(scope="session")
def world() -> World:
    return small_world()


@pytest.fixture
def servers(world: World, tmp_path: Path) -> Iterator[Servers]:
    with serve(world, AS_OF, folder=tmp_path) as running:
        yield running
