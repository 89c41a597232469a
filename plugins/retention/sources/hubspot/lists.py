"""HubSpot's lists: every living object, every archived one, every owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from retention.source import Record, Rejected
from retention.sources.extraction import Progress, Reading, identity, instant
from retention.sources.hubspot.objects import (
    EPOCH,
    Rows,
    changed_at,
    next_after,
    path,
    properties,
    total,
)

_PAGE = 100


def listed(reading: Reading) -> Rows:
    """Every living object; those born after the window are left to the window of their day.

    Raises incomplete_read when fewer arrive than the search index counts.
    """
    counted = reading.post(f"{path(reading)}/search", {"filterGroups": [], "limit": 1})
    promised = total(reading, counted)
    received = late = 0
    for doc, position in _pages(reading, path(reading), _asked_for(reading, archived=False)):
        received += 1
        born = instant(doc.get("createdAt")) if isinstance(doc, dict) else None
        if born is not None and born >= reading.window.end:
            late += 1
        else:
            yield doc, position
    # The index trails the list, by a handful of objects at most.
    if received < promised - min(20, promised // 100):
        raise reading.error(f"{received} of {promised} objects arrived.", "incomplete_read")
    reading.control_total = received - late
    reading.complete = True


def archived(reading: Reading) -> Iterator[Record | Rejected]:
    """The objects archived in the window, as deleted; HubSpot keeps them for 90 days."""
    start, end = reading.window.start or EPOCH, reading.window.end
    for doc, position in _pages(reading, path(reading), _asked_for(reading, archived=True)):
        gone = instant(doc.get("archivedAt")) if isinstance(doc, dict) else None
        if gone is None or start <= gone < end:
            moments = [moment for moment in (gone, changed_at(doc)) if moment]
            yield reading.record(doc, position, max(moments, default=None), deleted=True)


def owners(reading: Reading) -> Iterator[Record | Rejected]:
    """Every owner, the archived ones as deleted."""
    for gone in (False, True):
        asked = {"limit": _PAGE, "archived": str(gone).lower()}
        for doc, position in _pages(reading, "/crm/v3/owners", asked):
            born = instant(doc.get("createdAt")) if isinstance(doc, dict) else None
            if born is None or born < reading.window.end:
                yield reading.record(doc, position, changed_at(doc), deleted=gone)
    reading.complete = True


def _asked_for(reading: Reading, *, archived: bool) -> dict[str, Any]:
    return {
        "limit": _PAGE,
        "properties": ",".join(properties(reading)),
        "archived": str(archived).lower(),
    }


def _pages(reading: Reading, target: str, asked: dict[str, Any]) -> Rows:
    """Every row of a list once; an object repeated on the next page is not repeated here."""
    progress = Progress(reading)
    seen: set[str] = set()
    after: str | None = None
    while True:
        page = reading.get(target, asked | ({"after": after} if after else {}))
        for row, doc in enumerate(reading.rows(page, "results"), 1):
            found = identity(doc)
            if found is None or found not in seen:
                yield doc, reading.at(row)
            if found is not None:
                seen.add(found)
        if (after := next_after(page)) is None:
            return
        progress.advance(after)
