"""Survival and lifetime value: worked by hand, against lifelines, and against published figures."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from lifelines import AalenJohansenFitter, KaplanMeierFitter

from retention.statistics import contract, lifetime, survival
from retention.statistics.base import exact
from retention.statistics.lifetimes import DAYS_A_MONTH, Life
from tests.places import SHARED

PAPER = SHARED / "clv" / "sbg_paper.csv"
# Fader and Hardie, "How to project customer retention" (2007): customers left after each year,
# the parameters fitted to them, and what the model says is left after twelve.
PUBLISHED = {
    "highend": ([1000, 869, 743, 653, 593, 551, 517, 491], 0.668, 3.806, -1611.16, 378.0),
    "regular": ([1000, 631, 468, 382, 326, 289, 262, 241], 0.704, 1.182, -1680.27, 170.0),
}
paper = pytest.mark.skipif(
    not PAPER.exists(), reason="the public data sets are not beside the repository"
)


def cohort(name: str) -> list[tuple[int, bool]]:
    """(renewals tried, lost at the last of them) of each customer of the paper's cohort."""
    with PAPER.open() as file:
        rows = [row for row in csv.DictReader(file) if row["cohorts"] == name]
    assert len(rows) == 1000
    ends = [(int(row["recency"]), int(row["T"])) for row in rows]
    return [(min(seen, last - 1), seen < last) for seen, last in ends]


def fitted(lives: Sequence[tuple[int, bool]]) -> contract.Fit:
    fit = contract.fit([0] * len(lives), [end for end, _ in lives], [lost for _, lost in lives])
    assert fit is not None
    return fit


def at(lives: Sequence[Life], month: int) -> dict[str, Decimal]:
    row = list(survival.curve(lives))[month]
    return dict(zip(list(survival.COLUMNS)[1:], row, strict=True))


@paper
@pytest.mark.shared_data
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_contract_model_reproduces_the_published_parameters(name: str) -> None:
    _, alpha, beta, likelihood, after_twelve = PUBLISHED[name]
    fit = fitted(cohort(name))
    assert fit.alpha == pytest.approx(alpha, abs=0.001)
    assert fit.beta == pytest.approx(beta, abs=0.003)
    assert fit.log_likelihood == pytest.approx(likelihood, abs=0.01)
    assert 1000 * fit.survival(12)[12] == pytest.approx(after_twelve, abs=0.5)


@paper
@pytest.mark.shared_data
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_first_periods_predict_the_later_ones(name: str) -> None:
    """Fitted to five renewals, the model predicts the seventh within 2.5 points."""
    left = PUBLISHED[name][0]
    early = [(min(end, 5), lost and end <= 5) for end, lost in cohort(name)]
    predicted = fitted(early).survival(7) * 1000
    assert predicted[7] == pytest.approx(left[7], abs=25)
    assert abs(1000 * (left[5] / 1000) ** (7 / 5) - left[7]) > 50


@paper
@pytest.mark.shared_data
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_survival_curve_matches_the_counts_of_the_paper(name: str) -> None:
    lives = [
        Life(0, int(end * 12 * DAYS_A_MONTH) + (not lost), "voluntary" if lost else "active")
        for end, lost in cohort(name)
    ]
    for year, left in enumerate(PUBLISHED[name][0]):
        assert at(lives, 12 * year)["survival_rate"] == Decimal(left) / 1000


def test_customers_older_than_the_data_are_at_risk_from_their_first_observed_day() -> None:
    """Worked by hand: at day 40 one of two is lost, at day 100 one of three.

    Without left truncation the old ones would make it 1 of 5 and 1 of 4; who enters on the day of a
    loss was not at risk of it.
    """
    lives = [
        Life(0, 40, "voluntary"),
        Life(0, 400, "active"),
        Life(50, 100, "involuntary"),
        Life(50, 400, "active"),
        Life(100, 400, "active"),
    ]
    after = at(lives, 4)
    assert after["survival_rate"] == Decimal("0.333333")
    assert after["voluntary_loss_rate"] == Decimal("0.500000")
    assert after["involuntary_loss_rate"] == Decimal("0.166667")
    assert at(lives, 1)["survival_rate"] == Decimal("1.000000")
    assert at(lives, 1)["customers_at_risk"] == 2


def test_losses_by_cause_match_lifelines() -> None:
    rng = np.random.default_rng(7)
    ends = rng.choice(np.arange(10, 900), size=200, replace=False)
    outcomes = rng.choice(["voluntary", "involuntary", "active"], size=200)
    lives = [Life(0, int(end), outcome) for end, outcome in zip(ends, outcomes, strict=True)]
    codes = [{"voluntary": 1, "involuntary": 2, "active": 0}[life.outcome] for life in lives]
    for number, cause in ((1, "voluntary_loss_rate"), (2, "involuntary_loss_rate")):
        theirs = AalenJohansenFitter(seed=1).fit(ends, codes, event_of_interest=number)
        shares = theirs.cumulative_density_.iloc[:, 0]
        for month in (3, 12, 24):
            ours = float(at(lives, month)[cause])
            assert ours == pytest.approx(shares.loc[: month * DAYS_A_MONTH].iloc[-1], abs=1e-6)


def test_the_expected_months_are_the_area_under_the_curve_of_lifelines() -> None:
    """4,000 simulated customers over three years: the model and the Kaplan-Meier curve agree
    within 2 %.
    """
    rng = np.random.default_rng(11)
    chance = rng.beta(1.5, 30, size=4000)
    months = np.minimum(rng.geometric(chance), 37)
    lives = [
        Life(0, round(min(int(m), 36) * DAYS_A_MONTH), "voluntary" if m <= 36 else "active")
        for m in months
    ]
    ends = [min(int(m), 36) for m in months]
    curve = KaplanMeierFitter().fit(ends, months <= 36).survival_function_at_times(range(36))
    (_, method, _, values), *_ = lifetime.expectations(lives, 36, 0.0)
    assert method == "sbg"
    assert values[0] == pytest.approx(float(curve.sum()), rel=0.02)
    low, high = values[5], values[95]
    assert low < values[0] < high


def test_the_interval_has_its_nominal_coverage() -> None:
    """Simulate 60 companies of 150 customers with a known churn rate: 90 % intervals contain the
    true value in 48 to 59 of them.
    """
    truth = sum((1 - 0.02) ** k for k in range(36))
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(60):
        months = rng.geometric(0.02, size=150)
        lives = [
            Life(0, round(min(int(m), 24) * DAYS_A_MONTH), "voluntary" if m <= 24 else "active")
            for m in months
        ]
        (_, _, _, values), *_ = lifetime.expectations(lives, 36, 0.0, oldest=0)
        held += values[5] <= truth <= values[95]
    assert 48 <= held <= 59, held


def test_a_segment_without_churn_has_a_value_and_an_interval() -> None:
    """Margin over churn divides by zero here."""
    lives = [Life(0, 400, "active") for _ in range(10)]
    (_, method, fit, values), *_ = lifetime.expectations(lives, 36, 0.10)
    assert (method, fit) == ("constant", None)
    assert 0 < values[5] < values[0] < 36
    assert values[95] < 36


def test_equal_lifetimes_give_equal_decimals() -> None:
    lives = [Life(0, 30 * n, "voluntary" if n % 3 else "active") for n in range(1, 60)]
    once, again = (list(lifetime.expectations(lives, 36, 0.1)) for _ in range(2))
    assert [(a, m, v) for a, m, _, v in once] == [(a, m, v) for a, m, _, v in again]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1 + 0.2, Decimal("0.3000")), (float("nan"), None), (float("inf"), None), (None, None)],
)
def test_a_float_becomes_a_decimal_of_its_scale_or_nothing(
    value: float | None, shown: Decimal | None
) -> None:
    assert exact(value, 4) == shown


def test_ages_without_observed_customers_have_no_estimate() -> None:
    late = [Life(31, 181, "active"), Life(31, 120, "voluntary")]
    assert [(row[0], row[3]) for row in survival.curve(late)] == [
        (2, Decimal(1)),
        (3, Decimal(1)),
        (4, Decimal("0.5")),
        (5, Decimal("0.5")),
    ]
    # The first churned before the second came under observation.
    assert list(survival.curve([Life(0, 1, "voluntary"), Life(31, 120, "voluntary")])) == []


def test_statistics_name_their_tables_without_a_schema() -> None:
    """The connection selects the build: a rebuilt day has schemas of its own."""
    folder = Path(survival.__file__).parent
    texts = {path.name: path.read_text() for path in folder.glob("*.py")}
    assert len(texts) > 4
    named = re.compile(r"\b(?:from|join)\s+(?:marts|staging|policy)\.")
    assert [name for name, text in texts.items() if named.search(text)] == []
