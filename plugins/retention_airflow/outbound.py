"""Tasks of ``outbound``: digests for people, values for the CRM."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import task

from retention_airflow.tasks import connection, reported, say, warehouse

if TYPE_CHECKING:
    from retention.warehouse import Warehouse


def _published() -> Warehouse:
    """The warehouse with its readers' passwords: what goes out was read as any reader reads."""
    from retention.settings import Settings

    return replace(warehouse(), settings=Settings.from_env())


@task
@reported
def send_digests() -> None:
    """The digests that have not gone yet; raises ExtractionError when one was refused."""
    from retention.outbound import page, sending
    from retention.outbound.settings import Outbound

    outbound = Outbound.from_env()
    if not outbound.channels:
        say("no digest is switched on")
        return
    done = sending.send_all(_published(), outbound, connection)
    for each in done:
        say(str(each))
    page.raise_for_failed(done)


@task.short_circuit
@reported
def plan_write_back() -> dict[str, Any] | None:
    """What the CRM lacks or has wrong, for a person to read; nothing skips what follows."""
    from retention.outbound import write_back
    from retention.outbound.hubspot import HubSpotWriter
    from retention.outbound.settings import Outbound

    with HubSpotWriter(connection("hubspot_api")) as writer:
        planned = write_back.plan(_published(), Outbound.from_env(), writer)
    say(planned.summary())
    if not planned.changes:
        return None
    return {"summary": planned.summary(), "changes": write_back.as_documents(planned)}


@task
@reported
def apply_write_back(agreed: dict[str, Any]) -> int:
    """Write what was agreed to and still differs; returns the number of companies."""
    from retention.outbound import write_back
    from retention.outbound.hubspot import HubSpotWriter
    from retention.outbound.settings import Outbound

    with HubSpotWriter(connection("hubspot_api")) as writer:
        fresh = write_back.plan(_published(), Outbound.from_env(), writer)
        kept = write_back.only_agreed(fresh, agreed["changes"])
        written = write_back.apply(writer, kept)
    say(f"{written:,} companies were written")
    return written
