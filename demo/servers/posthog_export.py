"""Export PostHog events to files: gzip JSON Lines, one file per day of arrival.

Files are named ``<interval start>-<interval end>.jsonl.gz``, as PostHog does, and appear once their
day is over. An event belongs to the day it was received, whatever its own timestamp says. An event
received twice appears twice.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

EPOCH = date(1970, 1, 1)
LEVEL = 1  # the fastest level: writing two years of days takes time, the size hardly matters


def file_name(day: date) -> str:
    """Return the file name of one day of arrival."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    return f"{start.isoformat()}-{(start + timedelta(days=1)).isoformat()}.jsonl.gz"


class Export:
    """Export the events of one world into a folder; ``label`` identifies the world."""

    def __init__(self, events: Any, folder: Path, label: str = "") -> None:
        import numpy as np
        import pyarrow as pa

        self.folder, self.label = folder, label
        moments = events["received_at"].cast(pa.timestamp("ms", "UTC")).combine_chunks()
        # Read the buffer directly: to_numpy would import pandas, which takes seconds.
        stamps = np.frombuffer(moments.buffers()[1], np.int64)[moments.offset :][: len(moments)]
        days = stamps // 86_400_000
        if (np.diff(days) < 0).any():
            order = np.argsort(days, kind="stable")
            events, days = events.take(order), days[order]
        self._events, self._arrival = events, days

    def sync(self, as_of: date) -> int:
        """Make the folder hold the exports up to the end of ``as_of``; return the number written.

        Idempotent. Existing files are not rewritten, files of later days are removed, and files of
        another world are replaced. Each file is written atomically.
        """
        self._clear_unless_ours()
        there = {path.name for path in self.folder.glob("*.jsonl.gz")}
        wanted = {file_name(day): day for day in self._days() if day <= as_of}
        for name in there - set(wanted):
            (self.folder / name).unlink()
        fresh = [day for name, day in wanted.items() if name not in there]
        for day in fresh:
            self._write(day)
        return len(fresh)

    def _write(self, day: date) -> None:
        name = file_name(day)
        draft = self.folder / f".{name}.part"
        draft.write_bytes(gzip.compress(lines(self._of(day)), LEVEL, mtime=0))
        draft.replace(self.folder / name)

    def _clear_unless_ours(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        marker = self.folder / ".world"
        if not marker.exists() or marker.read_text() != self.label:
            for stale in self.folder.glob("*.jsonl.gz"):
                stale.unlink()
            marker.write_text(self.label)

    def _days(self) -> list[date]:
        """Return the days of arrival; a day without events has no file."""
        import numpy as np

        return [EPOCH + timedelta(days=day) for day in np.unique(self._arrival).tolist()]

    def _of(self, day: date) -> Any:
        import numpy as np

        number = (day - EPOCH).days
        start, end = np.searchsorted(self._arrival, [number, number + 1])
        return self._events.slice(int(start), int(end - start))


def lines(events: Any) -> bytes:
    """Format the events as PostHog does: one JSON object per line."""
    names = ("uuid", "event", "properties", "distinct_id")
    columns = [events[name].to_pylist() for name in names]
    columns += [_stamps(events[name]) for name in ("timestamp", "received_at")]
    return "".join(
        f'{{"uuid":"{uuid}","event":{_quoted(event)},"properties":{properties},'
        f'"distinct_id":{_quoted(person)},"person_id":"{_person(person)}",'
        f'"person_properties":{{}},"elements_chain":"","timestamp":"{happened}",'
        f'"created_at":"{received}","inserted_at":"{received}"}}\n'
        for uuid, event, properties, person, happened, received in zip(*columns, strict=True)
    ).encode()


@cache
def _quoted(value: str) -> str:
    return json.dumps(value)


@cache
def _person(distinct_id: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"person/{distinct_id}"))


def _stamps(column: Any) -> list[str]:
    """Format times as ISO 8601 with microseconds, as PostHog does."""
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = column.cast(pa.timestamp("us", "UTC"))
    stamps: list[str] = pc.strftime(moments, format="%Y-%m-%dT%H:%M:%S+00:00").to_pylist()
    return stamps
