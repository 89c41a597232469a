"""The definition of the health score: what a change would do."""

from __future__ import annotations

from typing import Annotated

import typer

from retention.cli.base import console
from retention.errors import GateFailed
from retention.settings import Settings

commands = typer.Typer()


@commands.command("suggest")
def suggest_weights(
    write: Annotated[bool, typer.Option("--write", help="Change the seed, not only show")] = False,
) -> None:
    """Print the weights of the learned model as a diff to the seed of the components."""
    from retention.health import suggest
    from retention.warehouse import Warehouse

    settings = Settings.from_env()
    seed = settings.root / "dbt_project" / "seeds" / "health_score_components.csv"
    proposal = suggest.propose(Warehouse.from_settings(settings), seed)
    # Printed plainly: a diff is for a program as well.
    typer.echo(proposal.diff() or "The weights are what the model would take.")
    if write:
        proposal.write()


@commands.command("check")
def check_score(
    max_moved: Annotated[
        int | None, typer.Option(help="Exit 6 when more customers would change band")
    ] = None,
    last: Annotated[int, typer.Option(help="Number of customers to list")] = 20,
) -> None:
    """Show which customers would change band with the seeds of this working tree."""
    from retention.health import page
    from retention.health.check import check
    from retention.warehouse import Warehouse

    settings = Settings.from_env()
    seeds = settings.root / "dbt_project" / "seeds"
    found = check(Warehouse.from_settings(settings), seeds)
    page.show(found, console, last)
    if max_moved is not None and len(found.moved) > max_moved:
        raise GateFailed(
            f"{len(found.moved)} customers would change band (limit {max_moved}).",
            hint="Raise --max-moved or review the change.",
        )
