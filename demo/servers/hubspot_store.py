"""Hold the records of one HubSpot object type at one instant, ready to page and filter."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from demo.servers.hubspot_writes import Writes
from demo.servers.views import View

Doc = dict[str, Any]
Comparable = int | float | str

# Each name of an object type in HubSpot's paths, and its stream in the world.
TYPES = {
    **dict.fromkeys(("companies", "company", "0-2"), "companies"),
    **dict.fromkeys(("contacts", "contact", "0-1"), "contacts"),
    **dict.fromkeys(("deals", "deal", "0-3"), "deals"),
    **dict.fromkeys(("tickets", "ticket", "0-5"), "tickets"),
    **dict.fromkeys(("meetings", "meeting", "0-47"), "meetings"),
    **dict.fromkeys(("tasks", "task", "0-27"), "tasks"),
    **dict.fromkeys(("2-9001", "goals", "p_goals"), "goals"),
}
ENGAGEMENTS = ("meetings", "tasks", "goals")  # their creation property is hs_createdate
DEFAULTS = {
    "companies": ("name", "domain"),
    "contacts": ("email", "firstname", "lastname"),
    "deals": ("dealname", "amount", "closedate", "dealstage", "pipeline"),
    "tickets": (
        *("content", "hs_pipeline", "hs_pipeline_stage"),
        *("hs_ticket_category", "hs_ticket_priority", "subject"),
    ),
}
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d.*)?")


def always(kind: str) -> tuple[str, str, str]:
    """Return the three properties that are always included: created, modified, id."""
    born = "hs_createdate" if kind in ENGAGEMENTS else "createdate"
    changed = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
    return born, changed, "hs_object_id"


def comparable(value: Any) -> Comparable | None:
    """Convert a value as HubSpot's search orders it: number, time in milliseconds, or text."""
    if value is None or value == "":
        return None
    if isinstance(value, int | float):
        return value
    text = str(value)
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if _TIME.fullmatch(text):
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text.lower()
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    return text.lower()


class Store:
    """Live records in the order of their ids; archived records are kept apart."""

    def __init__(self, view: View, kind: str, writes: Writes) -> None:
        self.view, self.kind, self.writes = view, kind, writes
        born, changed, key = always(kind)
        rows: list[tuple[int, Doc]] = []
        gone: list[tuple[int, Doc]] = []
        for record_id, version in view.visible("hubspot", kind).items():
            if version.deleted and not version.doc:
                continue  # erased for privacy: the API returns nothing
            doc = writes.applied(kind, record_id, version.doc, view.instant)
            props = doc["properties"]
            if not (born in props and changed in props and key in props):
                stamps = {born: doc["createdAt"], changed: doc["updatedAt"], key: record_id}
                doc = {**doc, "properties": {**stamps, **props}}
            if version.deleted:
                stamp = version.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
                doc = {"archivedAt": stamp, **doc, "archived": True}
            (gone if version.deleted else rows).append((int(record_id), doc))
        rows.sort(key=lambda row: row[0])
        gone.sort(key=lambda row: row[0])
        self.ids, self.docs = [row[0] for row in rows], [row[1] for row in rows]
        self.gone_ids, self.gone_docs = [row[0] for row in gone], [row[1] for row in gone]
        self._columns: dict[str, list[Comparable | None]] = {}
        self.searches: dict[Any, list[int]] = {}

    def page(self, after: int, limit: int, archived: bool) -> tuple[list[Doc], int | None]:
        """Return up to ``limit`` records from id ``after`` on, and the start of the next page."""
        ids = self.gone_ids if archived else self.ids
        docs = self.gone_docs if archived else self.docs
        start = bisect_left(ids, after)
        end = start + limit
        return docs[start:end], ids[end] if end < len(ids) else None

    def get(self, record_id: str, archived: bool = False, id_property: str | None = None) -> Any:
        """Return the record, or None."""
        if id_property and id_property != "hs_object_id":
            return self._unique(id_property).get(str(record_id).lower())
        ids = self.gone_ids if archived else self.ids
        docs = self.gone_docs if archived else self.docs
        if not str(record_id).isdecimal():
            return None
        at = bisect_left(ids, int(record_id))
        return docs[at] if at < len(ids) and ids[at] == int(record_id) else None

    def _unique(self, name: str) -> dict[str, Doc]:
        return self.view.memo(
            ("hubspot unique", self.kind, name, self.writes.revision),
            lambda: {
                str(doc["properties"][name]).lower(): doc
                for doc in self.docs
                if doc["properties"].get(name)
            },
        )

    def column(self, name: str) -> list[Comparable | None]:
        """Return the comparable values of one property, in the order of the ids."""
        if name == "hs_object_id":
            return self.ids  # type: ignore[return-value]
        if name not in self._columns:
            values = (doc["properties"].get(name) for doc in self.docs)
            self._columns[name] = [comparable(value) for value in values]
        return self._columns[name]

    @property
    def known(self) -> frozenset[str]:
        """Return every property of the type, with or without values."""

        def collect() -> frozenset[str]:
            names = {name for doc in self.docs + self.gone_docs for name in doc["properties"]}
            return frozenset(names | self.writes.created(self.kind) | set(always(self.kind)))

        return self.view.memo(("hubspot known", self.kind, self.writes.revision), collect)

    def shown(self, docs: Iterable[Doc], names: Iterable[str] | None) -> list[Doc]:
        """Return the records with the requested properties; unknown names are ignored."""
        asked = list(names or ()) or DEFAULTS.get(self.kind, ())
        known = self.known
        wanted = [name for name in dict.fromkeys((*always(self.kind), *asked)) if name in known]
        return [_shown(doc, wanted) for doc in docs]


def _shown(doc: Doc, wanted: list[str]) -> Doc:
    props = doc["properties"]
    out = {
        "id": doc["id"],
        "properties": {name: props.get(name) for name in wanted},
        "createdAt": doc["createdAt"],
        "updatedAt": doc["updatedAt"],
        "archived": doc.get("archived", False),
    }
    if "archivedAt" in doc:
        out["archivedAt"] = doc["archivedAt"]
    return out


def store(view: View, kind: str, writes: Writes) -> Store:
    """Return the store of ``kind`` at this instant, cached per instant and write."""
    return view.memo(("hubspot store", kind, writes.revision), lambda: Store(view, kind, writes))


def history(view: View, kind: str, record_id: str, names: Iterable[str]) -> dict[str, Any]:
    """Return the past values of each property, newest first (``propertiesWithHistory``)."""
    versions = view.world.records.get(("hubspot", kind), {}).get(record_id, [])
    out: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        changes: list[dict[str, Any]] = []
        for version in versions:
            value = version.doc.get("properties", {}).get(name)
            if version.at >= view.instant or (changes and changes[-1]["value"] == value):
                continue
            stamp = version.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            changes.append({"value": value, "timestamp": stamp, "sourceType": "CRM_UI"})
        out[name] = changes[::-1]
    return out
