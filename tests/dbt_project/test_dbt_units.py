"""Run every dbt unit test on a real database."""

from __future__ import annotations

import json

import pytest

from retention import migration
from retention.builds import dbt_runner
from retention.settings import Settings
from retention.sources import SOURCES
from retention.warehouse import Warehouse

DAY = json.dumps({"as_of": "2026-06-30", "known_at": "2026-07-01T06:00:00Z", "build_id": 1})
pytestmark = pytest.mark.slow


def test_every_dbt_unit_test_passes(module_warehouse: Warehouse) -> None:
    """Build without records first: a unit test brings its rows but needs the tables."""
    migration.migrate(module_warehouse, SOURCES)
    settings = module_warehouse.settings or Settings.from_env()
    only = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    day = ["--vars", DAY, "--threads", "4"]
    # One project for both runs, so that it is parsed once.
    with dbt_runner.project(module_warehouse, settings) as project:
        built = project.run(["build", *only, *day])
        assert [node.name for node in built if node.failed] == []
        tested = project.run(["test", "--select", "test_type:unit", *day])
    failed = {node.name: node.message for node in tested if node.failed}
    assert not failed, failed
    assert len(tested) > 20
