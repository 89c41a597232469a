"""What a changed definition of the health score would change, before it is merged.

The seeds of the working tree stand in for those of the warehouse inside one transaction that is
rolled back; the views of the score do the rest. So the answer is exact, and nothing is changed.
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
from retention.statistics import judging, landmarks
from retention.statistics.base import Inputs
from retention.warehouse import Warehouse

SEEDS = (
    "health_score_definitions",
    "health_score_signals",
    "health_score_caps",
    "health_score_overrides",
    "health_bands",
)
DATED = ("health_score_signals", "health_score_caps", "health_bands")
NEWEST = "select max(as_of_date) from staging.int_customer_metrics_daily"
SCORES = """
    select scores.customer_id, scores.score, scores.band
    from staging.int_health_scores as scores
    where scores.as_of_date = %(day)s
"""
WEIGHTS = """
    select definition, segment, signal, weight, worst, best, max_age_days
    from staging.int_health_definitions
    where %(day)s >= valid_from and %(day)s < valid_to
"""
BROKEN = """
    select definition || ' version ' || version || ' for ' || segment
        || ': the weights add up to ' || trim_scale(sum(weight))
    from staging.int_health_definitions
    group by definition, version, segment having sum(weight) != 1
    union all
    select distinct 'there is no metric ' || metric
    from staging.int_health_definitions
    where metric not in (
        select column_name from information_schema.columns
        where table_schema = 'staging' and table_name = 'int_customer_metrics_daily'
    )
"""
# A history has columns that a later build has not, and the other way round.
SHARED_COLUMNS = """
    select array_agg(daily.column_name::text)
    from information_schema.columns as daily
    inner join information_schema.columns as history using (table_schema, column_name)
    where daily.table_schema = 'staging'
        and daily.table_name = 'int_customer_metrics_daily'
        and history.table_name = 'int_customer_metrics_history'
"""
PAST = """
    insert into staging.int_customer_metrics_daily ({columns})
    select {columns} from staging.int_customer_metrics_history
    where extract(day from as_of_date + 1) = 1 and as_of_date < %(day)s
"""
PAST_SCORES = """
    select customer_id, as_of_date, score from staging.int_health_scores
    where score is not null order by as_of_date, customer_id
"""


@dataclass(frozen=True)
class Worth:
    """How the definition of one day would have ranked who left, at past ends of months."""

    customers: int
    left: int
    auc: judging.Auc | None
    lift: float | None


@dataclass(frozen=True)
class State:
    """Score and band of each customer, and weight and ramp of each signal, on one day."""

    scores: dict[str, tuple[Decimal | None, str]]
    signals: dict[tuple[str, str, str], tuple[Any, ...]]
    worth: Worth | None = None


@dataclass(frozen=True)
class Check:
    """The newest day that was built, by the definition of then and by the working tree's."""

    day: date
    before: State
    after: State

    @property
    def moved(self) -> list[str]:
        """Who would be in another band, the largest change of score first."""
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
    """Score the newest day by the seeds of that folder; the warehouse stays as it is.

    Raises UsageError when the seeds cannot be read or do not hold together, BuildError when
    nothing was built yet.
    """
    with wh.connect("transformer") as conn:
        try:
            day = conn.execute(NEWEST).fetchone()
        except psycopg.errors.UndefinedTable:
            day = None
        if day is None or day[0] is None:
            raise BuildError("no day has been scored yet.", mend="Run `retention build` first.")
        before = _state(conn, day[0])
        with conn.transaction(force_rollback=True):
            for name in SEEDS:
                _replace(conn, name, seeds / f"{name}.csv", day[0])
            broken = [row[0] for row in conn.execute(BROKEN)]
            if broken:
                raise UsageError("; ".join(broken) + ".")
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
    """The newest versions of all, as if they had held from the beginning; None without a past."""
    columns = (conn.execute(SHARED_COLUMNS).fetchone() or [None])[0]
    if not columns:
        return None
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with conn.transaction(force_rollback=True):
        for name in DATED:
            table = sql.Identifier("policy", name)
            # All alike, so that they follow one another as before.
            back = "update {} set valid_from = valid_from - 36500"
            conn.execute(sql.SQL(back).format(table))
        conn.execute("delete from staging.int_customer_metrics_daily")
        conn.execute(sql.SQL(PAST).format(columns=names), {"day": day})
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
    auc = judging.auc(risks, labels, customers, rules.level) if labels else None
    return Worth(len(labels), sum(labels), auc, judging.top_decile_lift(risks, labels))


def _outcome(
    customer: str, month: date, stays: landmarks.Stays, day: date, rules: landmarks.Rules
) -> str:
    left = stays.next_loss(customer, month)
    until = month + timedelta(days=rules.horizon_days)
    return landmarks.outcome(month, left, until, day, rules.lead_days)


def _replace(conn: psycopg.Connection, name: str, path: Path, day: date) -> None:
    """The rows of the file instead of the table's, versions of the future as if they held now."""
    try:
        with path.open(newline="") as file:
            columns, *rows = csv.reader(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if "valid_from" in columns and name == "health_score_signals":
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
