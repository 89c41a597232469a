"""The churn model: what it finds, its contributions, and data it must not use."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from retention.statistics import churn, landmarks
from retention.statistics.landmarks import Landmark, LeakError, Stays
from tests.health.histories import AS_OF, RULES, month_ends, simulated


def test_churn_at_the_end_of_a_term_is_predicted_for_short_and_long_terms() -> None:
    """The risk is not monotonic: only terms that end in 31 to 90 days churn."""
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
    predicted = list(
        churn.predict(found, Stays({name: [day] for name, day in lost.items()}), RULES)
    )
    chances: dict[str, list[float]] = {"monthly": [], "due": [], "bound": []}
    for each in predicted:
        ends = int(each.landmark.features["days_to_term_end"])
        kind = "monthly" if ends <= 30 else "due" if ends <= 90 else "bound"
        chances[kind].append(float(churn.row(each)[3]))
    assert min(chances["due"]) > 2 * max(chances["monthly"] + chances["bound"])


def test_contributions_add_up_to_the_logit_and_are_deterministic() -> None:
    found, stays = simulated(2, [1.0, 0.0])
    rows = [churn.row(each) for each in churn.predict(found, stays, RULES)]
    assert rows
    assert rows == [churn.row(each) for each in churn.predict(found, stays, RULES)]
    for each, row in zip(churn.predict(found, stays, RULES), rows, strict=True):
        shown = dict(zip(churn.COLUMNS, row, strict=True))
        assert shown["fitted_until_date"] <= each.landmark.day - timedelta(days=90)
        hazard = each.model.hazards(each.index)[0]
        logit = float(shown["logit"])
        assert 1 / (1 + np.exp(-logit)) == pytest.approx(hazard, abs=1e-5)


def test_later_data_does_not_change_earlier_predictions() -> None:
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
    before = [churn.row(each) for each in churn.predict(found, stays, RULES)]
    after = [churn.row(each) for each in churn.predict(absurd, stays, RULES)]
    assert [row for row in before if row[1] < last] == [row for row in after if row[1] < last]
    assert [row for row in before if row[1] == last] != [row for row in after if row[1] == last]


def test_a_feature_observed_on_the_churn_date_is_refused() -> None:
    day = date(2026, 3, 31)
    honest = Landmark("c1", day, "SMB", 50, features={"m": 1.0}, observed={"m": day})
    landmarks.refuse_leaks([honest], AS_OF)
    leak = Landmark("c1", day, "SMB", 50, features={"m": 1.0}, observed={"m": date(2026, 5, 4)})
    with pytest.raises(LeakError, match="m of 2026-03-31 was observed on 2026-05-04"):
        landmarks.refuse_leaks([honest, leak], AS_OF)
