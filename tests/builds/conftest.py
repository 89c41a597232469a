"""Fixture: a warehouse with one record and a small dbt project."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from retention.warehouse import Warehouse
from tests.builds.small_project import FILES
from tests.places import ROOT


@pytest.fixture
def project(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """Create a warehouse with one record and a dbt project of three models."""
    folder = tmp_path / "dbt_project"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    shutil.copy(ROOT / "dbt_project" / "profiles.yml", folder / "profiles.yml")
    assert warehouse.settings is not None
    return replace(warehouse, settings=replace(warehouse.settings, root=tmp_path))
