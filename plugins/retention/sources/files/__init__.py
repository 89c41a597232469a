"""Load a folder of CSV, NDJSON or Parquet files through a mapping."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from retention.source import Connection, Source, Stream
from retention.sources.files.fields import key_of
from retention.sources.files.read import extract
from retention.sources.files.records import RECORDS

if TYPE_CHECKING:
    from retention.usage.formats import EventFiles

# If more than half of the records are missing, assume an incomplete delivery.
_GUARD = {"delete_rate": 0.5}


def _event_files(connection: Connection) -> EventFiles:
    from retention.sources.files.events import event_files

    return event_files(connection)


SOURCE = Source(
    name="files",
    conn_id="files_folder",
    schedule="0 0 * * *",
    freshness=timedelta(hours=26),
    owner="data",
    doc="A folder of exported files with a mapping.yml that describes their columns.",
    streams=tuple(
        Stream(
            name=name,
            record=record,
            extract=extract,
            key=key_of(name),
            # The folder is a complete listing: records missing from it are deleted.
            deletes="tombstone" if name == "usage_events" else "listing",
            kind="usage" if name == "usage_events" else "records",
            extra={"event_files": _event_files} if name == "usage_events" else _GUARD,
        )
        for name, record in RECORDS.items()
    ),
)
