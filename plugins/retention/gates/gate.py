"""The two gates: gate 1 checks the raw data before a build, gate 2 the marts before a publish."""

from __future__ import annotations

import getpass
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from psycopg.types.json import Jsonb

from retention import suites
from retention.builds.build import manifest_path
from retention.errors import GateFailed, UsageError
from retention.gates import datadocs, marts, plan, validation
from retention.gates.report import GateReport, Outcome
from retention.publishing.mart import declared, with_rows
from retention.settings import Settings
from retention.source import Source

if TYPE_CHECKING:
    import psycopg

    from retention.warehouse import Warehouse

__all__ = ["GateReport", "Outcome", "check", "require"]
SHOWN = 5


def check(  # noqa: PLR0913 - one entry point for two gates
    wh: Warehouse,
    gate: Literal["arrived", "marts"],
    *,
    sources: Sequence[Source] = (),
    as_of: date | None = None,
    build_id: int | None = None,
    accept: str | None = None,
    actor: str = "",
    folder: Path = suites.FOLDER,
) -> GateReport:
    """Run every check of one gate, store the results in ``ops.gate_results``, write the docs.

    ``arrived`` checks the records loaded since the last publish, ``marts`` the newest build.
    ``accept`` is the reason for accepting an anomaly against the last publish; it is stored
    with ``actor``. Failed checks do not raise here, see ``require``. Raises
    ConfigurationError for an invalid suite or an unknown expectation.
    """
    started = time.monotonic()
    settings = wh.settings or Settings.from_env()
    with wh.connect("transformer") as conn:
        if gate == "arrived":
            build_id = None
            planned = plan.of_arrived(conn, sources, as_of, folder)
        elif gate == "marts":
            build = marts.build_under_audit(conn, build_id)
            build_id = build.build_id
            accepted = marts.Accepted(actor or getpass.getuser(), accept) if accept else None
            wanted = with_rows(declared(manifest_path(settings)))
            planned = plan.of_marts(conn, build, wanted, accepted, folder)
        else:
            raise UsageError(f"there is no gate {gate!r}; choose arrived or marts.")
    examined = validation.examine(lambda: _reader(wh), planned.tasks)
    outcomes = (*planned.outcomes, *(o for each in examined for o in each.outcomes))
    report = GateReport(gate, outcomes, time.monotonic() - started, build_id)
    report = replace(report, gate_run_id=_store(wh, report))
    return datadocs.write(settings.docs / gate, report, examined)


def require(report: GateReport) -> None:
    """Raise GateFailed with the names of the failed checks, unless the gate passed."""
    if report.passed:
        return
    shown = "; ".join(str(outcome) for outcome in report.critical[:SHOWN])
    more = len(report.critical) - SHOWN
    raise GateFailed(
        (shown or "no check was made") + (f"; and {more} more" if more > 0 else "") + ".",
        where=f"gate {report.gate}",
        hint="Readers keep the last publish. See ops.gate_results where gate_run_id ="
        f" {report.gate_run_id}.",
    )


def _reader(wh: Warehouse) -> psycopg.Connection:
    """Open a read-only connection: the SQL of a suite must not change data."""
    conn = wh.connect("transformer")
    conn.execute("set session characteristics as transaction read only")
    conn.commit()
    return conn


def _store(wh: Warehouse, report: GateReport) -> int:
    """Store all outcomes in one transaction; return the gate_run_id."""
    with wh.connect("transformer") as conn:
        row = conn.execute("select nextval('ops.gate_run_ids')").fetchone()
        run_id = int(row[0]) if row else 0
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into ops.gate_results (gate_run_id, build_id, gate, suite, expectation,"
                " column_name, severity, success, observed, unexpected_count, checked_count,"
                " notes) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [_row(run_id, report, outcome) for outcome in report.outcomes],
            )
    return run_id


def _row(run_id: int, report: GateReport, outcome: Outcome) -> tuple[object, ...]:
    return (
        run_id,
        report.build_id,
        report.gate,
        outcome.suite,
        outcome.expectation,
        outcome.column or None,
        outcome.severity,
        outcome.success,
        Jsonb(outcome.observed),
        outcome.unexpected,
        outcome.checked,
        outcome.notes,
    )
