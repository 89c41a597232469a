"""Compare the health score and the learned model with three rules of thumb as churn predictors.

    python bench/score.py

Reads the warehouse of `make run`, or of the company RETENTION_COMPANY, and prints one table. All
predictors are evaluated point-in-time at the same month ends; the model and the calibration from
risk to probability are fitted to months whose horizon had passed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from rich.console import Console
from rich.table import Table

from retention.settings import Settings
from retention.statistics import backtest, churn, landmarks, metrics, tables
from retention.statistics.backtest import Case
from retention.statistics.base import Inputs
from retention.statistics.landmarks import Landmark, Rules
from retention.warehouse import Warehouse

console = Console(highlight=False, width=110)
SCORE, LEARNED = "health score", "learned model"
NEWEST = "select as_of, known_at from ops.builds order by build_id desc limit 1"
# The newest answer at each landmark.
LAST_NPS = """
    select distinct on (days.customer_id, days.as_of_date)
        days.customer_id, days.as_of_date, answers.score
    from int_customer_days_history as days
    inner join int_survey_responses as answers
        on days.customer_id = answers.customer_id and answers.answered_date <= days.as_of_date
    where answers.survey = 'nps' and answers.is_valid and extract(day from days.as_of_date + 1) = 1
    order by days.customer_id, days.as_of_date, answers.answered_at desc, answers.response_id
"""
Measured = Sequence[float | None]


@dataclass(frozen=True)
class Evaluation:
    """The quality of one predictor over the landmarks that all predictors share."""

    name: str
    auc: metrics.Auc | None
    lift: float | None
    brier: float | None
    stamp: str


def main() -> None:
    """Print the table of the newest build."""
    wh = Warehouse.from_settings(Settings.from_env())
    with wh.connect("publisher") as conn:
        newest = conn.execute(NEWEST).fetchone()
    if newest is None:
        sys.exit("there is no build: run `make run` first")
    with wh.connect("transformer") as conn:
        conn.execute("select set_config('search_path', %s, false)", [", ".join(tables.READ)])
        show(Inputs(conn, *newest))


def show(inputs: Inputs) -> None:
    """Evaluate all predictors on the landmarks for which each has a value."""
    rules, found = Rules.read(inputs), landmarks.read(inputs)
    stays = landmarks.stays(inputs)
    result = [landmarks.within(each, stays, inputs.as_of, rules) for each in found]
    risks = predictors(inputs, found, churn.predict(found, stays, rules))
    cases = {name: backtest.predict(found, result, risk, rules) for name, risk in risks.items()}
    if LEARNED in cases:
        cases[LEARNED] = backtest.as_published(found, result, risks[LEARNED], rules)
    by_name = {
        name: {key(each): each for each in group if each.is_evaluated}
        for name, group in cases.items()
    }
    silent = [
        name for name, group in by_name.items() if not any(case.label for case in group.values())
    ]
    for name in silent:
        del by_name[name]
    shared = set.intersection(*(set(group) for group in by_name.values())) if by_name else set()
    # A Brier score needs probabilities, which exist only after some months; use landmarks with all.
    sure = {
        each for each in shared
        if all(group[each].probability is not None for group in by_name.values())
    }  # fmt: skip
    places = sorted(sure or shared, key=lambda place: (place[1], place[0]))
    if not places:
        console.print("Insufficient data: no horizon has passed.")
        return
    group = next(iter(by_name.values()))
    days, churned = [day for _, day in places], sum(group[place].label for place in places)
    console.print(
        f"{len(places):,} customers at month ends from {min(days)} to {max(days)};"
        f" {churned} churned after {rules.lead_days} and within {rules.horizon_days} days"
    )
    base = [group[place].base_rate for place in places]
    base_brier = brier(base, [group[place].label for place in places])
    evaluations = [
        evaluate(name, [mine[place] for place in places], base_brier, rules)
        for name, mine in by_name.items()
    ]
    print_table(evaluations, silent, base_brier, rules)
    compare(evaluations)


def key(case: Case) -> tuple[str, date]:
    return case.landmark.customer_id, case.landmark.day


def predictors(
    inputs: Inputs, found: Sequence[Landmark], learned: Iterable[churn.Prediction]
) -> dict[str, Measured]:
    """Return the risk of each landmark by each of the five predictors; larger is riskier."""
    chances = {
        (each.landmark.customer_id, each.landmark.day): float(churn.row(each)[3])
        for each in learned
    }
    answers = {
        (row["customer_id"], row["as_of_date"]): -float(row["score"])
        for row in inputs.rows(LAST_NPS)
    }
    trends = [each.features.get("usage_trend_ratio") for each in found]
    return {
        SCORE: [None if each.score is None else -each.score for each in found],
        LEARNED: [chances.get((each.customer_id, each.day)) for each in found],
        "last NPS only": filled(
            found, [answers.get((each.customer_id, each.day)) for each in found]
        ),
        "usage trend only": filled(found, [None if trend is None else -trend for trend in trends]),
        "days since last login": filled(
            found, [each.features.get("days_since_last_use") for each in found]
        ),
    }


def filled(found: Sequence[Landmark], risks: Measured) -> Measured:
    """Replace missing values by the median of the earlier days."""
    seen: list[float] = []
    waiting: list[float] = []
    filled_in: list[float | None] = []
    day = None
    middle: float | None = None
    for each, risk in zip(found, risks, strict=True):
        if each.day != day:
            seen, waiting, day = seen + waiting, [], each.day
            middle = median(seen) if seen else None
        if risk is not None:
            waiting.append(risk)
        filled_in.append(middle if risk is None else risk)
    return filled_in


def evaluate(name: str, mine: Sequence[Case], base_brier: float | None, rules: Rules) -> Evaluation:
    labels = [case.label for case in mine]
    risk = [case.risk or 0.0 for case in mine]
    auc = metrics.auc(risk, labels, [case.landmark.customer_id for case in mine], rules.level)
    score = brier([case.probability for case in mine], labels)
    stamp = metrics.verdict(auc, score, base_brier, rules.min_churned)
    return Evaluation(name, auc, metrics.top_decile_lift(risk, labels), score, stamp)


def brier(probabilities: Measured, labels: Sequence[int]) -> float | None:
    """Return the Brier score; None when a probability is missing."""
    known = [each for each in probabilities if each is not None]
    return metrics.brier(known, labels) if len(known) == len(labels) else None


def print_table(
    evaluations: Sequence[Evaluation], silent: Sequence[str], base_brier: float | None, rules: Rules
) -> None:
    table = Table(
        "", "AUC", f"{rules.level:.0%} interval", "lift in the top decile", "Brier", "stamp"
    )
    for each in evaluations:
        auc = each.auc
        table.add_row(
            each.name,
            f"{auc.value:.3f}" if auc else "",
            f"{auc.low:.3f} to {auc.high:.3f}" if auc and auc.low is not None else "",
            _number(each.lift, 2),
            _number(each.brier, 5),
            each.stamp,
        )
    for name in silent:
        table.add_row(name, "", "", "", "", "insufficient data")
    table.add_row("the base rate", "0.500", "", "1.00", _number(base_brier, 5), "")
    console.print(table)


def compare(evaluations: Sequence[Evaluation]) -> None:
    """Print whether the score and the model beat each rule of thumb, by measure."""
    ours = [each for each in evaluations if each.name in (SCORE, LEARNED)]
    for mine in ours:
        for other in (each for each in evaluations if each not in ours):
            better: list[str] = []
            worse: list[str] = []
            for (name, one), (_, two) in zip(measures(mine), measures(other), strict=True):
                if one is not None and two is not None:
                    (better if one > two else worse).append(name)
            text = f"better on {', '.join(better) or 'no measure'}"
            text += f", not on {', '.join(worse)}" if worse else ""
            console.print(f"{mine.name} against {other.name}: {text}")


def measures(each: Evaluation) -> list[tuple[str, float | None]]:
    """Return the measures; larger is better."""
    brier_score = None if each.brier is None else -each.brier
    return [
        ("AUC", each.auc.value if each.auc else None),
        ("lift", each.lift),
        ("Brier", brier_score),
    ]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
