"""One small demo company for all tests here: simulated, served, loaded and published once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from demo.company.simulation import simulate
from demo.company.world import World
from demo.servers.app import Servers, serve
from retention import migration
from retention.settings import Settings
from retention.sources import SOURCES as DECLARED
from tests.conftest import copy_database, disconnect, drop_database
from tests.end_to_end.company import FIRST, Company

_numbers = count(1)


@pytest.fixture(scope="session")
def world() -> World:
    """Forty customers through five days after the first load; the fifth is a Sunday."""
    return simulate(seed=7, customers=40, days=735)


@pytest.fixture(scope="session")
def servers(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with serve(world, FIRST, folder=tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="session")
def loaded_once(cluster: Settings, servers: Servers) -> Iterator[Company]:
    """All of history through the first day, loaded; a template that no test touches."""
    settings = replace(cluster, company="loaded")
    copy_database(cluster, settings)
    company = Company(settings, servers)
    migration.migrate(company.wh, DECLARED)
    company.load_day(FIRST)
    yield company
    drop_database(settings)


@pytest.fixture
def empty(cluster: Settings, servers: Servers) -> Iterator[Company]:
    """The company before anything was loaded."""
    settings = replace(cluster, company=f"daily{next(_numbers)}")
    copy_database(cluster, settings)
    company = Company(settings, servers)
    migration.migrate(company.wh, DECLARED)
    yield company
    drop_database(settings)


@pytest.fixture(scope="session")
def published_once(loaded_once: Company) -> Iterator[Company]:
    """The first day published; a template that no test touches."""
    company = loaded_once.copied("published")
    company.transform(FIRST)
    disconnect(company.settings)
    yield company
    drop_database(company.settings)


@pytest.fixture
def loaded(loaded_once: Company) -> Iterator[Company]:
    """The company as after its first load."""
    yield from _copy(loaded_once)


@pytest.fixture
def published(published_once: Company) -> Iterator[Company]:
    """The company as after its first daily run."""
    yield from _copy(published_once)


def _copy(template: Company) -> Iterator[Company]:
    company = template.copied(f"daily{next(_numbers)}")
    try:
        template.servers.data_faults.switch_off()
        company.show(FIRST)
        yield company
    finally:
        template.servers.data_faults.switch_off()
        drop_database(company.settings)
