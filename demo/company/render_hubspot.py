"""Neutral facts as HubSpot CRM v3 documents.

Every property is a string or null, as the API sends them. ``hs_lastmodifieddate``
(``lastmodifieddate`` on contacts) and ``updatedAt`` are the version's time. Associations stand
under ``associations`` as the objects API returns them on request. An archived record's last
version has ``archived`` and ``archivedAt`` and is marked deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from demo.company.clock import Clock, as_datetime
from demo.company.facts import State, Steps, states
from demo.company.life import Life
from demo.company.owners import Owner, Roster
from demo.company.versions import Doc, Version

Records = dict[tuple[str, str], dict[str, list[Version]]]
Properties = dict[str, str | None]
Links = dict[str, Iterable[str]]
Shape = Callable[[Life, State], tuple[Properties, Links]]

SINGULAR = {
    "companies": "company", "contacts": "contact", "meetings": "meeting_event", "tickets": "ticket",
    "deals": "deal", "tasks": "task", "goals": "goal",
}  # fmt: skip


def stamp(at: float) -> str:
    """An instant as HubSpot writes it, with milliseconds."""
    text = as_datetime(at).strftime("%Y-%m-%dT%H:%M:%S")
    millis = round(at * 1000) % 1000
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"


def moment(at: int | None) -> str | None:
    """An optional instant as a property."""
    return None if at is None else stamp(at)


def text(value: Any) -> str | None:
    """Any fact as a property value."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def associations(stream: str, links: Links) -> Doc:
    """The block of the objects API; a primary company is listed with both of its types."""
    block: Doc = {}
    own = SINGULAR[stream]
    for other, keys in links.items():
        kind = f"{own}_to_{SINGULAR[other]}"
        results = []
        for key in keys:
            results.append({"id": key, "type": kind})
            if other == "companies" and stream in ("contacts", "deals", "tickets"):
                results.append({"id": key, "type": f"{kind}_unlabeled"})
        if results:
            block[other] = {"results": results}
    return block


def render_records(
    life: Life, stream: str, kind: str, shape: Shape, until: int
) -> dict[str, list[Version]]:
    """All versions of one kind of record of one customer."""
    return {
        key: list(versions(life, stream, key, steps, shape, until))
        for key, steps in life.facts.of(kind).items()
        if min(at for at, _ in steps) < until
    }


def versions(
    life: Life, stream: str, key: str, steps: Steps, shape: Shape, until: int
) -> Iterable[Version]:
    """The record's documents in time order, milliseconds drawn from its id."""
    wobble = int(key) % 997 / 1000
    created = None
    for at, state in states(steps, until):
        instant = at + wobble
        created = created or stamp(instant)
        modified = "lastmodifieddate" if stream == "contacts" else "hs_lastmodifieddate"
        properties, links = shape(life, state)
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


CREATEDATE = ("companies", "contacts", "deals", "tickets")


def company(life: Life, state: State) -> tuple[Properties, Links]:
    profile = life.profile
    return {
        "name": profile.name, "domain": profile.domain, "website": f"https://{profile.domain}",
        "industry": profile.industry, "country": profile.country, "city": profile.city,
        "timezone": profile.zone, "numberofemployees": str(profile.employees),
        "customer_segment": profile.segment, "hubspot_owner_id": state["owner"],
        "lifecyclestage": state["stage"], "notice_period_days": str(profile.notice_days),
        "csm_sentiment": text(state.get("sentiment")),
        "nps_last_invited_on": state.get("invited_on"),
        "nps_invites_total": text(state.get("invites")),
    }, {}  # fmt: skip


def contact(life: Life, state: State) -> tuple[Properties, Links]:
    return {
        "firstname": state["first"], "lastname": state["last"], "email": state["email"],
        "jobtitle": state["title"], "customer_role": state["role"],
        "left_company_on": state["left_on"], "company": life.profile.name,
        "hs_email_bounce": "1" if state["bounced"] else None, "lifecyclestage": "customer",
        "hs_merged_object_ids": ";".join(state["merged"]) or None,
    }, {"companies": [life.profile.company_id]}  # fmt: skip


def owner_versions(owner: Owner, clock: Clock, until: int) -> list[Version]:
    """An owner, and later its deactivation."""
    hired = clock.midnight(owner.from_day) + 8 * 3600
    steps: Steps = [(hired, {"archived": False})]
    if owner.to_day is not None:
        steps.append((clock.midnight(owner.to_day) + 17 * 3600, {"archived": True}))
    found = []
    for at, state in states(steps, until):
        doc = {
            "id": owner.id, "email": owner.email, "type": "PERSON", "firstName": owner.first,
            "lastName": owner.last, "userId": None if state["archived"] else owner.user_id,
            "userIdIncludingInactive": owner.user_id, "createdAt": stamp(hired),
            "updatedAt": stamp(at), "archived": state["archived"],
            "teams": [{"id": str(TEAMS.index(owner.team) + 1), "name": owner.team, "primary": True}],
        }  # fmt: skip
        found.append(Version(as_datetime(at), doc, state["archived"]))
    return found


TEAMS = ["SMB", "Mid-Market", "Enterprise"]
SHAPES: dict[str, tuple[str, Shape]] = {
    "companies": ("company", company),
    "contacts": ("contact", contact),
}


def render(records: Records, lives: list[Life], roster: Roster, clock: Clock, days: int) -> None:
    """Add all HubSpot streams to the records."""
    until = clock.midnight(days)
    records["hubspot", "owners"] = {
        owner.id: found
        for owner in roster.everyone()
        if (found := owner_versions(owner, clock, until))
    }
    for stream, (kind, shape) in SHAPES.items():
        into = records["hubspot", stream] = {}
        for life in lives:
            into.update(render_records(life, stream, kind, shape, until))
