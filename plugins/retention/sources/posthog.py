"""PostHog: product events from the folder its batch export writes."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from retention.errors import UsageError
from retention.source import Connection, Extracted, Source, Stream
from retention.usage.formats import POSTHOG, EventFiles
from retention.window import Window


class Event(BaseModel):
    """One line of a batch export of the events model as JSONLines.

    ``created_at`` is when PostHog took the event in; ``uuid`` tells events apart.
    """

    uuid: str
    event: str
    distinct_id: str
    timestamp: datetime
    created_at: datetime
    properties: dict[str, Any]


def event_files(connection: Connection) -> EventFiles:
    """Every JSONLines file below the connection's folder; gzip is told by its first bytes."""
    return EventFiles.below(POSTHOG, Path(connection.base_url), "**/*.jsonl", "**/*.jsonl.gz")


def _bulk_only(connection: Connection, stream: Stream, window: Window) -> Extracted:
    raise UsageError(f"{stream.name} of posthog takes the bulk path: load_usage.")


SOURCE = Source(
    name="posthog",
    conn_id="posthog_exports",
    schedule="0 0 * * *",
    freshness=timedelta(hours=30),
    owner="product",
    doc="Product usage: the files PostHog's batch export drops, each event with its account.",
    streams=(
        Stream(
            name="events",
            record=Event,
            extract=_bulk_only,
            key="uuid",
            updated_at="created_at",
            kind="usage",
            extra={"event_files": event_files},
        ),
    ),
)
