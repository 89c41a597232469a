"""How well the score and the learned model foretell who leaves, beside three plain rules of thumb.

    python bench/score.py

Reads the warehouse of `make run`, or of the company that RETENTION_COMPANY names, and prints one
table. All five are judged at the same ends of months, by what could be known then; the curve from
each to a probability is fitted to months that were over.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from rich.console import Console
from rich.table import Table

from retention.settings import Settings
from retention.statistics import backtest, churn, judging, landmarks
from retention.statistics.base import Inputs
from retention.statistics.landmarks import Landmark, Rules, Stays
from retention.warehouse import Warehouse

console = Console(highlight=False, width=110)
# Metric, and whether a larger value means more risk.
BASELINES = {
    "survey score only": ("mean_nps_score", False),
    "usage trend only": ("usage_trend_ratio", False),
    "days since last use": ("days_since_last_use", True),
}
NEWEST = "select as_of, known_at from ops.builds order by build_id desc limit 1"


def main() -> None:
    """Print the table of the newest build."""
    wh = Warehouse.from_settings(Settings.from_env())
    with wh.connect("publisher") as conn:
        newest = conn.execute(NEWEST).fetchone()
    if newest is None:
        sys.exit("Nothing is built yet: make run")
    with wh.connect("transformer") as conn:
        inputs = Inputs(conn, *newest)
        rules, found = Rules.read(inputs), landmarks.read(inputs)
        show(found, landmarks.stays(inputs), rules, inputs.as_of)


def show(found: Sequence[Landmark], stays: Stays, rules: Rules, as_of: date) -> None:
    """Judge all on the landmarks for which each of them had something to say."""
    result = [landmarks.within(each, stays, as_of, rules) for each in found]
    told = {
        (each.landmark.customer_id, each.landmark.day): float(churn.row(each)[3])
        for each in churn.foretell(found, stays, rules)
    }
    risks = {
        "health score": [None if each.score is None else -each.score for each in found],
        "learned model": [told.get((each.customer_id, each.day)) for each in found],
        **{name: filled(found, *BASELINES[name]) for name in BASELINES},
    }
    cases = {name: backtest.foretell(found, result, risk, rules) for name, risk in risks.items()}
    cases["learned model"] = backtest.as_told(found, result, risks["learned model"], rules)
    rows = [
        group
        for group in zip(*cases.values(), strict=True)
        if all(case.is_judged and case.probability is not None for case in group)
    ]
    if not rows:
        console.print("Too few customers have been lost to judge anything out of time.")
        return
    labels = [group[0].label for group in rows]
    days = [group[0].landmark.day for group in rows]
    console.print(
        f"{len(rows)} customers at ends of months from {min(days)} to {max(days)};"
        f" {sum(labels)} left after {rules.lead_days} and within {rules.horizon_days} days"
    )
    table = Table(
        "", "AUC", f"{rules.level:.0%} interval", "lift in the top tenth", "Brier", "stamp"
    )
    base = judging.brier([group[0].base_rate or 0 for group in rows], labels)
    for place, name in enumerate(cases):
        mine = [group[place] for group in rows]
        risk = [case.risk or 0.0 for case in mine]
        customers = [case.landmark.customer_id for case in mine]
        auc = judging.auc(risk, labels, customers, rules.level)
        brier = judging.brier([case.probability or 0.0 for case in mine], labels)
        lift = judging.top_decile_lift(risk, labels)
        stamp = judging.verdict(auc, brier, base, rules.min_churned)
        table.add_row(
            name,
            f"{auc.value:.3f}" if auc else "",
            f"{auc.low:.3f} to {auc.high:.3f}" if auc and auc.low is not None else "",
            f"{lift:.2f}" if lift is not None else "",
            f"{brier:.5f}",
            stamp,
        )
    table.add_row("the base rate", "0.500", "", "1.00", f"{base:.5f}", "")
    console.print(table)


def filled(found: Sequence[Landmark], metric: str, is_risk: bool) -> list[float | None]:
    """The metric as a risk; where it was not measured, the median of the days before."""
    seen: list[float] = []
    waiting: list[float] = []
    filled_in: list[float | None] = []
    day = None
    middle: float | None = None
    for each in found:
        if each.day != day:
            seen, waiting, day = seen + waiting, [], each.day
            middle = median(seen) if seen else None
        value = each.features.get(metric)
        if value is not None:
            waiting.append(value)
        shown = value if value is not None else middle
        filled_in.append(None if shown is None else shown if is_risk else -shown)
    return filled_in


if __name__ == "__main__":
    main()
