"""Gate 2 rejects a survey report whose parts do not add up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from retention.errors import GateFailed
from retention.gates.gate import check, require
from retention.warehouse import Warehouse

REPORT = "marts.fct_survey_monthly"
pytestmark = pytest.mark.slow


def execute(wh: Warehouse, *texts: str) -> None:
    with wh.connect("transformer") as conn:
        for text in texts:
            conn.execute(text)


@pytest.fixture
def report(built: Warehouse) -> Iterator[Warehouse]:
    """Yield the built report and restore it after the test."""
    execute(built, f"create table staging.as_built as select * from {REPORT}")
    yield built
    execute(
        built,
        f"delete from {REPORT}",
        f"insert into {REPORT} select * from staging.as_built",
        "drop table staging.as_built",
    )


def test_the_built_report_passes(report: Warehouse) -> None:
    outcomes = check(report, "marts").outcomes
    mine = [outcome for outcome in outcomes if "fct_survey_monthly" in outcome.suite]
    assert mine
    assert all(outcome.success for outcome in mine)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        ("passives = passives + 1", "promoters_passives_and_detractors_are_all"),
        ("nps = -nps", "nps_is_promoters_less_detractors"),
    ],
)
def test_a_report_whose_parts_do_not_add_up_is_stopped(
    report: Warehouse, damage: str, name: str
) -> None:
    execute(report, f"update {REPORT} set {damage} where segment = 'all'")
    found = check(report, "marts")
    assert name in {outcome.expectation for outcome in found.critical}
    with pytest.raises(GateFailed):
        require(found)
