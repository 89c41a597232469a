"""Steps of the daily run, one function each, called by the DAG tasks and by the CLI."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import date, timedelta

from retention.builds.build import BuildResult
from retention.builds.build import build as build_models
from retention.errors import AlreadyRunning, UsageError
from retention.gates.gate import GateReport, check, require
from retention.landing import land as landing
from retention.landing.land import LoadResult
from retention.publishing import holds
from retention.publishing import publish as publishing
from retention.publishing.publish import PublishResult
from retention.settings import Settings
from retention.source import Connection, Source, Stream
from retention.warehouse import Warehouse
from retention.window import Window


def load(
    wh: Warehouse,
    source: Source,
    stream: Stream,
    connection: Connection,
    window: Window,
    run_id: str = "",
) -> LoadResult:
    """Load one window of a stream, extended back to the cursor.

    The first load of a stream reads all of history. Idempotent. Raises ConfigurationError
    or ExtractionError; nothing is committed then.
    """
    if stream.kind == "usage":
        from retention.usage.load import load_usage

        lake = (wh.settings or Settings.from_env()).lake
        return load_usage(wh, source, stream, connection, window, lake=lake, run_id=run_id)
    return landing.load_stream(wh, source, stream, connection, window, run_id=run_id)


def loaded_line(result: LoadResult, stream: Stream) -> str:
    """Format a load for output: records seen, rows written, quarantined rows, seconds."""
    # A late event rewrites its whole day, so daily rows may outnumber the events seen.
    written = "daily rows" if stream.kind == "usage" else "new"
    notes = [f"{result.records_seen:,} seen", f"{result.versions_written:,} {written}"]
    if result.rejected:
        notes.append(f"{result.rejected:,} quarantined")
    if result.set_aside:
        notes.append(f"{result.set_aside:,} values set aside")
    name = f"{result.source}.{result.stream}"
    return f"{name:<28} {', '.join(notes):<36} {result.seconds:.1f} s"


def published_line(result: PublishResult) -> str:
    """Format a publish for output: its id, as_of, number of tables, rows and seconds."""
    written = sum(rows.get("added", 0) for rows in result.marts.values())
    return (
        f"publish {result.publish_id}: as of {result.as_of}, {len(result.marts)} tables,"
        f" {written:,} rows written in {result.seconds:.1f} s"
    )


def day_to_build(wh: Warehouse, requested: date | None = None) -> date | None:
    """Return the day to build: the requested one, or the newest complete day of any stream.

    Returns None when that day is published and nothing was loaded since, or when a rollback
    holds and no record was loaded since. A requested day is always built.
    """
    if requested:
        return requested
    with wh.connect("loader") as conn:
        held = holds.active(conn)
        row = conn.execute(
            """
            select max(window_end), max(loaded_at) filter (where versions_written > 0)
            from ops.loads where status = 'done'
            """
        ).fetchone()
    if row is None or row[0] is None:
        return None
    if held and (row[1] is None or row[1] <= held.rejected_known_at):
        return None
    day: date = row[0].date() - timedelta(days=1)
    current = publishing.current(wh)
    if current and current.as_of == day and (row[1] is None or row[1] <= current.known_at):
        return None
    return day


def gate_arrived(wh: Warehouse, as_of: date, sources: Sequence[Source]) -> GateReport:
    """Run gate 1 on the raw data; raises GateFailed with the names of the failed checks."""
    report = check(wh, "arrived", sources=sources, as_of=as_of)
    require(report)
    return report


def build(wh: Warehouse, as_of: date, *, full_refresh: bool = False) -> BuildResult:
    """Build all models for ``as_of``; raises BuildError with model and message."""
    return build_models(wh, as_of, full_refresh=full_refresh)


def require_not_before_published(wh: Warehouse, as_of: date) -> None:
    """Raise UsageError for a day before the published one.

    Building an earlier day in place deletes the frozen days after it, and no later build
    restores them.
    """
    current = publishing.current(wh)
    if current and as_of < current.as_of:
        raise UsageError(
            f"{as_of} is before the published day {current.as_of}.",
            code="day_is_past",
            hint=f"Run `retention rebuild --as-of {as_of}` to build it in a separate database"
            " and compare it with what was published.",
        )


def gate_marts(wh: Warehouse, build_id: int, *, accept: str | None = None) -> GateReport:
    """Run gate 2 on the built marts; raises GateFailed with the names of the failed checks."""
    report = check(wh, "marts", build_id=build_id, accept=accept)
    require(report)
    return report


def publish(
    wh: Warehouse, build_id: int, *, actor: str, reason: str = "", allow_drop: bool = False
) -> PublishResult:
    """Publish this build; raises PublishError when it differs from what gate 2 passed.

    Then prunes the publishes that ``Settings.publish_days`` no longer keeps.
    """
    done = publishing.publish(wh, build_id, actor=actor, reason=reason, allow_drop=allow_drop)
    # A rollback may hold the lock at this moment: then the next publish prunes.
    with contextlib.suppress(AlreadyRunning):
        publishing.prune(wh, days=(wh.settings or Settings.from_env()).publish_days)
    return done


def transform(
    wh: Warehouse, as_of: date, sources: Sequence[Source], *, actor: str, accept: str | None = None
) -> PublishResult:
    """Run gate 1, build, gate 2 and publish: the `transform` DAG in this process."""
    gate_arrived(wh, as_of, sources)
    built = build(wh, as_of)
    gate_marts(wh, built.build_id, accept=accept)
    return publish(wh, built.build_id, actor=actor, reason=accept or "")
