"""The steps of the daily load, one function each: what the DAG's tasks and the CLI both call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from retention.builds.build import BuildResult
from retention.builds.build import build as build_models
from retention.errors import UsageError
from retention.landing import land as landing
from retention.landing.land import LoadResult
from retention.publishes import publish as publishing
from retention.publishes.publish import PublishResult
from retention.quality.gate import GateReport, check, require
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
    """Load the window of one stream and whatever the cursor shows to be missing.

    The first load of a stream reads all of history. Running it twice leaves what one run
    leaves. Raises ConfigurationError or ExtractionError; nothing is committed then.
    """
    if stream.kind == "usage":
        from retention.usage.load import load_usage

        lake = (wh.settings or Settings.from_env()).lake
        return load_usage(wh, source, stream, connection, window, lake=lake, run_id=run_id)
    return landing.load_stream(wh, source, stream, connection, window, run_id=run_id)


def loaded_line(result: LoadResult, stream: Stream) -> str:
    """One line for people: what was loaded, how much of it was new, how long it took."""
    # A late event has its whole day written again: more rows of days than events were seen.
    written = "daily rows" if stream.kind == "usage" else "new"
    notes = [f"{result.records_seen:,} seen", f"{result.versions_written:,} {written}"]
    if result.rejected:
        notes.append(f"{result.rejected:,} quarantined")
    name = f"{result.source}.{result.stream}"
    return f"{name:<28} {', '.join(notes):<36} {result.seconds:.1f} s"


def published_line(result: PublishResult) -> str:
    """One line for people: which publish readers see and how many rows it wrote."""
    written = sum(rows.get("added", 0) for rows in result.marts.values())
    return (
        f"publish {result.publish_id}: as of {result.as_of}, {len(result.marts)} tables,"
        f" {written:,} rows written in {result.seconds:.1f} s"
    )


def day_to_build(wh: Warehouse, asked: date | None = None) -> date | None:
    """The day to build: the one asked for, or the newest that any stream is complete for.

    None when that day is published and nothing was loaded since; a day that is asked for is
    always built.
    """
    if asked:
        return asked
    with wh.connect("loader") as conn:
        row = conn.execute(
            """
            select max(window_end), max(loaded_at) filter (where versions_written > 0)
            from ops.loads where status = 'done'
            """
        ).fetchone()
    if row is None or row[0] is None:
        return None
    day: date = row[0].date() - timedelta(days=1)
    current = publishing.current(wh)
    if current and current.as_of == day and (row[1] is None or row[1] <= current.known_at):
        return None
    return day


def gate_arrived(wh: Warehouse, as_of: date, sources: Sequence[Source]) -> GateReport:
    """Gate 1, on what arrived; raises GateFailed naming the checks that failed."""
    report = check(wh, "arrived", sources=sources, as_of=as_of)
    require(report)
    return report


def build(wh: Warehouse, as_of: date, *, full_refresh: bool = False) -> BuildResult:
    """Every model for the day ``as_of``; raises BuildError naming model and message."""
    return build_models(wh, as_of, full_refresh=full_refresh)


def require_not_shown(wh: Warehouse, as_of: date) -> None:
    """Raise UsageError for a day before the one readers see.

    Built in place it would take the frozen days behind it along, and no later build gives
    them back.
    """
    current = publishing.current(wh)
    if current and as_of < current.as_of:
        raise UsageError(
            f"{as_of} lies before {current.as_of}, which readers see.",
            code="day_is_past",
            mend=f"Build it apart: `retention rebuild --as-of {as_of}` compares it with what was"
            " published; `retention build --known-at ...` only builds it.",
        )


def gate_marts(wh: Warehouse, build_id: int, *, accept: str | None = None) -> GateReport:
    """Gate 2, on what would be published; raises GateFailed naming the checks that failed."""
    report = check(wh, "marts", build_id=build_id, accept=accept)
    require(report)
    return report


def publish(wh: Warehouse, build_id: int, *, actor: str, reason: str = "") -> PublishResult:
    """Show this build to readers; raises PublishError when it is not what gate 2 passed."""
    return publishing.publish(wh, build_id, actor=actor, reason=reason)


def transform(
    wh: Warehouse, as_of: date, sources: Sequence[Source], *, actor: str, accept: str | None = None
) -> PublishResult:
    """Gate, build, gate, publish: the whole `transform` DAG in this process."""
    gate_arrived(wh, as_of, sources)
    built = build(wh, as_of)
    gate_marts(wh, built.build_id, accept=accept)
    return publish(wh, built.build_id, actor=actor, reason=accept or "")
