"""Describe and check a folder of files before loading it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retention.cli.base import console
from retention.errors import ConfigurationError, UsageError

commands = typer.Typer()


@commands.command("fields")
def files_fields(
    stream: Annotated[str | None, typer.Argument(help="One stream; default: all")] = None,
) -> None:
    """Print the fields of every stream, or of one, as Markdown tables."""
    from retention.sources.files.fields import field_table
    from retention.sources.files.problems import nearest
    from retention.sources.files.records import RECORDS

    if stream is not None and stream not in RECORDS:
        raise UsageError(f"there is no stream {stream!r}.", hint=nearest(stream, RECORDS))
    text = field_table(*([stream] if stream else RECORDS))
    console.print(text, markup=False, highlight=False, soft_wrap=True)


@commands.command("init")
def files_init(
    folder: Path,
    force: Annotated[bool, typer.Option(help="Replace the mapping of the folder")] = False,
) -> None:
    """Draft the mapping.yml of a folder from its files; guesses are marked as such."""
    from retention.sources.files.draft import draft

    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}.", code="folder_missing")
    target = folder / "mapping.yml"
    if target.exists() and not force:
        raise ConfigurationError(
            f"{target} exists already.", code="mapping_exists", hint="Use --force to replace it."
        )
    text = draft(folder)
    target.write_text(text, encoding="utf-8")
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    console.print(f"written to {target}", markup=False, highlight=False, soft_wrap=True)


@commands.command("preview")
def files_preview(
    folder: Path,
    mapping: Annotated[str | None, typer.Option(help="mapping.yml, if not in the folder")] = None,
) -> None:
    """Show what a folder would load: rows, customers, MRR by month, dates, unread columns."""
    from retention.sources.files.preview import lines, preview
    from retention.sources.files.table import BrokenFile

    try:
        found = preview(folder, mapping)
    except BrokenFile as broken:
        raise ConfigurationError(
            broken.message,
            code=broken.code,
            where=f"{broken.file}:{broken.line or 1}",
            hint=f"`retention files check {folder}` lists every problem.",
        ) from broken
    for line in lines(found):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@commands.command("check")
def files_check(
    folder: str,
    mapping: Annotated[str | None, typer.Option(help="mapping.yml, if not in the folder")] = None,
) -> None:
    """List every problem of a folder with file, line and column, without loading it."""
    from retention.sources.files import check as checking

    problems = checking.check(folder, mapping)
    found = {"error": 0, "warning": 0}
    for problem in problems:
        found[problem.severity] += problem.count
        console.print(f"{problem.severity:<8}{problem}", markup=False, soft_wrap=True)
    summary = f"{found['error']:,} errors, {found['warning']:,} warnings in {folder}"
    console.print(summary, markup=False, soft_wrap=True)
    if checking.has_errors(problems):
        raise typer.Exit(ConfigurationError.exit_code)
