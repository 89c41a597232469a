"""What every read of HubSpot's objects shares: their path, properties, times and totals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from retention.sources.extraction import Reading, instant

Rows = Iterator[tuple[Any, str]]  # a document and where it stood

REFRESH = timedelta(days=7)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A week ends with Sunday, so the long read falls into the quietest night.
_A_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def object_type(reading: Reading) -> str:
    """What HubSpot calls the stream's object; a portal's own objects have numbers."""
    own = reading.connection.extra.get("objects", {}).get(reading.stream.name)
    return str(own or reading.stream.extra["object"])


def path(reading: Reading) -> str:
    return f"/crm/v3/objects/{object_type(reading)}"


def properties(reading: Reading) -> list[str]:
    """The declared properties and those that the connection adds."""
    more = reading.connection.extra.get("properties", {}).get(reading.stream.name, [])
    return list(dict.fromkeys([*reading.stream.extra["properties"], *more]))


def changed_at(doc: Any) -> datetime | None:
    return instant(doc.get("updatedAt")) if isinstance(doc, dict) else None


def refresh_is_due(reading: Reading) -> bool:
    """Whether to read the lists: no start, or a weekly boundary lies in the window.

    The overlap does not count, or two days in a row would be refreshed.
    """
    if reading.window.start is None:
        return True
    begun = (reading.window.start + reading.stream.overlap - _A_MONDAY) // REFRESH
    return begun < (reading.window.end - _A_MONDAY) // REFRESH


def total(reading: Reading, found: dict[str, Any]) -> int:
    """How many objects a search found; bad_body when it does not say."""
    count = found.get("total")
    if not isinstance(count, int):
        raise reading.error("the search does not say how many it found.", "bad_body")
    return count


def next_after(page: dict[str, Any]) -> str | None:
    """The token of the next page. The link beside it is never followed."""
    following = (page.get("paging") or {}).get("next") or {}
    return str(following["after"]) if following.get("after") else None
