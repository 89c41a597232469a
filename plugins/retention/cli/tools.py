"""A way in: connection strings, psql, dbt and Airflow as this installation runs them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from retention.cli.base import console, enabled, warehouse
from retention.errors import ConfigurationError
from retention.settings import Settings

commands = typer.Typer()


@commands.command()
def dsn(
    role: Annotated[str, typer.Argument(help="bi_reader, cs_reader, loader, ...")],
) -> None:
    """The connection string of a role: psql "$(retention dsn bi_reader)"."""
    # Printed plainly, for a shell to take; never through rich, which would wrap it.
    typer.echo(warehouse().dsn(role))


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, role: Annotated[str, typer.Argument()] = "bi_reader") -> None:
    """Start psql as a role; where there is none, the one that the embedded server brings."""
    from retention.database.cluster import program

    url = warehouse().dsn(role)
    client = program("psql")
    os.execv(client, [client, url, *context.args])  # noqa: S606 - the same user's words


@commands.command()
def doctor() -> None:
    """Check connections, roles, disk, clock and migrations, and say how to mend each."""
    from retention import doctor as checks

    if not checks.show(Settings.from_env(), enabled(), console):
        raise typer.Exit(ConfigurationError.exit_code)


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dbt(context: typer.Context) -> None:
    """Run dbt with this warehouse's profile and variables: `retention dbt parse`."""
    from retention.builds.build import invoke_dbt

    raise typer.Exit(invoke_dbt(Settings.from_env(), context.args))


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def airflow(context: typer.Context) -> None:
    """Run Airflow's own command line in this installation: `retention airflow dags list`."""
    command = [sys.executable, "-m", "airflow", *context.args]
    os.execve(sys.executable, command, dict(os.environ))  # noqa: S606 - the same user's words
