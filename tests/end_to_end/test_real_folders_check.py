"""The check before loading, on folders that nobody here wrote."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from retention.cli import app
from tests.places import SHARED, needs_shared_data

pytestmark = [*needs_shared_data, pytest.mark.slow]


@pytest.mark.parametrize(("name", "warnings"), [("fightchurn", 13), ("ravenstack", 75)])
def test_the_check_before_loading_finds_oddities_and_no_error(name: str, warnings: int) -> None:
    result = CliRunner().invoke(app, ["files", "check", str(SHARED / name)])
    said = result.output.splitlines()
    assert result.exit_code == 0
    assert said[-1] == f"0 errors, {warnings} warnings in {SHARED / name}"


def test_ids_that_stand_for_two_events_are_told_before_loading() -> None:
    """Keys that are not unique are the check's alone: both rows load, under a longer key."""
    result = CliRunner().invoke(app, ["files", "check", str(SHARED / "ravenstack")])
    twins = [line for line in result.output.splitlines() if line.endswith("[repeated_value]")]
    assert len(twins) == 21
    places = {line.split(":")[1] for line in twins} | {line.split()[-2] for line in twins}
    assert len(places) == 42
