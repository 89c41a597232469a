"""PostHog: product events from the folder of its batch export."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from retention import jsondoc
from retention.errors import UsageError
from retention.source import Connection, Extracted, Source, Stream
from retention.sources.files.rows import text_lines
from retention.sources.files.table import BrokenFile
from retention.usage.formats import EventFiles, posthog
from retention.window import Window


class Event(BaseModel):
    """One line of a batch export of the events model as JSONLines.

    ``created_at`` is the time PostHog received the event; ``uuid`` identifies it.
    """

    uuid: str
    event: str
    distinct_id: str
    timestamp: datetime
    created_at: datetime
    properties: dict[str, Any] | str


def event_files(connection: Connection) -> EventFiles:
    """Return every JSONLines file below the connection's folder; gzip is detected by content.

    ``extra["group_type"]`` names the group that stands for a customer, "company" by default. The
    first event of a file tells whether ``properties`` is an object or a JSON text; the format for
    text reads both.
    """
    group_type = str(connection.extra.get("group_type", "company"))
    patterns = ("**/*.jsonl", "**/*.jsonl.gz")
    found = EventFiles.below(posthog(group_type), Path(connection.base_url), *patterns)
    if not any(isinstance(each, str) for each in map(_first_properties, found.paths)):
        return found
    return replace(found, format=posthog(group_type, as_text=True))


def _first_properties(path: Path) -> Any:
    """Return ``properties`` of the first event; None if unreadable, which the load reports."""
    try:
        line = next((line for line in text_lines(path, "utf-8") if line.strip()), "")
        event = jsondoc.parse(line.encode("utf-8", "surrogateescape"))
    except (BrokenFile, jsondoc.BadDocument, OSError, EOFError, zlib.error):
        return None
    return event.get("properties") if isinstance(event, dict) else None


def _bulk_only(connection: Connection, stream: Stream, window: Window) -> Extracted:
    raise UsageError(f"{stream.name} of posthog takes the bulk path; use load_usage.")


SOURCE = Source(
    name="posthog",
    conn_id="posthog_exports",
    schedule="0 0 * * *",
    freshness=timedelta(hours=30),
    owner="product",
    doc="Product usage: the files of PostHog's batch export, each event with its account.",
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
