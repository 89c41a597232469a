"""Landmarks: which customers are evaluated at which month end, independent of the outcome."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import yaml

from retention.statistics import backtest, landmarks, metrics
from retention.statistics.landmarks import (
    IMMATURE,
    LEFT,
    STAYED,
    TOO_LATE,
    Landmark,
    LeakError,
    Rules,
    Stays,
)
from retention.warehouse import Warehouse
from tests.health.histories import AS_OF, RULES, judge, month_ends, simulated
from tests.loading import query
from tests.places import ROOT


def test_a_landmark_chosen_by_the_outcome_is_refused() -> None:
    """A public generator samples churned accounts at their churn date and others today.

    A metric that only grows with time then separates them perfectly, and knows nothing.
    """
    lost = Landmark("c1", date(2026, 5, 4), "SMB", 50)
    with pytest.raises(LeakError, match="must be a month end"):
        landmarks.refuse_leaks([lost], AS_OF)


@pytest.mark.parametrize("day", [date(2026, 2, 15), date(2026, 2, 28)])
def test_a_customer_churned_today_is_active_at_an_earlier_landmark(day: date) -> None:
    """C006 of a published project: a member from 2024-09-24 to 2026-03-10.

    Asking for today's status in a historical snapshot loses exactly those who left.
    """
    member = Landmark("C006", day, "member", 50)
    stays = Stays.of([("C006", date(2026, 3, 10))])
    next_month = Rules(lead_days=0, horizon_days=30, level=0.98, min_churned=10)
    assert landmarks.within(member, stays, date(2026, 4, 15), next_month) == LEFT


def test_a_landmark_is_evaluated_only_after_its_horizon() -> None:
    """The same project reads the end of the data on 15 April as inactivity until 30 May."""
    rules = Rules(lead_days=0, horizon_days=30, level=0.98, min_churned=10)
    ends = date(2026, 4, 15)
    silent = Landmark("C1", date(2026, 3, 31), "member", 50)
    gone = Landmark("C2", date(2026, 3, 31), "member", 50)
    stays = Stays.of([("C2", date(2026, 4, 2))])
    assert landmarks.within(silent, stays, ends, rules) == IMMATURE
    # A known churn is not evaluated before the horizon of all others.
    assert landmarks.within(gone, stays, ends, rules) == IMMATURE
    assert landmarks.within(silent, stays, date(2026, 4, 30), rules) == STAYED


def test_immature_outcomes_are_excluded_and_counted() -> None:
    found, stays = simulated(1, [0.5])
    row = judge(found, stays)
    young = [each for each in found if each.day + timedelta(days=90) > AS_OF]
    assert young
    assert row["immature_count"] == len(young)
    parts = ("too_late_count", "immature_count", "unscored_count", "evaluated_count")
    assert row["population_count"] == len(found) == sum(int(str(row[part])) for part in parts)


def test_training_and_evaluation_are_a_whole_horizon_apart() -> None:
    found, stays = simulated(1, [0.5])
    result = [landmarks.within(each, stays, AS_OF, RULES) for each in found]
    risks = [-(each.score or 0) for each in found]
    before = backtest.predict(found, result, risks, RULES)
    day = found[-1].day.replace(day=1) - timedelta(days=120)
    day = day.replace(day=1) - timedelta(days=1)
    # Invert the outcomes of landmarks less than a horizon before the day.
    turned = [
        {LEFT: STAYED, STAYED: LEFT}.get(came, came)
        if each.day + timedelta(days=90) > day
        else came
        for each, came in zip(found, result, strict=True)
    ]
    after = backtest.predict(found, turned, risks, RULES)
    pairs = [(a.probability, b.probability) for a, b in zip(before, after, strict=True)
            if a.landmark.day == day]  # fmt: skip
    assert pairs
    assert all(a is not None and a == b for a, b in pairs)


@pytest.mark.parametrize(
    ("left", "came"),
    [
        (None, STAYED),
        (date(2026, 1, 1), TOO_LATE),
        (date(2026, 1, 30), TOO_LATE),
        (date(2026, 1, 31), LEFT),
        (date(2026, 3, 31), LEFT),
        (date(2026, 4, 1), STAYED),
    ],
)
def test_the_window_opens_after_the_lead_and_closes_with_the_horizon(
    left: date | None, came: str
) -> None:
    day = date(2025, 12, 31)
    assert landmarks.outcome(day, left, day + timedelta(days=90), AS_OF, 30) == came


def test_the_outcome_of_a_renewal_is_that_of_the_current_term() -> None:
    terms = {"c": [(date(2025, 1, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2027, 1, 1))]}
    stays = Stays.of([("c", date(2026, 1, 1))])
    ask = [date(2025, 6, 30), date(2025, 12, 31)]
    came = [
        landmarks.by_renewal(Landmark("c", day, "SMB", 50), stays, AS_OF, RULES, terms)
        for day in ask
    ]
    assert came == [LEFT, TOO_LATE]
    stranger = Landmark("d", ask[0], "SMB", 50)
    assert landmarks.by_renewal(stranger, stays, AS_OF, RULES, terms) == landmarks.NO_RENEWAL


@pytest.mark.parametrize(("sides", "needed"), [(1, 1047), (2, 1330)])
def test_the_sample_size_of_a_trial_matches_the_formula(sides: int, needed: int) -> None:
    """33 to 28 % churn at 5 % error and 80 % power needs 1,047 or 1,330 an arm, not some 340."""
    assert metrics.sample_size(0.33, 0.28, sides) == needed


@pytest.mark.slow
def test_every_past_month_end_is_evaluated(built: Warehouse) -> None:
    """A public project stores its score for today only, so it cannot be evaluated."""
    found = query(
        built,
        "select landmark_date, population_count, churned_count, immature_count, stamp"
        " from marts.fct_health_backtest where period = 'month' and segment = 'all'"
        " and score_name = 'health_score' and outcome = 'within_horizon' order by 1",
        "transformer",
    )
    assert [row[0] for row in found] == month_ends(6)
    by_day = {row[0]: row[1:] for row in found}
    # Gone churned on 1 May: 61 days after February, and within the lead after April.
    assert by_day[date(2026, 2, 28)] == (3, 1, 0, metrics.INSUFFICIENT)
    assert by_day[date(2026, 5, 31)] == (2, 0, 2, metrics.INSUFFICIENT)


SUITE = ROOT / "expectations" / "marts_fct_churn_probability.yml"
PREDICTED = """
    select
        -2.5::numeric(12,6) as logit, -2.0::numeric(12,6) as logit_level,
        jsonb_build_array(
            jsonb_build_object('contribution', -0.5, 'observed_date', %(observed)s::text)
        ) as contributions,
        date '2025-12-31' as fitted_until_date, date '2026-03-31' as as_of_date
"""


def test_the_gate_refuses_a_metric_observed_on_the_churn_date(
    module_warehouse: Warehouse,
) -> None:
    checks = yaml.safe_load(SUITE.read_text())["expect"]
    (query_text,) = [
        check["unexpected_rows_expectation"]["unexpected_rows_query"]
        for check in checks
        if check.get("name") == "nothing_is_known_before_its_day"
    ]
    statement = query_text.replace("{batch}", f"({PREDICTED}) as batch")
    with module_warehouse.connect("transformer") as conn:
        honest = conn.execute(statement, {"observed": "2026-03-31"}).fetchall()
        leak = conn.execute(statement, {"observed": "2026-05-04"}).fetchall()
    assert not honest
    assert len(leak) == 1
