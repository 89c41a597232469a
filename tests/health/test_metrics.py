"""Metrics of a score: against libraries, by hand, and on random data."""

from __future__ import annotations

from decimal import Decimal
from statistics import NormalDist

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from retention.statistics import churn, metrics
from retention.statistics.landmarks import Stays
from tests.health.histories import RULES, judge, simulated


def test_the_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    """By hand: of the six pairs, four are in order and one is a tie."""
    risks, labels = [0.9, 0.4, 0.4, 0.2, 0.5], [1, 1, 0, 0, 0]
    found = metrics.auc(risks, labels, list("abcde"), 0.95)
    assert found is not None
    assert found.value == pytest.approx(4.5 / 6)
    assert found.value == pytest.approx(roc_auc_score(labels, risks))


def test_one_row_per_customer_gives_delongs_interval() -> None:
    """Compare with the definition: variances of the structural components, pair by pair."""
    rng = np.random.default_rng(3)
    labels = rng.random(150) < 0.3
    risks = rng.standard_normal(150) + labels
    left, stayed = risks[labels], risks[~labels]
    order = (left[:, None] > stayed[None, :]).astype(float)
    variance = order.mean(1).var(ddof=1) / len(left) + order.mean(0).var(ddof=1) / len(stayed)
    found = metrics.auc(list(risks), list(labels), [str(n) for n in range(150)], 0.95)
    assert found is not None
    assert found.low is not None
    half = found.value - found.low
    assert half == pytest.approx(2.0 * variance**0.5, rel=0.03)
    assert half > NormalDist().inv_cdf(0.975) * variance**0.5


def test_repeated_rows_of_customers_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(4)
    labels = list(rng.random(120) < 0.3)
    risks = list(rng.standard_normal(120))
    names = [str(n) for n in range(120)]
    once = metrics.auc(risks, labels, names, 0.95)
    often = metrics.auc(risks * 9, labels * 9, names * 9, 0.95)
    assert once is not None
    assert often is not None
    assert often.low is not None
    assert often.low == pytest.approx(once.low, abs=1e-3)


def test_brier_score_and_lift_match_a_hand_calculation() -> None:
    chances, labels = [0.8, 0.3, 0.1, 0.1], [1, 0, 0, 1]
    assert metrics.brier(chances, labels) == pytest.approx((0.04 + 0.09 + 0.01 + 0.81) / 4)
    assert metrics.brier(chances, labels) == pytest.approx(brier_score_loss(labels, chances))
    # Twenty customers, two churned, one of them among the two at the highest risk: 1/2 over 1/10.
    assert metrics.top_decile_lift(list(range(20)), [0] * 5 + [1] + [0] * 13 + [1]) == 5.0
    # Equal risks: the top decile has the churn of every decile.
    assert metrics.top_decile_lift([1] * 20, [1, 1] + [0] * 18) == pytest.approx(1.0)


def test_calibration_is_monotonic_in_risk() -> None:
    rng = np.random.default_rng(5)
    risks = list(rng.standard_normal(400))
    labels = [int(rng.random() < 1 / (1 + np.exp(2 + risk))) for risk in risks]
    flat = metrics.calibrate(risks, labels)
    assert flat is not None
    assert flat.slope == 0
    assert float(flat([0.0])[0]) == pytest.approx(sum(labels) / 400, abs=0.02)
    rising = metrics.calibrate([-risk for risk in risks], labels)
    assert rising is not None
    assert rising.slope > 0


@pytest.mark.slow
def test_a_shifted_prediction_matches_the_observed_number() -> None:
    # Two customers with odds 1:1 and two with 1:3, one churned: 2p + 2q = 1, p/(1-p) = 3q/(1-q).
    logits = [0.0, 0.0, -np.log(3), -np.log(3)]
    told = 1 / (1 + np.exp(-(np.array(logits) + metrics.shift(logits, [0, 1, 0, 0]))))
    assert told.sum() == pytest.approx(1)
    assert metrics.shift(logits, [0, 1, 0, 1]) > 0 > metrics.shift(logits, [0, 0, 0, 1])


def test_random_scores_have_an_interval_around_one_half_and_are_unproven() -> None:
    inside = proven = 0
    for seed in range(200):
        row = judge(*simulated(seed, [0.0], customers=120, months=12))
        assert row["auc_low"] is not None
        inside += row["auc_low"] <= Decimal("0.5") <= row["auc_high"]  # type: ignore[operator]
        proven += row["stamp"] == metrics.PROVEN
    assert inside >= 190
    assert proven <= 10


def test_a_predictive_score_is_proven() -> None:
    row = judge(*simulated(1, [1.0]))
    assert row["stamp"] == metrics.PROVEN
    assert row["auc_low"] > Decimal("0.5")  # type: ignore[operator]
    assert row["brier"] < row["brier_base_rate"]  # type: ignore[operator]


def test_few_churned_customers_give_insufficient_data() -> None:
    found, stays = simulated(1, [1.0])
    few = Stays(dict(list(stays.churned.items())[:5]))
    assert judge(found, few)["stamp"] == metrics.INSUFFICIENT


def test_known_weights_are_ranked_correctly() -> None:
    found, stays = simulated(2, [1.2, 0.6, 0.0], customers=500, months=24)
    *_, last = churn.predict(found, stays, RULES)
    weights = {
        term.name: weight
        for term, weight in zip(last.model.terms, last.model.weights, strict=True)
        if term.kind == "value"
    }
    assert weights["m0"] > weights["m1"] > abs(weights["m2"])
