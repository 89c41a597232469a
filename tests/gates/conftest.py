"""Fixture: a folder of suites."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gates.gate_inputs import MART_SUITE, THINGS_SUITE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw_shop_things.yml").write_text(THINGS_SUITE)
    (tmp_path / "marts_fct_things.yml").write_text(MART_SUITE)
    return tmp_path
