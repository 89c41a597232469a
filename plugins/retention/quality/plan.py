"""What a gate has to look at: our own checks answered at once, and the suites left to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import psycopg

from retention.errors import ConfigurationError
from retention.quality import arrivals, ledger, marts, shape, suites, validation
from retention.quality.ledger import Arrived
from retention.quality.report import Outcome
from retention.quality.suites import Suite
from retention.quality.validation import Task
from retention.source import Source


@dataclass
class Plan:
    """Outcomes known already, and the suites whose rows are still to be examined."""

    outcomes: list[Outcome] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)


def of_arrived(
    conn: psycopg.Connection, sources: Sequence[Source], as_of: date | None, folder: Path
) -> Plan:
    """Every stream of the sources that ever finished a load, since readers last saw data."""
    plan = Plan()
    since = ledger.last_seen(conn)
    loaded = ledger.streams_with_loads(conn)
    complete_to = _end_of(as_of) if as_of else ledger.newest_window_end(conn)
    plan.outcomes.append(ledger.something_arrived(len(loaded)))
    for source in sources:
        streams = [s for s in source.streams if (source.name, s.name) in loaded]
        plan.outcomes.append(ledger.source_arrived(source, len(streams)))
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
    published: Iterable[str],
    accepted: marts.Accepted | None,
    folder: Path,
) -> Plan:
    """Every published mart of the build."""
    plan = Plan()
    for mart in published:
        suite = _known(plan, f"marts.{mart}", folder)
        if suite is not None:
            _add_mart(plan, conn, suite, build, accepted)
    return plan


def _add_mart(
    plan: Plan,
    conn: psycopg.Connection,
    suite: Suite,
    build: marts.Build,
    accepted: marts.Accepted | None,
) -> None:
    _guard(plan, conn, suite, lambda: marts.outcomes(conn, suite, build, accepted))
    plan.tasks.append(Task(suite, f"select * from {suite.table}"))  # noqa: S608 - a checked name


def _add_stream(
    plan: Plan,
    conn: psycopg.Connection,
    arrived: Arrived,
    suite: Suite,
    expand: Callable[[str], str],
    complete_to: datetime,
) -> None:
    query = arrivals.arrived(suite, arrived.source.name, arrived.stream, arrived.since)
    _guard(plan, conn, suite, lambda: ledger.outcomes(conn, arrived, complete_to))
    _guard(plan, conn, suite, lambda: shape.stream_has_not_vanished(conn, arrived))
    _guard(plan, conn, suite, lambda: shape.documented_fields_arrived(conn, arrived, suite))
    _guard(plan, conn, suite, lambda: shape.unreadable(conn, suite, query))
    # A broken suite is found on the first day, not on the first day with rows.
    validation.configurations(suite, expand)
    # Nothing new is legal for an increment; the library would call it a success of every
    # check, so it is not asked.
    if ledger.has_rows(conn, query):
        plan.tasks.append(Task(suite, query, expand))


def _known(plan: Plan, table: str, folder: Path) -> Suite | None:
    """The suite of a table; that it exists and holds checks is the first check of it."""
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
            notes=f"expectations/{name}.yml is there and holds at least one expectation.",
        )
    )
    return suite if count else None


def _guard(
    plan: Plan,
    conn: psycopg.Connection,
    suite: Suite,
    outcomes: Callable[[], Iterable[Outcome]],
) -> None:
    """Add the outcomes; an error of the database is a failed critical check, not a gap."""
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
                # The message of the error may quote a value; its class says enough.
                notes=f"could not be evaluated ({type(error).__name__}).",
            )
        )


def _expander(own: Source, sources: Sequence[Source], folder: Path) -> Callable[[str], str]:
    """Fills ``{accounts}`` in a suite's query with the newest rows of that stream."""
    by_name = {source.name: source for source in sources}

    def view(source: str, stream: str) -> str:
        name = source or own.name
        suite = suites.find(f"raw.{name}_{stream}", folder)
        if suite is None or name not in by_name:
            raise ConfigurationError(
                f"{{{source + '.' if source else ''}{stream}}} names no checked stream.",
                code="broken_suite",
            )
        return arrivals.newest(suite, name, by_name[name].stream(stream))

    return lambda query: arrivals.expand(query, view)


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time_of_day.min, UTC)
