"""Connection strings, psql, dbt and Airflow with the settings of this installation."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from retention.cli.base import console, enabled, warehouse
from retention.errors import ConfigurationError
from retention.settings import Settings

commands = typer.Typer()


@commands.command()
def dsn(
    role: Annotated[str, typer.Argument(help="bi_reader, cs_reader, loader, ...")],
) -> None:
    """Print the connection string of a role, with its password, for a BI tool.

    For a shell, `retention psql` keeps the password off the process list.
    """
    # Not through rich, which would wrap it.
    typer.echo(warehouse().dsn(role))


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, role: Annotated[str, typer.Argument()] = "bi_reader") -> None:
    """Start psql as a role; without an installed psql, that of the embedded server."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from retention.warehouse.cluster import program

    # Every user of the machine can read the arguments of a process, but not its environment.
    parts: dict[str, Any] = dict(conninfo_to_dict(warehouse().dsn(role)))
    password = str(parts.pop("password", ""))
    client = program("psql")
    command = [client, make_conninfo(**parts), *context.args]
    os.execve(client, command, {**os.environ, "PGPASSWORD": password})  # noqa: S606 - the arguments of the same user


@commands.command()
def doctor() -> None:
    """Check disk, warehouse, clock, roles, migrations and connections, with a hint for each."""
    from retention import doctor as checks

    if not checks.show(Settings.from_env(), enabled(), console):
        raise typer.Exit(ConfigurationError.exit_code)


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def dbt(context: typer.Context) -> None:
    """Run dbt with this warehouse's profile: `retention dbt parse`."""
    from retention.builds.build import invoke_dbt

    raise typer.Exit(invoke_dbt(Settings.from_env(), context.args))


@commands.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def airflow(context: typer.Context) -> None:
    """Run Airflow with this installation's settings: `retention airflow dags list`."""
    command = [sys.executable, "-m", "airflow", *context.args]
    os.execve(sys.executable, command, dict(os.environ))  # noqa: S606 - the arguments of the same user
