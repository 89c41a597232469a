"""Checks of every published mart besides its suite: build, grain, rows, day and anomalies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from psycopg import sql

from retention.errors import ConfigurationError
from retention.gates.report import Outcome
from retention.publishing import checksum
from retention.suites import Anomaly, AsOf, Rows, Suite

if TYPE_CHECKING:
    import psycopg

    from retention.publishing.mart import Mart

_DOUBLED = """
with doubled as (select {grain} from {table} group by {grain} having count(*) > 1)
select count(*), min(to_jsonb(doubled)::text) from doubled
"""


@dataclass(frozen=True)
class Accepted:
    """An accepted anomaly with actor and reason; failed identities cannot be accepted."""

    actor: str
    reason: str


@dataclass(frozen=True)
class Build:
    """The build under audit and the build of the publish it is compared with."""

    build_id: int
    as_of: date
    built: frozenset[str]
    compared_with: int | None


def build_under_audit(conn: psycopg.Connection, build_id: int | None) -> Build:
    """Return that build, or the newest one.

    Raises ConfigurationError when it did not finish, or when a newer build overwrote its
    tables.
    """
    newest = conn.execute(
        "select build_id, as_of, status, models from ops.builds order by build_id desc limit 1"
    ).fetchone()
    if newest is None or build_id not in (None, newest[0]):
        shown = newest[0] if newest else "none"
        raise ConfigurationError(
            f"the marts are not those of build {build_id}; the newest build is {shown}.",
            code="not_the_newest_build",
            hint="Check the newest build, or build again.",
        )
    number, as_of, status, models = newest
    if status != "done":
        raise ConfigurationError(
            f"build {number} is {status}, not done.",
            code="build_not_done",
            hint="Run `retention build` again.",
        )
    built = {m["name"] for m in models or [] if m["status"] == "success"}
    return Build(number, as_of, frozenset(built), _last_publish(conn, as_of))


def outcomes(
    conn: psycopg.Connection, mart: Mart, suite: Suite, build: Build, accepted: Accepted | None
) -> Iterator[Outcome]:
    """Yield all checks of one mart; store its checksum, which the publish compares."""
    yield Outcome(
        suite.name,
        "mart_is_from_this_build",
        "critical",
        mart.name in build.built,
        notes="The table was written by the build under audit.",
        observed={"build_id": build.build_id},
    )
    rows, digest = checksum.of(conn, "marts", mart.name)
    _store_checksum(conn, build, mart.name, rows, digest)
    yield grain_is_unique(conn, mart, rows)
    yield _rows_are_there(suite, suite.rows or Rows(min=1), rows)
    if suite.as_of:
        yield _day_is_the_builds(conn, suite, suite.as_of, build)
    for anomaly in suite.anomalies:
        yield _like_last_publish(conn, suite, anomaly, build, accepted)


def grain_is_unique(conn: psycopg.Connection, mart: Mart, rows: int) -> Outcome:
    """Count the keys of ``meta.grain`` that several rows have; two nulls are equal.

    The outcome names one such key, unless the mart is for people with access to personal data.
    """
    columns = sql.SQL(", ").join(map(sql.Identifier, mart.grain))
    query = sql.SQL(_DOUBLED).format(grain=columns, table=mart.built)
    doubled, key = conn.execute(query).fetchone() or (0, None)
    observed = {}
    if key and mart.audience == "publish":
        values = json.loads(key)
        observed["example"] = ", ".join(f"{name} = {values[name]}" for name in mart.grain)
    return Outcome(
        f"marts_{mart.name}",
        "grain_is_unique",
        "critical",
        doubled == 0,
        column=", ".join(mart.grain),
        unexpected=doubled,
        checked=rows,
        notes=f"One row per {', '.join(mart.grain)}, as `meta.grain` of the model says.",
        observed=observed,
    )


def _rows_are_there(suite: Suite, wanted: Rows, rows: int) -> Outcome:
    return Outcome(
        suite.name,
        "rows_are_there",
        "critical",
        rows >= wanted.min,
        checked=rows,
        notes=wanted.notes or f"At least {wanted.min} rows.",
        observed={"rows": rows, "min": wanted.min},
    )


def _day_is_the_builds(conn: psycopg.Connection, suite: Suite, rule: AsOf, build: Build) -> Outcome:
    column = sql.Identifier(rule.column)
    wrong = {
        "all": sql.SQL("count(*) filter (where {0} is distinct from %(day)s)"),
        "until": sql.SQL("count(*) filter (where {0} is null or {0} > %(day)s)"),
        "newest": sql.SQL("case when max({0}) is distinct from %(day)s then 1 else 0 end"),
    }[rule.rule].format(column)
    query = sql.SQL("select {}, count(*) from {}").format(wrong, _table(suite))
    unexpected, checked = conn.execute(query, {"day": build.as_of}).fetchone() or (1, 0)
    return Outcome(
        suite.name,
        "day_is_the_builds",
        "critical",
        unexpected == 0,
        column=rule.column,
        unexpected=unexpected,
        checked=checked,
        notes=rule.notes or "The rows belong to the day that was built.",
        observed={"as_of": build.as_of.isoformat(), "rule": rule.rule},
    )


def _like_last_publish(
    conn: psycopg.Connection,
    suite: Suite,
    anomaly: Anomaly,
    build: Build,
    accepted: Accepted | None,
) -> Outcome:
    now = _measure(conn, suite, anomaly, build)
    before = _measured_before(conn, suite, anomaly, build)
    odd = [key for key, was in before.items() if _jumped(anomaly, was, now.get(key, 0.0))]
    notes, severity = anomaly.notes, anomaly.severity
    if odd and accepted:
        severity = "warning"
        notes = f"Accepted by {accepted.actor}: {accepted.reason}. {notes}"
    return Outcome(
        suite.name,
        f"{anomaly.name}_like_last_publish",
        severity,
        not odd,
        unexpected=len(odd),
        checked=len(before),
        notes=notes,
        observed={"measure": now, "before": before, "odd": odd},
    )


def _jumped(anomaly: Anomaly, was: float, now: float) -> bool:
    if was == 0:
        return False
    change = (now - was) / abs(was)
    return change < -anomaly.max_drop or (
        anomaly.max_rise is not None and change > anomaly.max_rise
    )


def _measure(
    conn: psycopg.Connection, suite: Suite, anomaly: Anomaly, build: Build
) -> dict[str, float]:
    """Return the measure per group; its SQL comes from the suite, not from data."""
    group = sql.SQL("coalesce({}::text, '')").format(sql.Identifier(anomaly.by))
    query = sql.SQL("select {}, ({})::float8 from {} where {} group by 1").format(
        group if anomaly.by else sql.SQL("''::text"),
        sql.SQL(anomaly.measure),
        _table(suite),
        sql.SQL(anomaly.where),
    )
    rows = conn.execute(query, {"as_of": build.as_of}).fetchall()
    return {key: float(value or 0) for key, value in rows}


def _measured_before(
    conn: psycopg.Connection, suite: Suite, anomaly: Anomaly, build: Build
) -> Mapping[str, float]:
    row = conn.execute(
        "select observed -> 'measure' from ops.gate_results where build_id = %s"
        " and gate = 'marts' and suite = %s and expectation = %s"
        " order by gate_run_id desc limit 1",
        [build.compared_with, suite.name, f"{anomaly.name}_like_last_publish"],
    ).fetchone()
    return dict(row[0]) if row and row[0] else {}


def _last_publish(conn: psycopg.Connection, as_of: date) -> int | None:
    """Return the build of the last publish of this day or an earlier one.

    A newer publish has more days, so an older day is not compared with it.
    """
    row = conn.execute(
        "select build_id from ops.publishes where as_of <= %s and status != 'rolled_back'"
        " order by publish_id desc limit 1",
        [as_of],
    ).fetchone()
    return int(row[0]) if row else None


def _store_checksum(
    conn: psycopg.Connection, build: Build, mart: str, rows: int, digest: str
) -> None:
    conn.execute(
        "insert into ops.mart_checksums (build_id, mart, rows, checksum) values (%s, %s, %s, %s)"
        " on conflict (build_id, mart) do update set rows = excluded.rows,"
        " checksum = excluded.checksum, at = clock_timestamp()",
        [build.build_id, mart, rows, digest],
    )


def _table(suite: Suite) -> sql.Identifier:
    return sql.Identifier(*suite.table.split("."))
