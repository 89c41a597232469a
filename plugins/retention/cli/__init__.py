"""Run the steps of the DAGs by hand, and inspect the warehouse.

Exit codes: 0 success; 1 failure without a code of its own; 2 wrong call or empty window;
3 configuration; 4 extraction; 5 build; 6 gate failed; 7 publish refused; 8 already running.
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from retention.cli import daily, files, look, new, score, send, tools
from retention.connections import read_environment
from retention.errors import RetentionError
from retention.settings import Settings

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
for module in (daily, look, send, tools):
    app.add_typer(module.commands)
app.add_typer(files.commands, name="files", help=files.__doc__)
app.add_typer(new.commands, name="new", help=new.__doc__)
app.add_typer(score.commands, name="score", help=score.__doc__)


def main() -> None:
    """Run a command; print a RetentionError as one line on stderr and exit with its code."""
    try:
        settings = Settings.from_env()
        read_environment(settings.state / f"environment-{settings.company}.json")
        app()
    except RetentionError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), markup=False)
        sys.exit(error.exit_code)
