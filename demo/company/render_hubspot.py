"""Neutral facts as HubSpot CRM v3 documents.

Every property is a string or null, as the API sends them. ``hs_lastmodifieddate``
(``lastmodifieddate`` on contacts) and ``updatedAt`` are the version's time. Associations stand
under ``associations`` as the objects API returns them on request. An archived record's last
version has ``archived`` and ``archivedAt`` and is marked deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from demo.company.clock import Clock, as_datetime
from demo.company.customer import Customer
from demo.company.facts import Steps, states
from demo.company.hubspot_shapes import SHAPES, Shape, associations, stamp
from demo.company.owners import Owner, Roster
from demo.company.versions import Doc, Records, Version

CREATEDATE = ("companies", "contacts", "deals", "tickets")


def render_records(
    customer: Customer, stream: str, kind: str, shape: Shape, until: int
) -> dict[str, list[Version]]:
    """All versions of one kind of record of one customer."""
    return {
        key: list(versions(customer, stream, key, steps, shape, until))
        for key, steps in customer.facts.of(kind).items()
        if min(at for at, _ in steps) < until
    }


def versions(
    customer: Customer, stream: str, key: str, steps: Steps, shape: Shape, until: int
) -> Iterable[Version]:
    """The record's documents in time order, milliseconds drawn from its id."""
    wobble = int(key) % 997 / 1000
    created = None
    for at, state in states(steps, until):
        instant = at + wobble
        created = created or stamp(instant)
        modified = "lastmodifieddate" if stream == "contacts" else "hs_lastmodifieddate"
        properties, links = shape(customer, state)
        properties["createdate" if stream in CREATEDATE else "hs_createdate"] = created
        properties[modified] = stamp(instant)
        properties["hs_object_id"] = key
        gone = bool(state.get("archived"))
        doc: Doc = {
            "id": key, "properties": properties, "createdAt": created,
            "updatedAt": stamp(instant), "archived": gone,
        }  # fmt: skip
        if gone:
            doc["archivedAt"] = stamp(instant)
        block = associations(stream, links)
        if block:
            doc["associations"] = block
        yield Version(as_datetime(round(instant, 3)), doc, gone)
        if gone:
            return


def owner_versions(owner: Owner, clock: Clock, until: int) -> list[Version]:
    """An owner, and later its deactivation."""
    hired = clock.midnight(owner.from_day) + 8 * 3600
    steps: Steps = [(hired, {"archived": False})]
    if owner.to_day is not None:
        steps.append((clock.midnight(owner.to_day) + 17 * 3600, {"archived": True}))
    found = []
    for at, state in states(steps, until):
        team = {"id": str(TEAMS.index(owner.team) + 1), "name": owner.team, "primary": True}
        doc = {
            "id": owner.id, "email": owner.email, "type": "PERSON", "firstName": owner.first,
            "lastName": owner.last, "userId": None if state["archived"] else owner.user_id,
            "userIdIncludingInactive": owner.user_id, "createdAt": stamp(hired),
            "updatedAt": stamp(at), "archived": state["archived"],
            "teams": [team],
        }  # fmt: skip
        found.append(Version(as_datetime(at), doc, state["archived"]))
    return found


TEAMS = ["SMB", "Mid-Market", "Enterprise"]


def render(
    records: Records, customers: Sequence[Customer], roster: Roster, clock: Clock, days: int
) -> None:
    """Add all HubSpot streams to the records."""
    until = clock.midnight(days)
    records["hubspot", "owners"] = {
        owner.id: found
        for owner in roster.everyone()
        if (found := owner_versions(owner, clock, until))
    }
    for stream, (kind, shape) in SHAPES.items():
        into = records["hubspot", stream] = {}
        for customer in customers:
            into.update(render_records(customer, stream, kind, shape, until))
