"""Reverse ETL: send digests and write health values to the CRM."""

from __future__ import annotations

from typing import Annotated

import typer

from retention.cli.base import console, warehouse
from retention.connections import find

commands = typer.Typer()


@commands.command()
def digest(
    send: Annotated[bool, typer.Option("--send", help="Send each digest once a day")] = False,
    csm: Annotated[str | None, typer.Option(help="Only the digest of this csm_id")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also send digests whose sending was interrupted")
    ] = False,
) -> None:
    """Show the worklist digest of each customer success manager; --send sends them."""
    from retention.reverse_etl import page

    wh = warehouse()
    if send:
        page.send_digests(wh, console, find, csm, again)
    else:
        page.show_digests(wh, console, csm)


@commands.command("write-back")
def write_back(
    apply: Annotated[bool, typer.Option("--apply", help="Write the values")] = False,
) -> None:
    """Show the health values that the CRM lacks or has wrong; --apply writes them."""
    from retention.reverse_etl import page

    page.write_values(warehouse(), console, find, apply)
