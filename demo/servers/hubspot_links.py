"""Associations between HubSpot records: both directions from whichever side states them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from demo.servers.hubspot_shelf import Shelf, shelf
from demo.servers.hubspot_writes import Writes
from demo.servers.views import View

Links = dict[str, list[tuple[str, str]]]  # from id -> (to id, v3 type label)

# HubSpot's own type ids, unlabelled, per (from, to).
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
SINGULAR = {"companies": "company"}


def label(source: str, target: str) -> str:
    """How v3 names the association: ``contact_to_company``."""
    one, two = (SINGULAR.get(kind, kind.removesuffix("s")) for kind in (source, target))
    return f"{one}_to_{two}"


def links(view: View, source: str, target: str, writes: Writes) -> Links:
    """What every record of ``source`` is associated with among ``target``."""
    return view.memo(
        ("hubspot links", source, target, writes.revision),
        lambda: _links(shelf(view, source, writes), shelf(view, target, writes)),
    )


def _links(source: Shelf, target: Shelf) -> Links:
    there, back = label(source.kind, target.kind), label(target.kind, source.kind)
    found: dict[str, dict[str, str]] = {}
    for doc in source.docs:
        for other in _stated(doc, target.kind):
            kind = other.get("type", there)
            found.setdefault(doc["id"], {}).setdefault(str(other["id"]), kind)
    for doc in target.docs:
        for other in _stated(doc, source.kind):
            kind = other.get("type", back).replace(back, there)
            found.setdefault(str(other["id"]), {}).setdefault(doc["id"], kind)
    return {key: list(others.items()) for key, others in found.items()}


def _stated(doc: dict[str, Any], target: str) -> list[dict[str, Any]]:
    stated = doc.get("associations") or {}
    return (stated.get(target) or {}).get("results") or []


def as_v3(found: list[tuple[str, str]]) -> dict[str, Any]:
    """One entry of the ``associations`` of an object."""
    return {"results": [{"id": key, "type": kind} for key, kind in found]}


def as_v4(source: str, target: str, found: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The ``to`` list of the v4 associations API."""
    number = TYPE_IDS.get((source, target))
    category = "HUBSPOT_DEFINED" if number else "USER_DEFINED"
    if number is None:
        number = int.from_bytes(sha256(label(source, target).encode()).digest()[:1]) + 1
    kind = {"category": category, "typeId": number, "label": None}
    return [{"toObjectId": int(key), "associationTypes": [kind]} for key, _ in found]
