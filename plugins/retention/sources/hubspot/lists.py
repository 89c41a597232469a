"""Read HubSpot's lists: live objects, archived objects, owners.

A list is a GET, so the names of its properties must fit into a URL. If they do not, the list is
read without them and a batch read, a POST, adds them to each page.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

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
# HubSpot refuses request lines of about 16,000 characters with HTTP 414.
_LONGEST_NAMES = 8_000


def listed(reading: Reading) -> Rows:
    """Yield every live object created before the end of the window.

    Raises incomplete_read when fewer arrive than the search index counts.
    """
    counted = reading.post(f"{path(reading)}/search", {"filterGroups": [], "limit": 1})
    promised = total(reading, counted)
    received = late = 0
    for doc, position in _object_pages(reading, archived=False):
        received += 1
        born = instant(doc.get("createdAt")) if isinstance(doc, dict) else None
        if born is not None and born >= reading.window.end:
            late += 1
        else:
            yield doc, position
    # The index lags behind the list by a few objects at most.
    if received < promised - min(20, promised // 100):
        raise reading.error(f"{received} of {promised} objects arrived.", "incomplete_read")
    reading.control_total = received - late
    reading.complete = True


def archived(reading: Reading) -> Iterator[Record | Rejected]:
    """Yield the objects archived in the window, as deleted; HubSpot keeps them for 90 days."""
    start, end = reading.window.start or EPOCH, reading.window.end
    for doc, position in _object_pages(reading, archived=True):
        gone = instant(doc.get("archivedAt")) if isinstance(doc, dict) else None
        if gone is None or start <= gone < end:
            moments = [moment for moment in (gone, changed_at(doc)) if moment]
            yield reading.record(doc, position, max(moments, default=None), deleted=True)


def owners(reading: Reading) -> Iterator[Record | Rejected]:
    """Yield every owner; archived owners are deleted."""
    for gone in (False, True):
        asked = {"limit": _PAGE, "archived": str(gone).lower()}
        for doc, position in _pages(reading, "/crm/v3/owners", asked):
            born = instant(doc.get("createdAt")) if isinstance(doc, dict) else None
            if born is None or born < reading.window.end:
                yield reading.record(doc, position, changed_at(doc), deleted=gone)
    reading.complete = True


def _object_pages(reading: Reading, *, archived: bool) -> Rows:
    """Yield the objects of the stream with their properties."""
    asked = {"limit": _PAGE, "archived": str(archived).lower()}
    names = ",".join(properties(reading))
    if len(quote(names)) <= _LONGEST_NAMES:
        yield from _pages(reading, path(reading), asked | {"properties": names})
        return
    rows = _pages(reading, path(reading), asked)
    while batch := list(islice(rows, _PAGE)):
        yield from _with_properties(reading, batch, archived=archived)


def _with_properties(reading: Reading, batch: list[tuple[Any, str]], *, archived: bool) -> Rows:
    """Yield the objects of a page as a batch read returns them; a deleted one is missing there."""
    ids = [found for doc, _ in batch if (found := identity(doc))]
    target = f"{path(reading)}/batch/read?archived={str(archived).lower()}"
    body = {"properties": properties(reading), "inputs": [{"id": found} for found in ids]}
    answer = reading.post(target, body) if ids else {"results": []}
    whole = {identity(doc): doc for doc in reading.rows(answer, "results")}
    missing = [found for found in ids if found not in whole]
    if len(missing) > len(answer.get("errors") or []):
        message = f"the batch read lacks {len(missing)} of {len(ids)} objects."
        raise reading.error(message, "incomplete_read")
    for doc, position in batch:
        found = identity(doc)
        if found is None or found in whole:
            yield whole.get(found, doc), position


def _pages(reading: Reading, target: str, asked: dict[str, Any]) -> Rows:
    """Yield every row of a list once; skip objects repeated on the next page."""
    progress = Progress(reading)
    seen: set[str] = set()
    after: str | None = None
    while True:
        page = reading.get(target, asked | ({"after": after} if after else {}))
        before = len(seen)
        for row, doc in enumerate(reading.rows(page, "results"), 1):
            found = identity(doc)
            if found is None or found not in seen:
                yield doc, reading.at(row)
            if found is not None:
                seen.add(found)
        if (after := next_after(page)) is None:
            return
        progress.advance(after, brought_new=len(seen) > before)
