"""Past ends of months: who is judged, when, and never by the outcome."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import yaml

from retention.statistics import backtest, judging, landmarks
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
from tests.loading import query
from tests.models.marts_company import build_day, found_company
from tests.places import ROOT
from tests.score.histories import AS_OF, RULES, judge, month_ends, simulated


def test_a_landmark_chosen_by_the_outcome_is_refused() -> None:
    """A published generator takes churned accounts at their churn date and others today.

    A metric that only grows with time then separates them perfectly, and knows nothing.
    """
    lost = Landmark("c1", date(2026, 5, 4), "SMB", 50)
    with pytest.raises(LeakError, match="nobody's own day"):
        landmarks.refuse_leaks([lost], AS_OF)


@pytest.mark.parametrize("day", [date(2026, 2, 15), date(2026, 2, 28)])
def test_who_is_gone_today_was_an_active_member_then(day: date) -> None:
    """C006 of a published project: a member from 2024-09-24 to 2026-03-10.

    Asking for today's status in a historical snapshot loses exactly those who left.
    """
    member = Landmark("C006", day, "member", 50)
    stays = Stays.of([("C006", date(2026, 3, 10))])
    next_month = Rules(lead_days=0, horizon_days=30, level=0.98, min_churned=10)
    assert landmarks.within(member, stays, date(2026, 4, 15), next_month) == LEFT


def test_nobody_is_judged_before_the_outcome_is_over() -> None:
    """The same project reads a file that ends on 15 April as silence until 30 May."""
    rules = Rules(lead_days=0, horizon_days=30, level=0.98, min_churned=10)
    ends = date(2026, 4, 15)
    silent = Landmark("C1", date(2026, 3, 31), "member", 50)
    gone = Landmark("C2", date(2026, 3, 31), "member", 50)
    stays = Stays.of([("C2", date(2026, 4, 2))])
    assert landmarks.within(silent, stays, ends, rules) == IMMATURE
    # Known sooner than its neighbours, and not judged without them.
    assert landmarks.within(gone, stays, ends, rules) == IMMATURE
    assert landmarks.within(silent, stays, date(2026, 4, 30), rules) == STAYED


def test_immature_outcomes_are_excluded_and_counted() -> None:
    found, stays = simulated(1, [0.5])
    row = judge(found, stays)
    young = [each for each in found if each.day + timedelta(days=90) > AS_OF]
    assert young
    assert row["immature_count"] == len(young)
    parts = ("too_late_count", "immature_count", "unscored_count", "judged_count")
    assert row["population_count"] == len(found) == sum(int(str(row[part])) for part in parts)


def test_a_whole_horizon_lies_between_what_is_learned_from_and_what_is_judged() -> None:
    found, stays = simulated(1, [0.5])
    result = [landmarks.within(each, stays, AS_OF, RULES) for each in found]
    risks = [-(each.score or 0) for each in found]
    before = backtest.foretell(found, result, risks, RULES)
    day = found[-1].day.replace(day=1) - timedelta(days=120)
    day = day.replace(day=1) - timedelta(days=1)
    # What became of the landmarks less than a horizon before the day is turned around.
    turned = [
        {LEFT: STAYED, STAYED: LEFT}.get(came, came)
        if each.day + timedelta(days=90) > day
        else came
        for each, came in zip(found, result, strict=True)
    ]
    after = backtest.foretell(found, turned, risks, RULES)
    told = [(a.probability, b.probability) for a, b in zip(before, after, strict=True)
            if a.landmark.day == day]  # fmt: skip
    assert told
    assert all(a is not None and a == b for a, b in told)


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


def test_the_outcome_of_a_renewal_is_that_of_the_running_term() -> None:
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
def test_the_sample_size_of_a_trial_is_not_what_a_published_generator_says(
    sides: int, needed: int
) -> None:
    """33 to 28 % churn at 5 % error and 80 % power needs 1,047 or 1,330 an arm, not some 340."""
    assert judging.sample_size(0.33, 0.28, sides) == needed


@pytest.fixture(scope="module")
def built(module_warehouse: Warehouse) -> Warehouse:
    found_company(module_warehouse)
    build_day(module_warehouse)
    return module_warehouse


@pytest.mark.slow
def test_every_past_end_of_month_is_judged_not_only_today(built: Warehouse) -> None:
    """A published project stores its rule score for today only, so nobody can ever judge it."""
    found = query(
        built,
        "select landmark_date, population_count, churned_count, immature_count, stamp"
        " from marts.fct_health_backtest where period = 'month' and segment = 'all'"
        " and score_name = 'health_score' and outcome = 'within_horizon' order by 1",
        "transformer",
    )
    assert [row[0] for row in found] == month_ends(6)
    by_day = {row[0]: row[1:] for row in found}
    # Gone left on 1 May: 61 days after February, and too soon after April to be helped.
    assert by_day[date(2026, 2, 28)] == (3, 1, 0, judging.TOO_FEW)
    assert by_day[date(2026, 5, 31)] == (2, 0, 2, judging.TOO_FEW)


SUITE = ROOT / "expectations" / "marts_fct_churn_probability.yml"
FORETOLD = """
    select
        -2.5::numeric(12,6) as logit, -2.0::numeric(12,6) as logit_level,
        jsonb_build_array(
            jsonb_build_object('contribution', -0.5, 'observed_date', %(observed)s::text)
        ) as contributions,
        date '2025-12-31' as fitted_until_date, date '2026-03-31' as as_of_date
"""


def test_the_gate_refuses_a_metric_taken_at_the_day_of_the_loss(
    module_warehouse: Warehouse,
) -> None:
    checks = yaml.safe_load(SUITE.read_text())["expect"]
    (asked,) = [
        check["unexpected_rows_expectation"]["unexpected_rows_query"]
        for check in checks
        if check.get("name") == "nothing_is_known_before_its_day"
    ]
    statement = asked.replace("{batch}", f"({FORETOLD}) as batch")
    with module_warehouse.connect("transformer") as conn:
        honest = conn.execute(statement, {"observed": "2026-03-31"}).fetchall()
        leak = conn.execute(statement, {"observed": "2026-05-04"}).fetchall()
    assert not honest
    assert len(leak) == 1
