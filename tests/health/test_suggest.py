"""Suggested weights: halfway to the model, as a new version, written only on request."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from retention.health import suggest

SEED = """definition,version,valid_from,segment,component,metric,direction,weight
full,1,2020-01-01,all,use,trend,higher_is_better,0.5
full,1,2020-01-01,all,debt,overdue,lower_is_better,0.3
full,1,2020-01-01,all,odd,strange,higher_is_better,0.2
product,1,2020-01-01,all,use,trend,higher_is_better,1
"""


COMPONENTS = [
    {"definition": "full", "segment": "all"}
    | {"component": component, "metric": metric, "direction": direction, "weight": weight}
    for component, metric, direction, weight in [
        ("use", "trend", "higher_is_better", Decimal("0.5")),
        ("debt", "overdue", "lower_is_better", Decimal("0.3")),
        ("odd", "strange", "higher_is_better", Decimal("0.2")),
    ]
]


def test_suggested_weights_go_halfway_and_add_up_to_one() -> None:
    """By hand: the model gives 1/3 to use, 2/3 to debt, and 0 on a contradicting direction."""
    learned = {"trend": -0.1, "overdue": 0.2, "strange": 0.3}
    weights = suggest.blended(COMPONENTS, learned)
    assert weights == {
        "use": Decimal("0.4167"), "debt": Decimal("0.4833"), "odd": Decimal("0.1000"),
    }  # fmt: skip
    assert sum(weights.values()) == 1


def test_a_suggestion_is_a_new_version_and_writes_nothing_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "health_score_components.csv"
    path.write_text(SEED)
    learned = {"trend": -0.1, "overdue": 0.2}
    after = suggest.changed(SEED, COMPONENTS, learned, date(2026, 7, 1))
    proposal = suggest.Proposal(path, SEED, after)
    assert [line for line in proposal.diff().splitlines() if line[0] in "+-"][2:] == [
        "+full,2,2026-07-01,all,use,trend,higher_is_better,0.4167",
        "+full,2,2026-07-01,all,debt,overdue,lower_is_better,0.4833",
        "+full,2,2026-07-01,all,odd,strange,higher_is_better,0.1000",
    ]
    assert path.read_text() == SEED
    proposal.write()
    assert path.read_text() == after


def test_no_suggestion_without_an_effect_in_the_model() -> None:
    assert suggest.changed(SEED, COMPONENTS, {}, date(2026, 7, 1)) == SEED
