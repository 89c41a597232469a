"""Print the results of `retention digest` and `retention write-back`."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from retention.errors import ConfigurationError, ExtractionError
from retention.reverse_etl import sending, write_back
from retention.reverse_etl.digest import as_text, compose
from retention.reverse_etl.hubspot import HubSpotWriter
from retention.reverse_etl.settings import Find, Outbound
from retention.warehouse import Warehouse

LINES = 40


def show_digests(wh: Warehouse, console: Console, only: str | None) -> None:
    """Print the digests as text without sending them."""
    digests = compose(wh, Outbound.from_env(), only)
    if not digests:
        console.print("No customer is on the worklist today.")
    for digest in digests:
        console.print(as_text(digest), markup=False, soft_wrap=True)


def send_digests(
    wh: Warehouse, console: Console, find: Find, only: str | None, again: bool
) -> None:
    """Send the digests and print each result; raise ExtractionError when one was refused."""
    outbound = Outbound.from_env()
    if not outbound.channels:
        raise ConfigurationError(
            "No channel is enabled.", hint="Set RETENTION_DIGEST to email, slack or both."
        )
    done = sending.send_all(wh, outbound, find, only=only, again=again)
    for each in done:
        console.print(str(each), markup=False, soft_wrap=True)
    raise_for_failed(done)


def raise_for_failed(done: list[sending.Sent]) -> None:
    """Raise for the first failed digest, so that a scheduler retries."""
    failed = [each for each in done if each.outcome == "failed"]
    if failed:
        raise ExtractionError(
            f"{len(failed)} of {len(done)} digests were not sent. {failed[0].detail}",
            code="not_sent",
        )


def write_values(wh: Warehouse, console: Console, find: Find, apply: bool) -> None:
    """Print the values that differ; write them only with ``apply``."""
    with HubSpotWriter(find("hubspot_api")) as writer:
        planned = write_back.plan(wh, Outbound.from_env(), writer)
        console.print(f"{writer.vendor}, as of {planned.as_of}: {planned.summary()}.")
        if planned.changes:
            console.print(_table(planned.changes[:LINES]))
        if len(planned.changes) > LINES:
            console.print(f"... and {len(planned.changes) - LINES:,} more values.")
        if not apply:
            console.print("Nothing was written; --apply does it.")
            return
        console.print(f"{write_back.apply(writer, planned):,} companies were written.")


def _table(changes: list[write_back.Change]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("company", "name", "property", "is", "becomes"):
        table.add_column(name)
    for each in changes:
        cells = (each.company_id, each.name, each.field, each.before, each.after)
        table.add_row(*(escape(_short(cell)) for cell in cells))
    return table


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
