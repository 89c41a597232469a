"""The gates: nothing is built from what arrived broken, nothing is published that looks wrong."""

from __future__ import annotations

import getpass
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from psycopg.types.json import Jsonb

from retention.builds.build import manifest_path
from retention.errors import GateFailed, UsageError
from retention.marts.mart import declared
from retention.quality import datadocs, marts, plan, suites, validation
from retention.quality.report import GateReport, Outcome
from retention.settings import Settings
from retention.source import Source

if TYPE_CHECKING:
    import psycopg

    from retention.warehouse import Warehouse

__all__ = ["GateReport", "Outcome", "check", "require"]
SHOWN = 5


def check(  # noqa: PLR0913 - two gates, one question
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
    """Run every check of one gate, keep the results in ``ops.gate_results``, write the docs.

    ``arrived`` looks at what was loaded since readers last saw anything; ``marts`` at the
    newest build. ``accept`` is a person's reason to let an anomaly against the last publish
    pass; it is kept with ``actor``. Nothing here stops a run: ``require`` does. A suite that
    cannot be read or that names an unknown expectation raises ConfigurationError.
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
            published = [mart.name for mart in declared(manifest_path(settings))]
            planned = plan.of_marts(conn, build, published, accepted, folder)
        else:
            raise UsageError(f"the gates are arrived and marts, not {gate!r}.")
    examined = validation.examine(lambda: _reader(wh), planned.tasks)
    outcomes = (*planned.outcomes, *(o for each in examined for o in each.outcomes))
    report = GateReport(gate, outcomes, time.monotonic() - started, build_id)
    report = replace(report, gate_run_id=_store(wh, report))
    return datadocs.write(settings.docs / gate, report, examined)


def require(report: GateReport) -> None:
    """Raise GateFailed naming the checks that failed, unless the gate passed."""
    if report.passed:
        return
    shown = "; ".join(str(outcome) for outcome in report.critical[:SHOWN])
    more = len(report.critical) - SHOWN
    raise GateFailed(
        (shown or "it made no check") + (f"; and {more} more" if more > 0 else "") + ".",
        where=f"gate {report.gate}",
        mend="Readers keep the last publish. All results: ops.gate_results where gate_run_id ="
        f" {report.gate_run_id}.",
    )


def _reader(wh: Warehouse) -> psycopg.Connection:
    """What suites read through: a check, whatever its SQL says, changes nothing."""
    conn = wh.connect("transformer")
    conn.execute("set session characteristics as transaction read only")
    conn.commit()
    return conn


def _store(wh: Warehouse, report: GateReport) -> int:
    """Keep all outcomes or none; returns the run's number."""
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
