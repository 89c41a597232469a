"""Show what was loaded, what is in quarantine and what is published (`retention status`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import namedtuple_row
from rich.console import Console
from rich.table import Table

from retention.source import Source
from retention.warehouse import Warehouse

# The newest load of each stream and its number of rows in quarantine.
NEWEST_LOADS = """
    select
        newest.*,
        coalesce(waiting.rows, 0) as waiting
    from (
        select distinct on (source, stream)
            source, stream, status, window_end, finished_at, records_seen, versions_written,
            rejected, error_code, error
        from ops.loads
        order by source asc, stream asc, load_id desc
    ) as newest
    left join (
        select source, stream, count(*) as rows
        from ops.quarantine
        where resolved_at is null and path is null
        group by source, stream
    ) as waiting using (source, stream)
    order by newest.source, newest.stream
"""
# One line per stream and property, with the newest record as an example.
SET_ASIDE = r"""
    select distinct on (source, stream, property)
        source, stream, property, record_id, reason,
        count(*) over (partition by source, stream, property) as parts
    from (
        select *, regexp_replace(path, '\.\d+( \(.*\))?$', '') as property
        from ops.quarantine where resolved_at is null and path is not null
    ) as held
    order by source, stream, property, quarantine_id desc
"""
SHOWN = "select * from publish.as_of left join publish.hold on true"
NEWEST_BUILDS = """
    select build_id, as_of, status, started_at, finished_at, error
    from ops.builds order by build_id desc limit 3
"""
FAILED_CHECKS = """
    select suite, expectation, column_name, severity, unexpected_count, gate
    from ops.gate_results
    where
        not success
        and gate_run_id in (select max(gate_run_id) from ops.gate_results group by gate)
    order by severity, suite, expectation
"""


def show(wh: Warehouse, sources: Iterable[Source], console: Console) -> None:
    """Print the status. Only reads, and works before the first load."""
    with wh.connect("loader") as conn:
        cursor = conn.cursor(row_factory=namedtuple_row)
        loads: list[Any] = cursor.execute(NEWEST_LOADS).fetchall()
        set_aside: list[Any] = cursor.execute(SET_ASIDE).fetchall()
        builds: list[Any] = cursor.execute(NEWEST_BUILDS).fetchall()
        failed: list[Any] = cursor.execute(FAILED_CHECKS).fetchall()
        shown: Any = cursor.execute(SHOWN).fetchone()
    console.print(loads_table(loads, {source.name: source.freshness for source in sources}))
    for load in loads:
        if load.error:
            console.print(f"{load.source}.{load.stream}: {load.error}", markup=False)
    for part in set_aside:
        console.print(_set_aside_line(part), markup=False)
    for build in builds:
        console.print(_build_line(build), markup=False)
    for check in failed:
        column = f" ({check.column_name})" if check.column_name else ""
        console.print(
            f"gate {check.gate}, {check.severity}: {check.suite} {check.expectation}{column},"
            f" {check.unexpected_count or 'no'} rows",
            markup=False,
        )
    console.print(_publish_line(shown), markup=False)


def loads_table(loads: list[Any], freshness: dict[str, timedelta]) -> Table:
    """Return one line per stream; "late" means beyond the source's freshness limit."""
    table = Table(
        title="Newest load of each stream", title_justify="left", box=None, pad_edge=False
    )
    for name in ("stream", "status", "complete to", "seen", "new", "quarantined"):
        table.add_column(name, justify="left" if name in ("stream", "status") else "right")
    newest = max((load.window_end for load in loads if load.status == "done"), default=None)
    for load in loads:
        status = load.error_code or load.status
        if _is_late(load, newest, freshness):
            status += ", late"
        table.add_row(
            f"{load.source}.{load.stream}",
            status,
            f"{load.window_end:%Y-%m-%d %H:%M}",
            f"{load.records_seen:,}",
            f"{load.versions_written:,}",
            f"{load.waiting:,}",
        )
    return table


def _is_late(load: Any, newest: datetime | None, freshness: dict[str, timedelta]) -> bool:
    allowed = freshness.get(load.source)
    return bool(newest and allowed and newest - load.window_end > allowed)


def _set_aside_line(part: Any) -> str:
    return (
        f"set aside: {part.parts:,} of {part.source}.{part.stream} {part.property}, such as record"
        f" {part.record_id}: {part.reason}. The rest of the record is loaded. Correct the value at"
        " the source; a later load reads it again."
    )


def _build_line(build: Any) -> str:
    took = f" in {build.finished_at - build.started_at}" if build.finished_at else ""
    return f"build {build.build_id} of {build.as_of}: {build.status}{took} {build.error or ''}"


def _publish_line(shown: Any) -> str:
    if shown is None:
        return "Nothing is published yet."
    stale = f"; stale: {', '.join(shown.stale_sources)}" if shown.stale_sources else ""
    return (
        f"Readers see publish {shown.publish_id}: as of {shown.as_of},"
        f" published {shown.published_at:%Y-%m-%d %H:%M} UTC{stale}{held(shown)}"
    )


def held(shown: Any) -> str:
    """Return a clause about the rollback that holds the publish; empty without one."""
    if shown.held_since is None:
        return ""
    reason = f": {shown.hold_reason}" if shown.hold_reason else ""
    return f"; rolled back and held since {shown.held_since:%Y-%m-%d %H:%M} UTC{reason}"
