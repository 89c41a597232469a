"""Store what callers write to HubSpot: property values and property definitions.

Writes are kept apart from the simulated world, in a file that survives a restart.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

Doc = dict[str, Any]


class Writes:
    """Append-only journal of writes, applied to the records when they are read."""

    def __init__(self, journal: Path | None = None) -> None:
        self._journal = journal
        self._values: dict[tuple[str, str], list[tuple[datetime, dict[str, str]]]] = {}
        self._names: dict[str, dict[str, Doc]] = {}
        self.revision = 0
        if journal is not None and journal.exists():
            for line in journal.read_text().splitlines():
                self._take(json.loads(line))

    def write(self, kind: str, record_id: str, values: dict[str, str], at: datetime) -> None:
        """Set properties of a record as of ``at``."""
        self._note({"kind": kind, "id": record_id, "values": values, "at": at.isoformat()})

    def create(self, kind: str, definition: Doc) -> None:
        """Add a property to an object type."""
        self._note({"kind": kind, "definition": definition})

    def created(self, kind: str) -> set[str]:
        """Return the names of the properties that callers defined."""
        return set(self._names.get(kind, ()))

    def applied(self, kind: str, record_id: str, doc: Doc, instant: datetime) -> Doc:
        """Return ``doc`` with the writes up to ``instant`` applied."""
        writes = self._values.get((kind, record_id))
        for at, values in writes or ():
            if at > instant:
                continue
            stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            changed = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
            newest = max(stamp, doc["updatedAt"])
            props = {**doc["properties"], **values, changed: newest}
            doc = {**doc, "properties": props, "updatedAt": newest}
        return doc

    def _note(self, entry: Doc) -> None:
        self._take(entry)
        if self._journal is not None:
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            with self._journal.open("a") as journal:
                journal.write(json.dumps(entry) + "\n")

    def _take(self, entry: Doc) -> None:
        self.revision += 1
        if "definition" in entry:
            definition = entry["definition"]
            self._names.setdefault(entry["kind"], {})[definition["name"]] = definition
            return
        at = datetime.fromisoformat(entry["at"])
        self._values.setdefault((entry["kind"], entry["id"]), []).append((at, entry["values"]))
