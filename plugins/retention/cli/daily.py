"""Commands of the daily run: load, run, build, rebuild, gate, publish, rollback, prune, migrate."""

from __future__ import annotations

from typing import Annotated

import typer

from retention import migration
from retention.cli.base import (
    Accept,
    Day,
    OptionalDay,
    console,
    day,
    enabled,
    moment,
    source_named,
    warehouse,
)
from retention.connections import find
from retention.errors import UsageError
from retention.publishing import holds
from retention.settings import Settings
from retention.sources import SOURCES
from retention.window import Window

commands = typer.Typer()


@commands.command()
def load(
    source: str,
    stream: Annotated[str | None, typer.Argument(help="Default: all streams")] = None,
    start: Annotated[
        str | None, typer.Option(help="Start of the window; default: all of history")
    ] = None,
    end: Annotated[str, typer.Option(help="End of the window, exclusive")] = "",
) -> None:
    """Load a window of one source into raw."""
    from retention import steps

    declared = source_named(source)
    if not end:
        raise UsageError("a load needs --end, the end of its window.")
    window = Window(moment(start) if start else None, moment(end))
    try:
        streams = [declared.stream(stream)] if stream else list(declared.streams)
    except KeyError as error:
        raise UsageError(str(error.args[0])) from None
    connection = find(declared.conn_id)
    wh = warehouse()
    for each in streams:
        result = steps.load(wh, declared, each, connection, window)
        console.print(steps.loaded_line(result, each))


@commands.command()
def run(as_of: Day, accept: Accept = None) -> None:
    """Run one day without Airflow: load, gate 1, build, gate 2, publish."""
    from retention import steps
    from retention.reports import report

    last, sources = day(as_of), enabled()
    # Look up all connections first, so that a missing one does not leave a day half loaded.
    connections = [find(source.conn_id) for source in sources]
    wh = warehouse()
    for source, connection in zip(sources, connections, strict=True):
        for stream in source.streams:
            result = steps.load(wh, source, stream, connection, Window.of_day(last))
            console.print(steps.loaded_line(result, stream))
    steps.transform(wh, last, sources, actor="retention run", accept=accept)
    report.show(wh, console)


@commands.command()
def build(
    as_of: Day,
    full_refresh: Annotated[
        bool, typer.Option(help="Rebuild all incremental models, including frozen scores")
    ] = False,
    known_at: Annotated[
        str | None, typer.Option(help="Build point-in-time as known then, in rebuild_marts")
    ] = None,
) -> None:
    """Build all models for one day, without publishing."""
    from retention import steps
    from retention.publishing.rebuild import rebuild as build_separately

    last = day(as_of)
    wh = warehouse()
    if known_at is not None:
        if full_refresh:
            raise UsageError("--known-at and --full-refresh exclude each other.")
        seconds = build_separately(wh, last, moment(known_at))
        console.print(f"built {last} as known at {known_at} in rebuild_marts in {seconds:.1f} s")
        return
    if not full_refresh:
        steps.require_not_before_published(wh, last)
    result = steps.build(wh, last, full_refresh=full_refresh)
    console.print(str(result))


@commands.command()
def rebuild(
    as_of: OptionalDay = None,
    publish_id: Annotated[
        int | None, typer.Option("--publish", help="The id of a publish, instead of --as-of")
    ] = None,
) -> None:
    """Rebuild a published day separately and compare every mart; exit 1 if one differs."""
    from retention.publishing import rebuild as rebuilding

    if (as_of is None) == (publish_id is None):
        raise UsageError("use `rebuild --as-of YYYY-MM-DD` or `rebuild --publish N`.")
    wh = warehouse()
    shown = rebuilding.published(wh, day(as_of) if as_of else None, publish_id)
    found = rebuilding.check(wh, shown)
    for each in found:
        console.print(str(each), markup=False, soft_wrap=True)
    rebuilding.require_same(found)
    console.print(f"publish {shown.publish_id} of {shown.as_of}: all {len(found)} marts are equal")


@commands.command()
def gate(
    which: Annotated[str, typer.Argument(help="arrived or marts")],
    as_of: OptionalDay = None,
    build_id: Annotated[int | None, typer.Option(help="The build to check (gate marts)")] = None,
    accept: Accept = None,
) -> None:
    """Check the loaded data or the built marts; exit 6 if a critical check fails."""
    from retention.gates.gate import check, require

    last = day(as_of) if as_of else None
    if which != "arrived" and (which != "marts" or build_id is None):
        raise UsageError("use `gate arrived` or `gate marts --build-id N`.")
    wh = warehouse()
    if which == "arrived":
        report = check(wh, "arrived", sources=enabled(), as_of=last)
    else:
        report = check(wh, "marts", build_id=build_id, accept=accept)
    console.print(report)
    require(report)


@commands.command()
def publish(
    build_id: Annotated[int, typer.Option(help="A build that passed gate marts")],
    reason: Annotated[str, typer.Option(help="Stored in ops.publishes")] = "",
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Remove tables and columns that no longer exist")
    ] = False,
) -> None:
    """Publish a build that passed gate marts."""
    from retention import steps

    wh = warehouse()
    done = steps.publish(
        wh, build_id, actor="retention publish", reason=reason, allow_drop=allow_drop
    )
    console.print(f"publish {done.publish_id} is current")


@commands.command()
def rollback(
    publish_id: Annotated[
        int | None, typer.Argument(help="The publish to return to; default: the previous one")
    ] = None,
    reason: Annotated[str, typer.Option(help="Stored in ops.pointer_moves")] = "",
    hold: Annotated[
        bool, typer.Option(help="Publish nothing until new records arrive or the hold is lifted")
    ] = True,
) -> None:
    """Return readers to an earlier publish, without rebuilding."""
    from retention.publishing import publish as publishing

    wh = warehouse()
    done = publishing.rollback(wh, publish_id, actor="retention rollback", reason=reason, hold=hold)
    console.print(f"publish {done.publish_id} is current")
    with wh.connect("publisher") as conn:
        held = holds.active(conn)
    if held:
        console.print(
            f"publish {held.rejected_publish} is held back until new records arrive or"
            " `retention lift-hold --reason ...`"
        )


@commands.command()
def lift_hold(
    reason: Annotated[str, typer.Option(help="Stored in ops.publish_holds")],
) -> None:
    """Let the next run publish again after a rollback."""
    hold = holds.lift(warehouse(), actor="retention lift-hold", reason=reason)
    console.print(f"publish {hold.rejected_publish} is no longer held back")


@commands.command()
def prune(
    days: Annotated[
        int | None, typer.Option(help="Days to keep; default: RETENTION_PUBLISH_DAYS, or 400")
    ] = None,
) -> None:
    """Delete the rows of old publishes, as every publish does. Idempotent."""
    from retention.publishing import publish as publishing

    wh = warehouse()
    kept = days if days is not None else (wh.settings or Settings.from_env()).publish_days
    console.print(str(publishing.prune(wh, days=kept)))


@commands.command()
def migrate() -> None:
    """Migrate the warehouse to the version of this code. Idempotent."""
    done = migration.migrate(warehouse(), SOURCES)
    console.print("\n".join(done) if done else "nothing to migrate")
