"""What a source is: a declaration from which the DAG, the raw table and the tests follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from retention.window import Window


@dataclass(frozen=True)
class Connection:
    """How to reach one vendor; an Airflow connection of the same id carries these fields.

    ``base_url`` pins scheme, host and port: a client never sends ``secret`` anywhere else.
    For a folder of files ``base_url`` is the folder's path and ``secret`` is empty.
    """

    conn_id: str
    base_url: str
    secret: str = field(default="", repr=False)
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One record as the vendor sent it; ``doc`` is JSON with decimals as ``Decimal``.

    ``position`` says where it stood ("page 3 row 12", "accounts.csv line 7").
    """

    record_id: str
    doc: dict[str, Any]
    updated_at: datetime | None
    position: str
    deleted: bool = False


@dataclass(frozen=True)
class Rejected:
    """Something that could not become a Record; kept whole, with the reason."""

    code: str
    reason: str
    position: str
    raw: str
    record_id: str | None = None


# What a stream's extractor yields. It raises ExtractionError rather than end early.
Extracted = Iterator[Record | Rejected]
Extract = Callable[[Connection, "Stream", Window], Extracted]


@dataclass(frozen=True)
class Stream:
    """One kind of record of a source, landing in ``raw.<source>_<name>``.

    ``record`` is the contract of one document; ``key`` and ``updated_at`` are dotted paths
    into it. ``overlap`` is re-read before the cursor because vendors index late.
    ``deletes`` is how absence is learned: "tombstone" (the vendor says so) or "listing"
    (a complete listing lacks the id, guarded against outages). ``kind`` is "records" for
    documents and "usage" for event files that take the bulk path.
    """

    name: str
    record: type[BaseModel]
    extract: Extract
    key: str = "id"
    updated_at: str | None = None
    overlap: timedelta = timedelta(0)
    deletes: str = "tombstone"
    kind: str = "records"
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A vendor: ``Source(name="stripe", conn_id="stripe_api", schedule="0 3 * * *", ...)``."""

    name: str
    conn_id: str
    schedule: str
    freshness: timedelta
    streams: tuple[Stream, ...]
    owner: str
    doc: str
    pool: str = "default_pool"
    pool_slots: int = 1

    def stream(self, name: str) -> Stream:
        """The stream of that name; raises KeyError naming those there are."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        known = ", ".join(stream.name for stream in self.streams)
        raise KeyError(f"{self.name} has no stream {name!r}; it has {known}")
