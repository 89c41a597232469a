"""Proof of the score: worked by hand, against libraries, on pure noise, and with leaks planted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
import yaml
from sklearn.metrics import brier_score_loss, roc_auc_score

from retention.score import suggest
from retention.statistics import backtest, churn, judging, landmarks
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
from tests.marts_company import build_day, found_company

RULES = Rules(lead_days=30, horizon_days=90, level=0.98, min_churned=10, min_losses=30)
AS_OF = date(2026, 6, 30)


def month_ends(count: int, last: date = AS_OF) -> list[date]:
    days = [last]
    while len(days) < count:
        days.append(days[-1].replace(day=1) - timedelta(days=1))
    return days[::-1]


def simulated(
    seed: int, weights: Sequence[float], customers: int = 200, months: int = 18, base: float = -4.2
) -> tuple[list[Landmark], Stays]:
    """Features that drift from month to month; who leaves depends on them by the weights alone."""
    rng = np.random.default_rng(seed)
    days = month_ends(months)
    x = rng.standard_normal((customers, len(weights)))
    lost: dict[int, date] = {}
    found = []
    for day in days:
        x = 0.8 * x + 0.6 * rng.standard_normal(x.shape)
        draws = rng.random((customers, 2))
        hazards = 1 / (1 + np.exp(-(base + x @ np.array(weights))))
        for place in range(customers):
            if place in lost and lost[place] <= day:
                continue
            values = {f"m{n}": float(value) for n, value in enumerate(x[place])}
            observed = dict.fromkeys(values, day)
            found.append(
                Landmark(
                    f"c{place}", day, "SMB", 50 - 10 * values["m0"], "v 1", None, values, observed
                )
            )
            # Leaving is drawn for the second month ahead, which is past the lead.
            if place not in lost and draws[place, 0] < hazards[place]:
                lost[place] = day + timedelta(days=31 + int(28 * draws[place, 1]))
    return found, Stays({f"c{place}": [day] for place, day in lost.items()})


def judge(found: Sequence[Landmark], stays: Stays) -> dict[str, object]:
    """The row over all landmarks and segments."""
    result = [landmarks.within(each, stays, AS_OF, RULES) for each in found]
    risks = [None if each.score is None else -each.score for each in found]
    cases = backtest.foretell(found, result, risks, RULES)
    for row in backtest.judged("health_score", landmarks.WITHIN, cases, RULES):
        shown = dict(zip(backtest.COLUMNS, row, strict=True))
        if shown["segment"] == "all" and shown["period"] == "all":
            return shown
    raise AssertionError("nothing was judged")


def test_the_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    """By hand: of the six pairs, four are in order and one is a tie."""
    risks, labels = [0.9, 0.4, 0.4, 0.2, 0.5], [1, 1, 0, 0, 0]
    found = judging.auc(risks, labels, list("abcde"), 0.95)
    assert found is not None
    assert found.value == pytest.approx(4.5 / 6)
    assert found.value == pytest.approx(roc_auc_score(labels, risks))


def test_one_row_a_customer_is_delongs_interval() -> None:
    """Against the definition: variances of the structural components, computed pair by pair."""
    rng = np.random.default_rng(3)
    labels = rng.random(150) < 0.3
    risks = rng.standard_normal(150) + labels
    left, stayed = risks[labels], risks[~labels]
    order = (left[:, None] > stayed[None, :]).astype(float)
    variance = order.mean(1).var(ddof=1) / len(left) + order.mean(0).var(ddof=1) / len(stayed)
    found = judging.auc(list(risks), list(labels), [str(n) for n in range(150)], 0.95)
    assert found is not None
    assert found.low is not None
    half = found.value - found.low
    assert half == pytest.approx(2.0 * variance**0.5, rel=0.03)
    assert half > NormalDist().inv_cdf(0.975) * variance**0.5


def test_the_same_customers_again_are_no_new_evidence() -> None:
    rng = np.random.default_rng(4)
    labels = list(rng.random(120) < 0.3)
    risks = list(rng.standard_normal(120))
    names = [str(n) for n in range(120)]
    once = judging.auc(risks, labels, names, 0.95)
    often = judging.auc(risks * 9, labels * 9, names * 9, 0.95)
    assert once is not None
    assert often is not None
    assert often.low is not None
    assert often.low == pytest.approx(once.low, abs=1e-3)


def test_brier_and_lift_by_hand() -> None:
    chances, labels = [0.8, 0.3, 0.1, 0.1], [1, 0, 0, 1]
    assert judging.brier(chances, labels) == pytest.approx((0.04 + 0.09 + 0.01 + 0.81) / 4)
    assert judging.brier(chances, labels) == pytest.approx(brier_score_loss(labels, chances))
    # Twenty customers, two left, one of them among the two at the highest risk: 1/2 over 1/10.
    assert judging.top_decile_lift(list(range(20)), [0] * 5 + [1] + [0] * 13 + [1]) == 5.0
    # All alike: nobody is first, and the tenth holds what every tenth holds.
    assert judging.top_decile_lift([1] * 20, [1, 1] + [0] * 18) == pytest.approx(1.0)


def test_a_calibration_never_falls_as_the_risk_rises() -> None:
    rng = np.random.default_rng(5)
    risks = list(rng.standard_normal(400))
    labels = [int(rng.random() < 1 / (1 + np.exp(2 + risk))) for risk in risks]
    flat = judging.calibrate(risks, labels)
    assert flat is not None
    assert flat.slope == 0
    assert float(flat([0.0])[0]) == pytest.approx(sum(labels) / 400, abs=0.02)
    rising = judging.calibrate([-risk for risk in risks], labels)
    assert rising is not None
    assert rising.slope > 0


@pytest.mark.slow
def test_a_shift_foretells_as_many_as_came() -> None:
    # Of two with even odds and two with 1 to 3 one came: 2p + 2q = 1 at p / (1 - p) = 3q / (1 - q).
    logits = [0.0, 0.0, -np.log(3), -np.log(3)]
    told = 1 / (1 + np.exp(-(np.array(logits) + judging.shift(logits, [0, 1, 0, 0]))))
    assert told.sum() == pytest.approx(1)
    assert judging.shift(logits, [0, 1, 0, 1]) > 0 > judging.shift(logits, [0, 0, 0, 1])


def test_on_pure_noise_the_interval_holds_one_half_and_nothing_is_proven() -> None:
    inside = proven = 0
    for seed in range(200):
        row = judge(*simulated(seed, [0.0], customers=120, months=12))
        assert row["auc_low"] is not None
        inside += row["auc_low"] <= Decimal("0.5") <= row["auc_high"]  # type: ignore[operator]
        proven += row["stamp"] == judging.PROVEN
    assert inside >= 190
    assert proven <= 10


def test_a_score_that_foretells_is_proven() -> None:
    row = judge(*simulated(1, [1.0]))
    assert row["stamp"] == judging.PROVEN
    assert row["auc_low"] > Decimal("0.5")  # type: ignore[operator]
    assert row["brier"] < row["brier_base_rate"]  # type: ignore[operator]


def test_too_few_losses_are_said_to_be_too_few() -> None:
    found, stays = simulated(1, [1.0])
    few = Stays(dict(list(stays.churned.items())[:5]))
    assert judge(found, few)["stamp"] == judging.TOO_FEW


def test_planted_weights_are_ranked_right() -> None:
    found, stays = simulated(2, [1.2, 0.6, 0.0], customers=500, months=24)
    *_, last = churn.foretell(found, stays, RULES)
    weights = {
        term.name: weight
        for term, weight in zip(last.model.terms, last.model.weights, strict=True)
        if term.kind == "value"
    }
    assert weights["m0"] > weights["m1"] > abs(weights["m2"])


def test_who_leaves_at_the_end_of_a_term_is_found_among_the_monthly_and_the_bound() -> None:
    """Neither the soonest nor the latest end is the most dangerous: the one that is asked about."""
    rng = np.random.default_rng(4)
    found, lost = [], {}
    for day in month_ends(18):
        for place in range(300):
            name = f"c{place}"
            if lost.get(name, AS_OF) <= day:
                continue
            ends = int(rng.integers(0, 30) if place % 2 else rng.integers(0, 365))
            known = {"days_to_term_end": float(ends)}
            dates = {"days_to_term_end": day}
            found.append(Landmark(name, day, "SMB", None, "v 1", None, known, dates))
            if name not in lost and 30 < ends <= 90 and rng.random() < 0.3:
                lost[name] = day + timedelta(days=ends)
    told = list(churn.foretell(found, Stays({name: [day] for name, day in lost.items()}), RULES))
    chances: dict[str, list[float]] = {"monthly": [], "due": [], "bound": []}
    for each in told:
        ends = int(each.landmark.features["days_to_term_end"])
        kind = "monthly" if ends <= 30 else "due" if ends <= 90 else "bound"
        chances[kind].append(float(churn.row(each)[3]))
    assert min(chances["due"]) > 2 * max(chances["monthly"] + chances["bound"])


def test_contributions_add_up_to_the_logit_and_the_same_history_gives_the_same_bytes() -> None:
    found, stays = simulated(2, [1.0, 0.0])
    told = [churn.row(each) for each in churn.foretell(found, stays, RULES)]
    assert told
    assert told == [churn.row(each) for each in churn.foretell(found, stays, RULES)]
    for each, row in zip(churn.foretell(found, stays, RULES), told, strict=True):
        shown = dict(zip(churn.COLUMNS, row, strict=True))
        assert shown["fitted_until_date"] <= each.landmark.day - timedelta(days=90)
        hazard = each.model.hazards(each.index)[0]
        logit = float(shown["logit"])
        assert 1 / (1 + np.exp(-logit)) == pytest.approx(hazard, abs=1e-5)


def test_what_comes_later_changes_nothing_of_what_was_foretold() -> None:
    """fight-churn fits its scaling to all of history before it splits it by time.

    Here a later month of absurd values leaves every earlier forecast as it was.
    """
    found, stays = simulated(2, [1.0, 0.0])
    last = found[-1].day
    absurd = [
        Landmark(
            each.customer_id, each.day, each.segment, each.score, each.version, None,
            {name: 1e6 * value for name, value in each.features.items()}, each.observed,
        )
        if each.day == last
        else each
        for each in found
    ]  # fmt: skip
    before = [churn.row(each) for each in churn.foretell(found, stays, RULES)]
    after = [churn.row(each) for each in churn.foretell(absurd, stays, RULES)]
    assert [row for row in before if row[1] < last] == [row for row in after if row[1] < last]
    assert [row for row in before if row[1] == last] != [row for row in after if row[1] == last]


def test_a_feature_taken_at_the_day_of_the_loss_is_refused() -> None:
    day = date(2026, 3, 31)
    honest = Landmark("c1", day, "SMB", 50, features={"m": 1.0}, observed={"m": day})
    landmarks.refuse_leaks([honest], AS_OF)
    leak = Landmark("c1", day, "SMB", 50, features={"m": 1.0}, observed={"m": date(2026, 5, 4)})
    with pytest.raises(LeakError, match="m of 2026-03-31 was observed on 2026-05-04"):
        landmarks.refuse_leaks([honest, leak], AS_OF)


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


SEED = """definition,version,valid_from,segment,signal,metric,direction,weight
full,1,2020-01-01,all,use,trend,higher_is_better,0.5
full,1,2020-01-01,all,debt,overdue,lower_is_better,0.3
full,1,2020-01-01,all,odd,strange,higher_is_better,0.2
product,1,2020-01-01,all,use,trend,higher_is_better,1
"""
SIGNALS = [
    {"definition": "full", "segment": "all", "signal": s, "metric": m, "direction": d, "weight": w}
    for s, m, d, w in [
        ("use", "trend", "higher_is_better", Decimal("0.5")),
        ("debt", "overdue", "lower_is_better", Decimal("0.3")),
        ("odd", "strange", "higher_is_better", Decimal("0.2")),
    ]
]


def test_suggested_weights_go_halfway_and_add_up_to_one() -> None:
    """By hand: the model gives 1/3 to use, 2/3 to debt, and nothing where it contradicts."""
    learned = {"trend": -0.1, "overdue": 0.2, "strange": 0.3}
    weights = suggest.blended(SIGNALS, learned)
    assert weights == {
        "use": Decimal("0.4167"), "debt": Decimal("0.4833"), "odd": Decimal("0.1000"),
    }  # fmt: skip
    assert sum(weights.values()) == 1


def test_a_suggestion_is_a_new_version_and_writes_nothing_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "health_score_signals.csv"
    path.write_text(SEED)
    learned = {"trend": -0.1, "overdue": 0.2}
    after = suggest.changed(SEED, SIGNALS, learned, date(2026, 7, 1))
    proposal = suggest.Proposal(path, SEED, after)
    assert [line for line in proposal.diff().splitlines() if line[0] in "+-"][2:] == [
        "+full,2,2026-07-01,all,use,trend,higher_is_better,0.4167",
        "+full,2,2026-07-01,all,debt,overdue,lower_is_better,0.4833",
        "+full,2,2026-07-01,all,odd,strange,higher_is_better,0.1000",
    ]
    assert path.read_text() == SEED
    proposal.write()
    assert path.read_text() == after


def test_no_suggestion_where_the_model_says_nothing() -> None:
    assert suggest.changed(SEED, SIGNALS, {}, date(2026, 7, 1)) == SEED


SUITE = Path(__file__).parents[1] / "expectations" / "marts_fct_churn_probability.yml"
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
