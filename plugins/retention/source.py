"""Declaration of a source, from which its DAG, raw tables and contract tests are generated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from retention.window import Window


@dataclass(frozen=True)
class Connection:
    """Address and secret of one vendor: the fields of the Airflow connection of this id.

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

    ``position`` is its place in the source ("page 3 row 12", "accounts.csv line 7").
    """

    record_id: str
    doc: dict[str, Any]
    updated_at: datetime | None
    position: str
    deleted: bool = False


@dataclass(frozen=True)
class Rejected:
    """Input that could not become a Record, with the reason; ``raw`` is all of it.

    With a ``path`` it is one value only: the record is loaded without it.
    """

    code: str
    reason: str
    position: str
    raw: str
    record_id: str | None = None
    path: str | None = None

    @property
    def record_kept(self) -> bool:
        return self.path is not None


# An extractor raises ExtractionError rather than end early: a short result counts as complete.
Extracted = Iterator[Record | Rejected]
Extract = Callable[[Connection, "Stream", Window], Extracted]


@dataclass(frozen=True)
class Stream:
    """One kind of record of a source, landing in ``raw.<source>_<name>``.

    ``record`` is the contract of one document; ``key`` and ``updated_at`` are dotted paths
    into it. Every load re-reads ``overlap`` before the cursor because vendors index late.
    ``deletes`` is how deletions are detected: "tombstone" (the vendor reports them) or
    "listing" (a complete listing lacks the id, guarded against outages). ``kind`` is
    "records" for documents and "usage" for event files, which are loaded in bulk.
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
        """Return the stream of that name; raises KeyError that lists the known ones."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        known = ", ".join(stream.name for stream in self.streams)
        raise KeyError(f"{self.name} has no stream {name!r}; choose one of {known}")
