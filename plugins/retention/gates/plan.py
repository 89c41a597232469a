"""Plan of a gate: outcomes of the built-in checks, and the suites to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import psycopg

from retention import suites
from retention.errors import ConfigurationError
from retention.gates import load_checks, marts, raw_checks, schema_checks, validation
from retention.gates.load_checks import Arrived
from retention.gates.report import Outcome
from retention.gates.validation import Task
from retention.publishing.mart import Mart
from retention.source import Source
from retention.suites import Suite


@dataclass
class Plan:
    """Outcomes of the built-in checks, and the suites that Great Expectations has to run."""

    outcomes: list[Outcome] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)


def of_arrived(
    conn: psycopg.Connection, sources: Sequence[Source], as_of: date | None, folder: Path
) -> Plan:
    """Plan gate 1: every loaded stream of the sources, with its records since the last publish."""
    plan = Plan()
    since = load_checks.last_seen(conn)
    loaded = load_checks.streams_with_loads(conn)
    complete_to = _end_of(as_of) if as_of else load_checks.newest_window_end(conn)
    plan.outcomes.append(load_checks.something_arrived(len(loaded)))
    for source in sources:
        streams = [s for s in source.streams if (source.name, s.name) in loaded]
        plan.outcomes.append(load_checks.source_arrived(source, len(streams)))
        for stream in streams:
            arrived = Arrived(source, stream, since)
            suite = _known(plan, f"raw.{source.name}_{stream.name}", folder)
            if suite is not None:
                expand = _expander(source, sources, folder)
                _add_stream(plan, conn, arrived, suite, expand, complete_to)
    return plan


def of_marts(
    conn: psycopg.Connection,
    build: marts.Build,
    published: Iterable[Mart],
    accepted: marts.Accepted | None,
    folder: Path,
) -> Plan:
    """Plan gate 2: every published mart of the build."""
    plan = Plan()
    for mart in published:
        suite = _known(plan, f"marts.{mart.name}", folder)
        if suite is not None:
            _add_mart(plan, conn, mart, suite, build, accepted)
    return plan


def _add_mart(
    plan: Plan,
    conn: psycopg.Connection,
    mart: Mart,
    suite: Suite,
    build: marts.Build,
    accepted: marts.Accepted | None,
) -> None:
    _guard(plan, conn, suite, lambda: marts.outcomes(conn, mart, suite, build, accepted))
    plan.tasks.append(Task(suite, f"select * from {suite.table}"))  # noqa: S608 - a checked name


def _add_stream(
    plan: Plan,
    conn: psycopg.Connection,
    arrived: Arrived,
    suite: Suite,
    expand: Callable[[str], str],
    complete_to: datetime,
) -> None:
    query = raw_checks.arrived(suite, arrived.source.name, arrived.stream, arrived.since)
    _guard(plan, conn, suite, lambda: load_checks.outcomes(conn, arrived, complete_to))
    _guard(plan, conn, suite, lambda: schema_checks.stream_has_not_vanished(conn, arrived))
    _guard(plan, conn, suite, lambda: schema_checks.documented_fields_arrived(conn, arrived, suite))
    _guard(plan, conn, suite, lambda: schema_checks.unreadable(conn, suite, query))
    # Validate the suite here: a broken one must fail also on a day without rows.
    validation.configurations(suite, expand)
    # A day without new records is valid; Great Expectations would report every check as passed.
    if load_checks.has_rows(conn, query):
        plan.tasks.append(Task(suite, query, expand))


def _known(plan: Plan, table: str, folder: Path) -> Suite | None:
    """Load the suite of a table; add the check that it exists and is not empty."""
    suite = suites.find(table, folder)
    name = table.replace(".", "_")
    count = len(suite.expectations) if suite else 0
    plan.outcomes.append(
        Outcome(
            name,
            "suite_has_checks",
            "critical",
            count > 0,
            checked=count,
            notes=f"expectations/{name}.yml exists and has at least one expectation.",
        )
    )
    return suite if count else None


def _guard(
    plan: Plan,
    conn: psycopg.Connection,
    suite: Suite,
    outcomes: Callable[[], Iterable[Outcome]],
) -> None:
    """Add the outcomes; a database error becomes a failed critical check."""
    try:
        with conn.transaction():
            plan.outcomes.extend(list(outcomes()))
    except psycopg.Error as error:
        plan.outcomes.append(
            Outcome(
                suite.name,
                "checks_can_run",
                "critical",
                False,
                # The message of the error may quote data, so only its class is stored.
                notes=f"could not be evaluated ({type(error).__name__}).",
            )
        )


def _expander(own: Source, sources: Sequence[Source], folder: Path) -> Callable[[str], str]:
    """Return a function that replaces ``{accounts}`` by the newest rows of that stream."""
    by_name = {source.name: source for source in sources}

    def view(source: str, stream: str) -> str:
        name = source or own.name
        suite = suites.find(f"raw.{name}_{stream}", folder)
        if suite is None or name not in by_name:
            raise ConfigurationError(
                f"{{{source + '.' if source else ''}{stream}}} names no checked stream.",
                code="broken_suite",
                hint="Name a stream of an enabled source that has a suite.",
            )
        return raw_checks.newest(suite, name, by_name[name].stream(stream))

    return lambda query: raw_checks.expand(query, view)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time_of_day.min, UTC)
