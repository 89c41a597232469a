"""Tasks of ``reverse_etl``: send digests and write health values to the CRM."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import task

from retention_airflow.tasks import connection, reported, say, warehouse

if TYPE_CHECKING:
    from retention.warehouse import Warehouse


def _published() -> Warehouse:
    """Return the warehouse with the readers' passwords: reverse ETL reads as a reader role."""
    from retention.settings import Settings

    return replace(warehouse(), settings=Settings.from_env())


@task
@reported
def send_digests() -> None:
    """Send the digests not sent yet; raises ExtractionError when one was refused."""
    from retention.reverse_etl import page, sending
    from retention.reverse_etl.settings import Outbound

    outbound = Outbound.from_env()
    if not outbound.channels:
        say("no digest channel is configured")
        return
    done = sending.send_all(_published(), outbound, connection)
    for each in done:
        say(str(each))
    page.raise_for_failed(done)


@task.short_circuit
@reported
def plan_write_back() -> dict[str, Any] | None:
    """Plan the values to write, for approval; without changes the following tasks are skipped."""
    from retention.reverse_etl import write_back
    from retention.reverse_etl.hubspot import HubSpotWriter
    from retention.reverse_etl.settings import Outbound

    with HubSpotWriter(connection("hubspot_api")) as writer:
        planned = write_back.plan(_published(), Outbound.from_env(), writer)
    say(planned.summary())
    if not planned.changes:
        return None
    return {"summary": planned.summary(), "changes": write_back.as_documents(planned)}


@task
@reported
def apply_write_back(agreed: dict[str, Any]) -> int:
    """Write the approved values that still differ; return the number of companies."""
    from retention.reverse_etl import write_back
    from retention.reverse_etl.hubspot import HubSpotWriter
    from retention.reverse_etl.settings import Outbound

    with HubSpotWriter(connection("hubspot_api")) as writer:
        fresh = write_back.plan(_published(), Outbound.from_env(), writer)
        kept = write_back.only_agreed(fresh, agreed["changes"])
        written = write_back.apply(writer, kept)
    say(f"{written:,} companies were written")
    return written
