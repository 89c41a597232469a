"""Serve associations between HubSpot records, in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from demo.servers.hubspot_store import Store, store
from demo.servers.hubspot_writes import Writes
from demo.servers.views import View

Others = dict[
    str, dict[str, None]
]  # id of the other record -> v3 names of the association types, in order
Links = dict[str, Others]

# HubSpot's type ids of unlabelled associations, per (from, to).
TYPE_IDS = {
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("tickets", "companies"): 339,
    ("companies", "tickets"): 340,
    ("meetings", "companies"): 188,
    ("companies", "meetings"): 187,
    ("tasks", "companies"): 192,
    ("companies", "tasks"): 191,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("tickets", "contacts"): 16,
    ("contacts", "tickets"): 15,
    ("meetings", "contacts"): 200,
    ("contacts", "meetings"): 199,
    ("tasks", "contacts"): 204,
    ("contacts", "tasks"): 203,
}
# HubSpot's type ids with the label "Primary", for records with one primary company.
PRIMARY_IDS = {
    ("contacts", "companies"): 1,
    ("companies", "contacts"): 2,
    ("deals", "companies"): 5,
    ("companies", "deals"): 6,
    ("companies", "tickets"): 25,
    ("tickets", "companies"): 26,
}
SINGULAR = {"companies": "company", "meetings": "meeting_event"}
PAGE = 500  # associations of one record per page of the v4 API


def label(source: str, target: str) -> str:
    """Return the v3 name of an association, such as ``contact_to_company``."""
    one, two = (SINGULAR.get(kind, kind.removesuffix("s")) for kind in (source, target))
    return f"{one}_to_{two}"


def links(view: View, source: str, target: str, writes: Writes) -> Links:
    """Return the associations of every ``source`` record with ``target``, with their types."""
    return view.memo(
        ("hubspot links", source, target, writes.revision),
        lambda: _links(store(view, source, writes), store(view, target, writes)),
    )


def _links(source: Store, target: Store) -> Links:
    there, back = label(source.kind, target.kind), label(target.kind, source.kind)
    found: Links = {}
    for doc in source.docs:
        for other in _stated(doc, target.kind):
            types = found.setdefault(doc["id"], {}).setdefault(str(other["id"]), {})
            types[other.get("type", there)] = None
    for doc in target.docs:
        for other in _stated(doc, source.kind):
            types = found.setdefault(str(other["id"]), {}).setdefault(doc["id"], {})
            types[other.get("type", back).replace(back, there)] = None
    return found


def _stated(doc: dict[str, Any], target: str) -> list[dict[str, Any]]:
    stated = doc.get("associations") or {}
    return (stated.get(target) or {}).get("results") or []


def as_v3(others: Others) -> dict[str, Any]:
    """Format the ``associations`` of an object: one result per type of each association."""
    pairs = [(key, kind) for key, types in others.items() for kind in types]
    return {"results": [{"id": key, "type": kind} for key, kind in pairs]}


def as_v4(source: str, target: str, others: Others, after: int = 0) -> dict[str, Any]:
    """Format ``to`` and ``paging`` of the v4 associations API, from position ``after`` on."""
    keys = list(others)
    to = [
        {"toObjectId": int(key), "associationTypes": _types(source, target, others[key])}
        for key in keys[after : after + PAGE]
    ]
    if after + PAGE >= len(keys):
        return {"to": to}
    return {"to": to, "paging": {"next": {"after": str(after + PAGE)}}}


def _types(source: str, target: str, names: Iterable[str]) -> list[dict[str, Any]]:
    plain, primary = TYPE_IDS.get((source, target)), PRIMARY_IDS.get((source, target))
    if plain is None:
        number = int.from_bytes(sha256(label(source, target).encode()).digest()[:1]) + 1
        return [{"category": "USER_DEFINED", "typeId": number, "label": None}]
    return [
        {"category": "HUBSPOT_DEFINED", "typeId": plain, "label": None}
        if primary is None or name.endswith("_unlabeled")
        else {"category": "HUBSPOT_DEFINED", "typeId": primary, "label": "Primary"}
        for name in names
    ]
