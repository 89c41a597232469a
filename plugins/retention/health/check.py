"""Compare the health scores of a changed definition with the current ones, before it is merged.

Inside one transaction that is rolled back, the seeds of the working tree replace those of the
warehouse. The views of the score then give exact results, and nothing is changed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row

from retention.errors import BuildError, UsageError
from retention.statistics import landmarks, metrics
from retention.statistics.base import Inputs
from retention.warehouse import Warehouse

SEEDS = (
    "alert_rules",
    "health_score_definitions",
    "health_score_components",
    "health_score_caps",
    "health_score_overrides",
    "health_bands",
)
DATED = ("alert_rules", "health_score_components", "health_score_caps", "health_bands")
NEWEST = "select max(as_of_date) from staging.int_customer_days_to_score"
SCORES = """
    select scores.customer_id, scores.score, scores.band
    from staging.int_health_scores as scores
    where scores.as_of_date = %(day)s
"""
WEIGHTS = """
    select definition, segment, component, weight, worst, best, max_age_days
    from staging.int_health_definitions
    where %(day)s >= valid_from and %(day)s < valid_to
"""
BROKEN = """
    select definition || ' version ' || version || ' for ' || segment
        || ': the weights add up to ' || trim_scale(sum(weight)) || ', not 1'
    from staging.int_health_definitions
    group by definition, version, segment having sum(weight) != 1
    union all
    select distinct 'unknown metric ' || metric
    from staging.int_health_definitions
    where metric not in (select metrics.metric from staging.int_metrics as metrics)
    union all
    select distinct 'there is no alert rule ' || alert_rule from policy.health_score_caps
    where alert_rule not in (select rules.alert_rule from policy.alert_rules as rules)
"""
# Month ends before the day, in place of the days of the build.
PAST = (
    "delete from staging.int_customer_days_to_score",
    "delete from staging.int_customer_metrics",
    """
    insert into staging.int_customer_days_to_score (customer_id, segment, as_of_date)
    select customer_id, segment, as_of_date from staging.int_customer_days_history
    where extract(day from as_of_date + 1) = 1 and as_of_date < %(day)s
    """,
    """
    insert into staging.int_customer_metrics (
        customer_id, as_of_date, metric, value, observed_date
    )
    select customer_id, as_of_date, metric, value, observed_date
    from staging.int_customer_metrics_history
    where extract(day from as_of_date + 1) = 1 and as_of_date < %(day)s
    """,
    "analyze staging.int_customer_days_to_score, staging.int_customer_metrics",
)
HISTORY = "select to_regclass('staging.int_customer_metrics_history')"
PAST_SCORES = """
    select customer_id, as_of_date, score from staging.int_health_scores
    where score is not null order by as_of_date, customer_id
"""


@dataclass(frozen=True)
class Worth:
    """Backtest of the definition of one day: how it ranks churned customers at past month ends."""

    customers: int
    left: int
    auc: metrics.Auc | None
    lift: float | None


@dataclass(frozen=True)
class State:
    """Score and band of each customer, and weight and scale of each component, on one day."""

    scores: dict[str, tuple[Decimal | None, str]]
    components: dict[tuple[str, str, str], tuple[Any, ...]]
    worth: Worth | None = None


@dataclass(frozen=True)
class Check:
    """The newest scored day, by the current definition and by the one of the working tree."""

    day: date
    before: State
    after: State

    @property
    def moved(self) -> list[str]:
        """Return the customers that would change band, the largest change of score first."""
        found = [
            customer
            for customer, (_, band) in self.after.scores.items()
            if customer not in self.before.scores or self.before.scores[customer][1] != band
        ]
        return sorted(found, key=lambda customer: (-abs(self.change(customer)), customer))

    def change(self, customer: str) -> Decimal:
        before = self.before.scores.get(customer, (None, ""))[0]
        after = self.after.scores[customer][0]
        return Decimal(0) if before is None or after is None else after - before


def check(wh: Warehouse, seeds: Path) -> Check:
    """Score the newest day with the seeds of that folder, without changing the warehouse.

    Raises UsageError when the seeds are unreadable or inconsistent, BuildError before the first
    build.
    """
    with wh.connect("transformer") as conn:
        try:
            day = conn.execute(NEWEST).fetchone()
        except psycopg.errors.UndefinedTable:
            day = None
        if day is None or day[0] is None:
            raise BuildError("No day has been scored yet.", hint="Run `retention build` first.")
        before = _state(conn, day[0])
        with conn.transaction(force_rollback=True):
            for name in SEEDS:
                _replace(conn, name, seeds / f"{name}.csv", day[0])
            broken = [row[0] for row in conn.execute(BROKEN)]
            if broken:
                raise UsageError(
                    f"{seeds}: {'; '.join(broken)}.", hint="Correct the seeds of the score."
                )
            after = _state(conn, day[0])
    return Check(day[0], before, after)


def _state(conn: psycopg.Connection, day: date) -> State:
    scores = conn.execute(SCORES, {"day": day}).fetchall()
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        rows = cursor.execute(WEIGHTS, {"day": day}).fetchall()
    return State(
        {customer: (score, band) for customer, score, band in scores},
        {tuple(row[:3]): tuple(row[3:]) for row in rows},
        _worth(conn, day),
    )


def _worth(conn: psycopg.Connection, day: date) -> Worth | None:
    """Backtest the newest versions as if they had always been in force; None without a history."""
    if (conn.execute(HISTORY).fetchone() or [None])[0] is None:
        return None
    with conn.transaction(force_rollback=True):
        for name in DATED:
            table = sql.Identifier("policy", name)
            # Shift all versions by the same days, to keep their order.
            back = "update {} set valid_from = valid_from - 36500"
            conn.execute(sql.SQL(back).format(table))
        for statement in PAST:
            conn.execute(statement, {"day": day})
        rows = conn.execute(PAST_SCORES).fetchall()
        conn.execute("set local search_path to staging, marts, policy")
        inputs = Inputs(conn, day, datetime.combine(day, time()))
        rules, stays = landmarks.Rules.read(inputs), landmarks.stays(inputs)
    customers: list[str] = []
    risks: list[float] = []
    labels: list[int] = []
    for customer, month, score in rows:
        result = _outcome(customer, month, stays, day, rules)
        if result in (landmarks.LEFT, landmarks.STAYED):
            customers.append(customer)
            risks.append(-float(score))
            labels.append(int(result == landmarks.LEFT))
    auc = metrics.auc(risks, labels, customers, rules.level) if labels else None
    return Worth(len(labels), sum(labels), auc, metrics.top_decile_lift(risks, labels))


def _outcome(
    customer: str, month: date, stays: landmarks.Stays, day: date, rules: landmarks.Rules
) -> str:
    left = stays.next_loss(customer, month)
    until = month + timedelta(days=rules.horizon_days)
    return landmarks.outcome(month, left, until, day, rules.lead_days)


def _replace(conn: psycopg.Connection, name: str, path: Path, day: date) -> None:
    """Replace the rows of a seed table by those of the file; future versions apply from now on."""
    try:
        with path.open(newline="") as file:
            columns, *rows = csv.reader(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"Cannot read seed {path}: {error}.") from None
    if "valid_from" in columns and name == "health_score_components":
        place = columns.index("valid_from")
        coming = sorted({row[place] for row in rows if row[place] > str(day)}, reverse=True)
        held = {text: str(day - timedelta(days=back)) for back, text in enumerate(coming)}
        for row in rows:
            row[place] = held.get(row[place], row[place])
    table = sql.Identifier("policy", name)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    conn.execute(sql.SQL("delete from {}").format(table))
    copy = sql.SQL("copy {} ({}) from stdin").format(table, names)
    try:
        with conn.cursor() as cursor, cursor.copy(copy) as lines:
            for row in rows:
                lines.write_row([text or None for text in row])
    except psycopg.DataError as error:
        raise UsageError(f"{path.name}: {str(error).splitlines()[0]}") from None
