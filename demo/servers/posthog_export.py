"""PostHog's batch export to files: gzip JSON Lines, one file per day of arrival.

A file is named as PostHog names it, ``<interval start>-<interval end>.jsonl.gz``, and is
there once its day is over. An event that arrives late is in the file of the day on which
it was received, whatever its own timestamp says; an event received twice is there twice.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from demo.servers.wire import dumps

LEVEL = 1  # the size hardly matters here, the time to write two years of days does


def file_name(day: date) -> str:
    """The name of the file of one day of arrival."""
    start = datetime.combine(day, time(), tzinfo=UTC)
    return f"{start.isoformat()}-{(start + timedelta(days=1)).isoformat()}.jsonl.gz"


def export(events: Any, folder: Path, as_of: date, *, label: str = "") -> int:
    """Bring ``folder`` to what PostHog has exported by the end of ``as_of``.

    Files already there are left untouched, those of later days are taken away; a file is
    there whole or not at all. ``label`` names the world: files of another one are
    replaced. Returns how many files were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marker = folder / ".world"
    if not marker.exists() or marker.read_text() != label:
        for stale in folder.glob("*.jsonl.gz"):
            stale.unlink()
        marker.write_text(label)
    there = {path.name for path in folder.glob("*.jsonl.gz")}
    wanted = {file_name(day): (day, rows) for day, rows in _days(events) if day <= as_of}
    for name in there - set(wanted):
        (folder / name).unlink()
    fresh = [name for name in wanted if name not in there]
    for name in fresh:
        draft = folder / f".{name}.part"
        draft.write_bytes(gzip.compress(lines(wanted[name][1]), LEVEL, mtime=0))
        draft.replace(folder / name)
    return len(fresh)


def _days(events: Any) -> Iterator[tuple[date, Any]]:
    """The events of each day of arrival, in the order they arrived; empty days have no file."""
    import pyarrow.compute as pc

    ordered = events.sort_by("received_at")
    days = pc.floor_temporal(ordered["received_at"], unit="day").to_pylist()
    start = 0
    while start < len(days):
        end = start + 1
        while end < len(days) and days[end] == days[start]:
            end += 1
        yield days[start].date(), ordered.slice(start, end - start)
        start = end


def lines(events: Any) -> bytes:
    """The events as PostHog writes them: one JSON object a line."""
    people: dict[str, str] = {}
    out = []
    for row in events.to_pylist():
        person = row["distinct_id"]
        if person not in people:
            people[person] = str(uuid5(NAMESPACE_URL, f"person/{person}"))
        properties = json.loads(row["properties"]) if row["properties"] else {}
        if row.get("company_id"):
            properties.setdefault("$groups", {"company": row["company_id"]})
        received = _stamp(row["received_at"])
        out.append(
            dumps(
                {
                    "uuid": row["uuid"],
                    "event": row["event"],
                    "properties": properties,
                    "distinct_id": person,
                    "person_id": people[person],
                    "person_properties": {},
                    "elements_chain": "",
                    "timestamp": _stamp(row["timestamp"]),
                    "created_at": received,
                    "inserted_at": received,
                }
            )
        )
    return b"\n".join(out) + b"\n" if out else b""


def _stamp(at: datetime) -> str:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat(timespec="microseconds")
