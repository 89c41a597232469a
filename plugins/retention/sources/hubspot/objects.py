"""Share the path, properties, times and totals of HubSpot objects between reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from retention.sources.extraction import Reading, instant

Rows = Iterator[tuple[Any, str]]  # a document and its position

REFRESH = timedelta(days=7)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Weeks end on Sunday, so the long read falls into the quietest night.
_A_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def object_type(reading: Reading) -> str:
    """Return HubSpot's type of the stream's objects; custom objects have numbers."""
    own = reading.connection.extra.get("objects", {}).get(reading.stream.name)
    return str(own or reading.stream.extra["object"])


def path(reading: Reading) -> str:
    return f"/crm/v3/objects/{object_type(reading)}"


def properties(reading: Reading) -> list[str]:
    """Return the declared properties and those that the connection adds."""
    more = reading.connection.extra.get("properties", {}).get(reading.stream.name, [])
    return list(dict.fromkeys([*reading.stream.extra["properties"], *more]))


def changed_at(doc: Any) -> datetime | None:
    return instant(doc.get("updatedAt")) if isinstance(doc, dict) else None


def refresh_is_due(reading: Reading) -> bool:
    """Return whether to read the lists: without a start, or once per weekly boundary.

    The overlap is ignored, or two days in a row would be refreshed.
    """
    if reading.window.start is None:
        return True
    begun = (reading.window.start + reading.stream.overlap - _A_MONDAY) // REFRESH
    return begun < (reading.window.end - _A_MONDAY) // REFRESH


def total(reading: Reading, found: dict[str, Any]) -> int:
    """Return the number of objects that a search found; raise bad_body if it is missing."""
    count = found.get("total")
    if not isinstance(count, int):
        raise reading.error("the search response has no total.", "bad_body")
    return count


def next_after(page: dict[str, Any]) -> str | None:
    """Return the token of the next page; the link beside it is never followed."""
    following = (page.get("paging") or {}).get("next") or {}
    return str(following["after"]) if following.get("after") else None
