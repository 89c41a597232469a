"""Read the objects changed in a window from HubSpot's search, beyond its 10,000 results.

The search is paged by id: each request asks for ids above the last one. So many objects with one
timestamp cannot stop the read or make it loop, and an object that changes during the read does not
shift others across a page boundary.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from retention.sources.extraction import Progress, Reading, identity
from retention.sources.hubspot.objects import EPOCH, Rows, next_after, path, properties, total

_PAGE = 200


def searched(reading: Reading) -> Rows:
    """Yield each object changed in the window once, in the order of ids.

    Raises incomplete_read when fewer arrive than the search counts. Objects that change during the
    read belong to the next window.
    """
    received, last = 0, 0
    found = _search(reading, last)
    promised = total(reading, found)
    while rows := _rows(reading, found, last):
        for position, doc in rows:
            yield doc, position
        received += len(rows)
        last = _furthest(reading, rows, last)
        if len(rows) >= total(reading, found):
            break
        found = _search(reading, last)
    if received < promised and received < (left := total(reading, _search(reading, 0))):
        raise reading.error(f"{received} of {left} objects arrived.", "incomplete_read")
    reading.control_total = received


def _rows(reading: Reading, found: dict[str, Any], last: int) -> list[tuple[str, Any]]:
    """Yield the rows beyond the last id; continue after empty pages that announce more."""
    progress = Progress(reading)
    while not (rows := reading.rows(found, "results")) and (after := next_after(found)):
        found = _search(reading, last, progress.advance(after, brought_new=False))
    placed = [(reading.at(row), doc) for row, doc in enumerate(rows, 1)]
    beyond = [each for each in placed if (number := _number(each[1])) is None or number > last]
    if placed and not beyond and len(placed) < total(reading, found):
        raise reading.error("a page has no objects beyond the last id.", "pagination_loop")
    return beyond


def _furthest(reading: Reading, rows: list[tuple[str, Any]], last: int) -> int:
    numbers = [number for _, doc in rows if (number := _number(doc)) is not None]
    if not numbers:
        raise reading.error("no row of the page has an id to continue from.", "bad_body")
    return max(numbers)


def _number(doc: Any) -> int | None:
    found = identity(doc)
    return int(found) if found and found.isdecimal() else None


def _search(reading: Reading, last: int, after: str | None = None) -> dict[str, Any]:
    changed = reading.stream.extra["changed"]
    filters = [
        _filter(changed, "GTE", _millis(reading.window.start or EPOCH)),
        _filter(changed, "LT", _millis(reading.window.end)),
        _filter("hs_object_id", "GT", last),
    ]
    body: dict[str, Any] = {
        "filterGroups": [{"filters": filters}],
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
        "properties": properties(reading),
        "limit": _PAGE,
    }
    return reading.post(f"{path(reading)}/search", body | ({"after": after} if after else {}))


def _filter(name: str, operator: str, value: int) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": str(value)}


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
