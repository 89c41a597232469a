"""Write the skeleton of a source, metric, alert rule or mart into this checkout."""

from __future__ import annotations

from typing import Annotated

import typer

from retention.cli.base import console
from retention.scaffold import recipes
from retention.scaffold.change import MARK, Change
from retention.settings import Settings

commands = typer.Typer()
Name = Annotated[str, typer.Argument(help="Name in lower case with underscores")]


@commands.command()
def source(
    name: Name,
    stream: Annotated[str, typer.Option(help="Name of its first stream")] = "records",
) -> None:
    """Write the declaration, contract, staging model, suite and fixture of a source."""
    _write(recipes.source(Settings.from_env().root, name, stream), "source")


@commands.command()
def metric(name: Name) -> None:
    """Write a metric per customer and day, with its model, description and unit test."""
    _write(recipes.metric(Settings.from_env().root, name), "metric")


@commands.command("alert-rule")
def alert_rule(
    name: Name, metric: Annotated[str, typer.Option(help="Metric that the rule compares")]
) -> None:
    """Write the first version of an alert rule into the seed of the alert rules."""
    _write(recipes.alert_rule(Settings.from_env().root, name, metric), "alert-rule")


@commands.command()
def mart(
    name: Name, subject: Annotated[str, typer.Option(help="Folder of dbt_project/models/marts")]
) -> None:
    """Write a published mart, with its description, unit test, gate 2 suite and question."""
    _write(recipes.mart(Settings.from_env().root, name, subject), "mart")


def _write(change: Change, page: str) -> None:
    for path in change.write():
        state = "created" if path in change.created else "changed"
        console.print(f"{state} {path}", markup=False, highlight=False, soft_wrap=True)
    todo = [
        f"replace each `{MARK}` in these files",
        *change.todo,
        "run `make test ARGS=tests/test_completeness.py`: it names what is still missing",
        f"read docs/extend/{page}.md",
    ]
    console.print("\nNext:")
    for number, step in enumerate(todo, 1):
        console.print(f"{number}. {step}", markup=False, highlight=False, soft_wrap=True)
