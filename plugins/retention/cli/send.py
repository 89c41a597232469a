"""What leaves the warehouse: digests for people, values for the CRM."""

from __future__ import annotations

from typing import Annotated

import typer

from retention.cli.base import console, warehouse
from retention.connections import find

commands = typer.Typer()


@commands.command()
def digest(
    send: Annotated[bool, typer.Option("--send", help="Send them, each once a day")] = False,
    csm: Annotated[str | None, typer.Option(help="Only the digest of this csm_id")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also those whose sending was cut off half-way")
    ] = False,
) -> None:
    """The worklist of each customer success manager as they get it; sends nothing unless told."""
    from retention.outbound import page

    wh = warehouse()
    if send:
        page.send_digests(wh, console, find, csm, again)
    else:
        page.show_digests(wh, console, csm)


@commands.command("write-back")
def write_back(
    apply: Annotated[bool, typer.Option("--apply", help="Write; else only show")] = False,
) -> None:
    """Which health values the CRM lacks or has wrong; writes them only with --apply."""
    from retention.outbound import page

    page.write_values(warehouse(), console, find, apply)
