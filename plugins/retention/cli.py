"""The command line `retention`: the same steps that the DAGs run, by hand.

Exit codes: 0 done; 1 failed; 2 wrong call or empty window; 3 configuration; 4 extraction;
5 build; 6 a gate stopped it; 7 publish refused; 8 already running.
"""

from __future__ import annotations

import os
import sys
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console

from retention.connections import find, read_environment
from retention.errors import ConfigurationError, RetentionError, UsageError
from retention.settings import Settings
from retention.sources import SOURCES
from retention.sources.base import Source
from retention.window import Window

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
files_app = typer.Typer(help="Your own files: check a folder before anything is loaded.")
app.add_typer(files_app, name="files")
score_app = typer.Typer(help="The definition of the health score: what a change would do.")
app.add_typer(score_app, name="score")
console = Console(highlight=False)

Day = Annotated[str, typer.Option("--as-of", help="The last complete day, YYYY-MM-DD")]
OptionalDay = Annotated[
    str | None, typer.Option("--as-of", help="The last complete day, YYYY-MM-DD")
]
Accept = Annotated[
    str | None, typer.Option(help="Publish despite an anomaly in size; the reason is kept")
]


def main() -> None:
    """Run a command; an error of ours is one line on stderr and its own exit code."""
    try:
        settings = Settings.from_env()
        read_environment(settings.state / f"environment-{settings.company}.json")
        app()
    except RetentionError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), markup=False)
        sys.exit(error.exit_code)


def day(text: str) -> date:
    """The date, or UsageError: what was typed never reaches SQL as text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date; write it as 2026-07-01.") from None


def moment(text: str) -> datetime:
    """A time with a zone; a bare date is its midnight in UTC."""
    try:
        return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    except ValueError:
        raise UsageError(f"{text!r} is not a time; write 2026-07-01T00:00:00+00:00.") from None


def source_named(name: str) -> Source:
    """The source of that name; raises UsageError naming those there are."""
    for source in SOURCES:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in SOURCES)
    raise UsageError(f"there is no source {name!r}; there are {known}.")


def enabled() -> list[Source]:
    """The sources of RETENTION_SOURCES, in its order; all that there are when it is not set."""
    from retention.sources.enabled import enabled_sources

    return enabled_sources()


@app.command()
def load(
    source: str,
    stream: Annotated[str | None, typer.Argument(help="All streams when left out")] = None,
    start: Annotated[str | None, typer.Option(help="Start; all of history when left out")] = None,
    end: Annotated[str, typer.Option(help="End, exclusive")] = "",
) -> None:
    """Load a window of one source into raw."""
    from retention import steps
    from retention.warehouse import Warehouse

    declared = source_named(source)
    if not end:
        raise UsageError("a load needs --end, the end of its window.")
    window = Window(moment(start) if start else None, moment(end))
    try:
        streams = [declared.stream(stream)] if stream else list(declared.streams)
    except KeyError as error:
        raise UsageError(str(error.args[0])) from None
    connection = find(declared.conn_id)
    wh = Warehouse.from_settings(Settings.from_env())
    for each in streams:
        result = steps.load(wh, declared, each, connection, window)
        console.print(steps.loaded_line(result))


@app.command()
def run(as_of: Day, accept: Accept = None) -> None:
    """The whole daily load for one day, without Airflow: load, gate, build, gate, publish."""
    from retention import report, steps
    from retention.warehouse import Warehouse

    last, sources = day(as_of), enabled()
    # All of them first: a connection that is missing is no reason to load half a day.
    connections = [find(source.conn_id) for source in sources]
    wh = Warehouse.from_settings(Settings.from_env())
    for source, connection in zip(sources, connections, strict=True):
        for stream in source.streams:
            result = steps.load(wh, source, stream, connection, Window.of_day(last))
            console.print(steps.loaded_line(result))
    steps.transform(wh, last, sources, actor="retention run", accept=accept)
    report.show(wh, console)


@app.command()
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
    from retention.rebuild import rebuild as rebuild_apart
    from retention.warehouse import Warehouse

    last = day(as_of)
    wh = Warehouse.from_settings(Settings.from_env())
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


@app.command()
def rebuild(
    as_of: OptionalDay = None,
    publish_id: Annotated[
        int | None, typer.Option("--publish", help="A publish instead of the newest of a day")
    ] = None,
) -> None:
    """Build a published day again, apart, and compare every mart; exit 1 where one differs."""
    from retention import rebuild as rebuilding
    from retention.warehouse import Warehouse

    if (as_of is None) == (publish_id is None):
        raise UsageError("say `rebuild --as-of YYYY-MM-DD` or `rebuild --publish N`.")
    wh = Warehouse.from_settings(Settings.from_env())
    shown = rebuilding.published(wh, day(as_of) if as_of else None, publish_id)
    found = rebuilding.check(wh, shown)
    for each in found:
        console.print(str(each), markup=False, soft_wrap=True)
    rebuilding.require_same(found)
    console.print(f"publish {shown.publish_id} of {shown.as_of}: {len(found)} marts, all the same")


@app.command()
def gate(
    which: Annotated[str, typer.Argument(help="arrived or marts")],
    as_of: OptionalDay = None,
    build_id: Annotated[int | None, typer.Option(help="The build that gate marts audits")] = None,
    accept: Accept = None,
) -> None:
    """Check what arrived, or what would be published; exit 6 when a critical check fails."""
    from retention.gate import check, require
    from retention.warehouse import Warehouse

    last = day(as_of) if as_of else None
    if which != "arrived" and (which != "marts" or build_id is None):
        raise UsageError("say `gate arrived` or `gate marts --build-id N`.")
    wh = Warehouse.from_settings(Settings.from_env())
    if which == "arrived":
        report = check(wh, "arrived", sources=enabled(), as_of=last)
    else:
        report = check(wh, "marts", build_id=build_id, accept=accept)
    console.print(report)
    require(report)


@app.command()
def publish(
    build_id: Annotated[int, typer.Option(help="A build that passed gate marts")],
    reason: Annotated[str, typer.Option(help="Kept with the publish")] = "",
) -> None:
    """Show an audited build to readers."""
    from retention import steps
    from retention.warehouse import Warehouse

    wh = Warehouse.from_settings(Settings.from_env())
    done = steps.publish(wh, build_id, actor="retention publish", reason=reason)
    console.print(f"publish {done.publish_id} is what readers see now")


@app.command()
def rollback(
    publish_id: Annotated[
        int | None, typer.Argument(help="The publish to show again; the one before when left out")
    ] = None,
    reason: Annotated[str, typer.Option(help="Kept in ops.publishes")] = "",
) -> None:
    """Show readers an earlier publish; at once, and nothing is rebuilt."""
    from retention import publish as publishing
    from retention.warehouse import Warehouse

    wh = Warehouse.from_settings(Settings.from_env())
    done = publishing.rollback(wh, publish_id, actor="retention rollback", reason=reason)
    console.print(f"publish {done.publish_id} is what readers see now")


@app.command()
def migrate() -> None:
    """Bring raw, ops and publish to the version of this code; can run twice."""
    from retention.warehouse import Warehouse

    done = Warehouse.from_settings(Settings.from_env()).migrate(SOURCES)
    console.print("\n".join(done) if done else "nothing to migrate")


@app.command()
def status() -> None:
    """Last runs, freshness per stream, quarantine counts, the current publish."""
    from retention import status as state
    from retention.warehouse import Warehouse

    state.show(Warehouse.from_settings(Settings.from_env()), SOURCES, console)


@app.command()
def report() -> None:
    """The page that `make run` ends with, from the current publish."""
    from retention import report as page
    from retention.warehouse import Warehouse

    page.show(Warehouse.from_settings(Settings.from_env()), console)


@app.command()
def signals(
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="How often each signal was right, against chance")
    ] = False,
    truth: Annotated[
        str | None, typer.Option(help="Judge by this file too: .state/demo/truth.json")
    ] = None,
) -> None:
    """The risk signals that are open today; with --evaluate, how far each can be trusted."""
    from pathlib import Path

    from retention import signals as pages
    from retention.warehouse import Warehouse

    wh = Warehouse.from_settings(Settings.from_env())
    if evaluate or truth:
        pages.evaluate(wh, console, Path(truth) if truth else None)
    else:
        pages.show(wh, console)


@score_app.command("suggest")
def suggest_weights(
    write: Annotated[bool, typer.Option("--write", help="Change the seed, not only show")] = False,
) -> None:
    """Weights that the learned model would take, as a diff to the seed of the signals."""
    from retention import suggest
    from retention.warehouse import Warehouse

    settings = Settings.from_env()
    seed = settings.root / "dbt_project" / "seeds" / "health_score_signals.csv"
    proposal = suggest.propose(Warehouse.from_settings(settings), seed)
    # Printed plainly: a diff is for a program as well.
    typer.echo(proposal.diff() or "The weights are what the model would take.")
    if write:
        proposal.write()


@score_app.command("check")
def check_score(
    max_moved: Annotated[
        int | None, typer.Option(help="Exit 6 when more customers change their band")
    ] = None,
    last: Annotated[int, typer.Option(help="How many of them to list")] = 20,
) -> None:
    """Who would change bands by the seeds of this working tree; nothing is changed."""
    from retention import score
    from retention.errors import GateFailed
    from retention.warehouse import Warehouse

    settings = Settings.from_env()
    seeds = settings.root / "dbt_project" / "seeds"
    found = score.check(Warehouse.from_settings(settings), seeds)
    score.show(found, console, last)
    if max_moved is not None and len(found.moved) > max_moved:
        raise GateFailed(f"{len(found.moved)} customers change their band, {max_moved} may.")


@app.command()
def customer(
    customer_id: str,
    last: Annotated[int, typer.Option(help="How many events to tell, the newest")] = 60,
) -> None:
    """One customer's story in time order: what happened, which signals opened, what was done."""
    from retention import customer as page
    from retention.warehouse import Warehouse

    page.show(Warehouse.from_settings(Settings.from_env()), console, customer_id, last)


@app.command()
def digest(
    send: Annotated[bool, typer.Option("--send", help="Send them, each once a day")] = False,
    csm: Annotated[str | None, typer.Option(help="Only the digest of this csm_id")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also those whose sending was cut off half-way")
    ] = False,
) -> None:
    """The worklist of each customer success manager as they get it; sends nothing unless told."""
    from retention.outbound import page
    from retention.warehouse import Warehouse

    wh = Warehouse.from_settings(Settings.from_env())
    if send:
        page.send_digests(wh, console, find, csm, again)
    else:
        page.show_digests(wh, console, csm)


@app.command("write-back")
def write_back(
    apply: Annotated[bool, typer.Option("--apply", help="Write; else only show")] = False,
) -> None:
    """Which health values the CRM lacks or has wrong; writes them only with --apply."""
    from retention.outbound import page
    from retention.warehouse import Warehouse

    page.write_values(Warehouse.from_settings(Settings.from_env()), console, find, apply)


@app.command()
def dsn(
    role: Annotated[str, typer.Argument(help="bi_reader, cs_reader, loader, ...")],
) -> None:
    """The connection string of a role: psql "$(retention dsn bi_reader)"."""
    from retention.warehouse import Warehouse

    # Printed plainly, for a shell to take; never through rich, which would wrap it.
    typer.echo(Warehouse.from_settings(Settings.from_env()).dsn(role))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, role: Annotated[str, typer.Argument()] = "bi_reader") -> None:
    """Start psql as a role; where there is none, the one that the embedded server brings."""
    from retention.cluster import program
    from retention.warehouse import Warehouse

    url = Warehouse.from_settings(Settings.from_env()).dsn(role)
    client = program("psql")
    os.execv(client, [client, url, *context.args])  # noqa: S606 - the same user's words


@app.command()
def doctor() -> None:
    """Check connections, roles, disk, clock and migrations, and say how to mend each."""
    from retention import doctor as checks

    if not checks.show(Settings.from_env(), enabled(), console):
        raise typer.Exit(ConfigurationError.exit_code)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dbt(context: typer.Context) -> None:
    """Run dbt with this warehouse's profile and variables: `retention dbt parse`."""
    from retention.build import invoke_dbt

    raise typer.Exit(invoke_dbt(Settings.from_env(), context.args))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def airflow(context: typer.Context) -> None:
    """Run Airflow's own command line in this installation: `retention airflow dags list`."""
    command = [sys.executable, "-m", "airflow", *context.args]
    os.execve(sys.executable, command, dict(os.environ))  # noqa: S606 - the same user's words


@files_app.command("check")
def files_check(
    folder: str,
    mapping: Annotated[str | None, typer.Option(help="mapping.yml, if not in the folder")] = None,
) -> None:
    """Explain every problem of a folder with file, line and column; loads nothing."""
    from retention.sources.files import check as checking

    problems = checking.check(folder, mapping)
    found = {"error": 0, "warning": 0}
    for problem in problems:
        found[problem.severity] += problem.count
        console.print(f"{problem.severity:<8}{problem}", markup=False, soft_wrap=True)
    told = f"{found['error']:,} errors, {found['warning']:,} warnings in {folder}"
    console.print(told, markup=False, soft_wrap=True)
    if checking.has_errors(problems):
        raise typer.Exit(ConfigurationError.exit_code)


if __name__ == "__main__":
    main()
