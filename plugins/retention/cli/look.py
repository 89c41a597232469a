"""What there is to see: how it stands, which signals are open, one customer's story."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retention.cli.base import console, warehouse
from retention.sources import SOURCES

commands = typer.Typer()


@commands.command()
def status() -> None:
    """Last runs, freshness per stream, quarantine counts, the current publish."""
    from retention.pages import status as state

    state.show(warehouse(), SOURCES, console)


@commands.command()
def report() -> None:
    """The page that `make run` ends with, from the current publish."""
    from retention.pages import report as page

    page.show(warehouse(), console)


@commands.command()
def signals(
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="How often each signal was right, against chance")
    ] = False,
    truth: Annotated[
        str | None, typer.Option(help="Judge by this file too: .state/demo/truth.json")
    ] = None,
) -> None:
    """The risk signals that are open today; with --evaluate, how far each can be trusted."""
    from retention.pages import signals as pages

    wh = warehouse()
    if evaluate or truth:
        pages.evaluate(wh, console, Path(truth) if truth else None)
    else:
        pages.show(wh, console)


@commands.command()
def customer(
    customer_id: str,
    last: Annotated[int, typer.Option(help="How many events to tell, the newest")] = 60,
) -> None:
    """One customer's story in time order: what happened, which signals opened, what was done."""
    from retention.pages import customer as page

    page.show(warehouse(), console, customer_id, last)
