"""Your own files: what is wrong with a folder, before anything is loaded."""

from __future__ import annotations

from typing import Annotated

import typer

from retention.cli.base import console
from retention.errors import ConfigurationError

commands = typer.Typer()


@commands.command("check")
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
