"""The daily load by hand: load, run, build, rebuild, gate, publish, rollback, migrate."""

from __future__ import annotations

from typing import Annotated

import typer

from retention import schemas
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
from retention.sources import SOURCES
from retention.window import Window

commands = typer.Typer()


@commands.command()
def load(
    source: str,
    stream: Annotated[str | None, typer.Argument(help="All streams when left out")] = None,
    start: Annotated[str | None, typer.Option(help="Start; all of history when left out")] = None,
    end: Annotated[str, typer.Option(help="End, exclusive")] = "",
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
    """The whole daily load for one day, without Airflow: load, gate, build, gate, publish."""
    from retention import steps
    from retention.pages import report

    last, sources = day(as_of), enabled()
    # All of them first: a connection that is missing is no reason to load half a day.
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
        bool, typer.Option(help="Score the frozen days again with what is known today")
    ] = False,
    known_at: Annotated[
        str | None, typer.Option(help="Build it apart, in rebuild_marts, as known at that time")
    ] = None,
) -> None:
    """Build every model for one day; publishes nothing."""
    from retention import steps
    from retention.builds.rebuild import rebuild as rebuild_apart

    last = day(as_of)
    wh = warehouse()
    if known_at is not None:
        if full_refresh:
            raise UsageError("--known-at builds a day apart and refreshes nothing.")
        seconds = rebuild_apart(wh, last, moment(known_at))
        console.print(f"{last} as known at {known_at} is in rebuild_marts, in {seconds:.1f} s")
        return
    if not full_refresh:
        steps.require_not_shown(wh, last)
    result = steps.build(wh, last, full_refresh=full_refresh)
    console.print(str(result))


@commands.command()
def rebuild(
    as_of: OptionalDay = None,
    publish_id: Annotated[
        int | None, typer.Option("--publish", help="A publish instead of the newest of a day")
    ] = None,
) -> None:
    """Build a published day again, apart, and compare every mart; exit 1 where one differs."""
    from retention.builds import rebuild as rebuilding

    if (as_of is None) == (publish_id is None):
        raise UsageError("say `rebuild --as-of YYYY-MM-DD` or `rebuild --publish N`.")
    wh = warehouse()
    shown = rebuilding.published(wh, day(as_of) if as_of else None, publish_id)
    found = rebuilding.check(wh, shown)
    for each in found:
        console.print(str(each), markup=False, soft_wrap=True)
    rebuilding.require_same(found)
    console.print(f"publish {shown.publish_id} of {shown.as_of}: {len(found)} marts, all the same")


@commands.command()
def gate(
    which: Annotated[str, typer.Argument(help="arrived or marts")],
    as_of: OptionalDay = None,
    build_id: Annotated[int | None, typer.Option(help="The build that gate marts audits")] = None,
    accept: Accept = None,
) -> None:
    """Check what arrived, or what would be published; exit 6 when a critical check fails."""
    from retention.quality.gate import check, require

    last = day(as_of) if as_of else None
    if which != "arrived" and (which != "marts" or build_id is None):
        raise UsageError("say `gate arrived` or `gate marts --build-id N`.")
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
    reason: Annotated[str, typer.Option(help="Kept with the publish")] = "",
) -> None:
    """Show an audited build to readers."""
    from retention import steps

    wh = warehouse()
    done = steps.publish(wh, build_id, actor="retention publish", reason=reason)
    console.print(f"publish {done.publish_id} is what readers see now")


@commands.command()
def rollback(
    publish_id: Annotated[
        int | None, typer.Argument(help="The publish to show again; the one before when left out")
    ] = None,
    reason: Annotated[str, typer.Option(help="Kept in ops.publishes")] = "",
) -> None:
    """Show readers an earlier publish; at once, and nothing is rebuilt."""
    from retention.publishes import publish as publishing

    wh = warehouse()
    done = publishing.rollback(wh, publish_id, actor="retention rollback", reason=reason)
    console.print(f"publish {done.publish_id} is what readers see now")


@commands.command()
def migrate() -> None:
    """Bring raw, ops and publish to the version of this code; can run twice."""
    done = schemas.migrate(warehouse(), SOURCES)
    console.print("\n".join(done) if done else "nothing to migrate")
