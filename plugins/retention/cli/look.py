"""Read commands: status, the report, open alerts, one customer's timeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retention.cli.base import console, warehouse
from retention.sources import SOURCES

commands = typer.Typer()


@commands.command()
def status() -> None:
    """Show last runs, freshness per stream, quarantine counts and the current publish."""
    from retention.reports import status as state

    state.show(warehouse(), SOURCES, console)


@commands.command()
def report() -> None:
    """Show the report of the current publish, as `make run` does."""
    from retention.reports import report as page

    page.show(warehouse(), console)


@commands.command()
def alerts(
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Compare each rule's precision with the base rate")
    ] = False,
    truth: Annotated[
        str | None, typer.Option(help="Evaluate by this truth file too: .state/demo/truth.json")
    ] = None,
) -> None:
    """Show the open alerts per rule; with --evaluate, how well each rule predicts churn."""
    from retention.reports import alerts as page

    wh = warehouse()
    if evaluate or truth:
        page.evaluate(wh, console, Path(truth) if truth else None)
    else:
        page.show(wh, console)


@commands.command()
def customer(
    customer_id: str,
    last: Annotated[int, typer.Option(help="How many of the newest events to show")] = 60,
) -> None:
    """Show one customer's timeline: what happened, which alerts opened, what was done."""
    from retention.reports import customer as page

    page.show(warehouse(), console, customer_id, last)
