"""Evaluate alert rules against a known truth: hand-made alerts and periods of danger."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from demo.company.world import CustomerTruth
from demo.servers import truth_file
from retention.errors import UsageError
from retention.health import evaluate_rules
from retention.health.evaluate_rules import Alert

TRUTH = {
    "a": {"in_danger": [["2026-01-01", "2026-03-01"]], "left": ["2026-04-01"]},
    "b": {"in_danger": [], "left": []},
}


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(TRUTH))
    return path


def test_an_alert_counts_in_danger_and_gives_no_lead_when_closed_long_before(truth: Path) -> None:
    known = evaluate_rules.read(truth)
    paid = {key: (date(2026, 1, 1), date(2026, 3, 31)) for key in TRUTH}
    alerts = [
        Alert("a", date(2026, 1, 1), date(2026, 1, 15)),
        Alert("a", date(2026, 3, 1), date.max),
        Alert("b", date(2026, 2, 1), date(2026, 2, 2)),
    ]
    found = evaluate_rules._evaluate("s", alerts, known, paid)
    # The period ends on 1 March, exclusive; 59 of the 180 days of both are dangerous.
    assert found.precision == pytest.approx(1 / 3)
    assert found.base_rate == pytest.approx(59 / 180)
    assert found.recall == 1
    assert found.lead_days == 90
    assert found.verdict == "insufficient data"


def test_the_interval_is_wilsons() -> None:
    """1 of 5 at 95 %: 3.6 to 62.4 % (Newcombe 1998, method 3)."""
    low, high = evaluate_rules.wilson(0.2, 5)
    assert (round(low, 4), round(high, 4)) == (0.0362, 0.6245)


def test_a_malformed_truth_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    with pytest.raises(UsageError, match="not a valid truth file"):
        evaluate_rules.read(path)
    path.write_text('{"a": []}')
    with pytest.raises(UsageError, match="not a valid truth file"):
        evaluate_rules.read(path)


def test_consecutive_months_below_the_line_are_one_period() -> None:
    customer = CustomerTruth("1", "One", "SMB", "saas", "US", "cus_1", "usd")
    ends = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]
    customer.satisfaction = dict(zip(ends, [4.9, 4.0, 5.0, 3.0], strict=True))
    assert truth_file._of(customer)["in_danger"] == [
        ["2026-01-01", "2026-03-01"],
        ["2026-04-01", None],
    ]
