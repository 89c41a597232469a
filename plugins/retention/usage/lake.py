"""The lake: all rows of the event files as Parquet, one folder per load.

``<lake>/<source>/<stream>/load=7/events.parquet`` has the rows of the files that load 7
read, each with event date, file and line. A rejected row has no date, but the reason and its
text. A folder counts only once ``ops.files`` names its load.
"""

# ruff: noqa: S608 - every part is a declaration of ours or a quoted literal

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from retention.usage.compressed import EventFile
from retention.usage.formats import EventFormat
from retention.usage.lines import raw_lines
from retention.usage.parse import events_query, literal, repeats_query
from retention.usage.rows import rows_in

if TYPE_CHECKING:
    import duckdb

EVENTS = "events.parquet"
MANIFEST = "part.json"
MEMORY = "1GB"


@dataclass(frozen=True)
class Part:
    """The lake folder of one load; ``files`` are names in the order of their numbers."""

    folder: Path
    fingerprint: str
    files: tuple[str, ...]
    days: tuple[date, ...]
    newest: datetime | None
    seen: int
    sanitised: int

    @property
    def events(self) -> Path:
        return self.folder / EVENTS


def session(scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open DuckDB in UTC with bounded memory; it spills to disk below ``scratch``."""
    import duckdb

    scratch.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(scratch),
            "autoinstall_known_extensions": "false",
            "preserve_insertion_order": "false",
        }
    )
    connection.execute("set TimeZone = 'UTC'")
    return connection


def write_part(
    db: duckdb.DuckDBPyConnection,
    form: EventFormat,
    event_files: list[EventFile],
    folder: Path,
    keep_alive: Callable[[], None],
) -> Part:
    """Write the rows of the files to ``folder``, completely or not at all.

    Calls ``keep_alive`` for every batch. Raises ExtractionError for a file that is truncated,
    damaged or lacks a column.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _make_lookups(db, form)
        _copy(db, form, event_files, folder, keep_alive)
        if form.kind == "ndjson" and _repeats_a_key(db, form, event_files, folder):
            _copy(db, form, event_files, folder, keep_alive, careful=True)
        return _describe(db, form, event_files, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_part(folder: Path) -> Part | None:
    """Read the part in ``folder``; None when it is missing."""
    try:
        plain = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        return None
    return Part(
        folder=folder,
        fingerprint=plain["fingerprint"],
        files=tuple(plain["files"]),
        days=tuple(date.fromisoformat(each) for each in plain["days"]),
        newest=datetime.fromisoformat(plain["newest"]) if plain["newest"] else None,
        seen=plain["seen"],
        sanitised=plain["sanitised"],
    )


def _make_lookups(db: duckdb.DuckDBPyConnection, form: EventFormat) -> None:
    for lookup in form.lookups:
        db.execute(
            f"create or replace temp table lookup_{lookup.name} as "
            f"select cast(key as varchar) as key, min(cast(value as varchar)) as value "
            f"from ({lookup.relation}) group by all having count(distinct value) = 1"
        )


def _copy(
    db: duckdb.DuckDBPyConnection,
    form: EventFormat,
    event_files: list[EventFile],
    folder: Path,
    keep_alive: Callable[[], None],
    *,
    careful: bool = False,
) -> None:
    query = events_query(form, careful=careful)
    target = literal(str(folder / EVENTS))
    with rows_in(db, form, event_files, folder, keep_alive):
        db.execute(f"copy ({query}) to {target} (format parquet, compression lz4)")


def _repeats_a_key(
    db: duckdb.DuckDBPyConnection, form: EventFormat, event_files: list[EventFile], folder: Path
) -> bool:
    """Return whether any row repeats a key; only one row of each shape is examined."""
    import pyarrow as pa

    samples = db.execute(
        "select file, min(line) from read_parquet(?) where problem is null group by file, shape",
        [str(folder / EVENTS)],
    ).fetchall()
    wanted: dict[int, set[int]] = {}
    for file, line in samples:
        wanted.setdefault(file, set()).add(line)
    texts = [
        text
        for event_file in event_files
        for text in raw_lines(event_file.path, wanted.get(event_file.number, set())).values()
    ]
    db.register("rows_in", pa.table({"raw": pa.array(texts, pa.string())}))
    try:
        [(repeated,)] = db.execute(repeats_query(form)).fetchall()
    finally:
        db.unregister("rows_in")
    return bool(repeated)


def _describe(
    db: duckdb.DuckDBPyConnection, form: EventFormat, event_files: list[EventFile], folder: Path
) -> Part:
    days, newest, seen, sanitised = db.execute(
        "select coalesce(list(distinct event_date) filter (where event_date is not null), []),"
        " max(received_at) filter (where problem is null),"
        " count(*),"
        " count(*) filter (where sanitised) from read_parquet(?)",
        [str(folder / EVENTS)],
    ).fetchall()[0]
    names = tuple(event_file.name for event_file in event_files)
    part = Part(folder, form.fingerprint(), names, tuple(sorted(days)), newest, seen, sanitised)
    plain = {
        "fingerprint": part.fingerprint,
        "files": names,
        "days": [day.isoformat() for day in part.days],
        "newest": newest.isoformat() if newest else None,
        "seen": seen,
        "sanitised": sanitised,
    }
    (folder / MANIFEST).write_text(json.dumps(plain, indent=1))
    return part
