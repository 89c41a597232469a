"""The lake: event files as Parquet, one folder per load, nothing of them left out.

``<lake>/<source>/<stream>/load=7/events.parquet`` holds the rows of the files that load 7
read, each with its event date, file and line; a row that is no event has no date, but the
reason and its text. A folder counts once ops.files names its load; until then it does not
exist.
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

from retention.usage.formats import EventFormat
from retention.usage.lines import raw_lines
from retention.usage.packed import Parcel
from retention.usage.parse import events_query, literal, repeats_query
from retention.usage.rows import rows_in

if TYPE_CHECKING:
    import duckdb

EVENTS = "events.parquet"
MANIFEST = "part.json"
MEMORY = "1GB"


@dataclass(frozen=True)
class Part:
    """What one load put into the lake; ``files`` are names in the order of their numbers."""

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
    """DuckDB in UTC with bounded memory; what does not fit goes to disk below ``scratch``."""
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
    parcels: list[Parcel],
    folder: Path,
    stay_alive: Callable[[], None],
) -> Part:
    """Read the files into ``folder``, whole or not at all; ``stay_alive`` is called meanwhile.

    Raises ExtractionError for a file that is cut, damaged or lacks a column.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _make_lookups(db, form)
        _copy(db, form, parcels, folder, stay_alive)
        if form.kind == "ndjson" and _repeats_a_key(db, form, parcels, folder):
            _copy(db, form, parcels, folder, stay_alive, careful=True)
        return _describe(db, form, parcels, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_part(folder: Path) -> Part | None:
    """The part in ``folder``, or None where it is gone."""
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
    parcels: list[Parcel],
    folder: Path,
    stay_alive: Callable[[], None],
    *,
    careful: bool = False,
) -> None:
    query = events_query(form, careful=careful)
    target = literal(str(folder / EVENTS))
    with rows_in(db, form, parcels, folder, stay_alive):
        db.execute(f"copy ({query}) to {target} (format parquet, compression lz4)")


def _repeats_a_key(
    db: duckdb.DuckDBPyConnection, form: EventFormat, parcels: list[Parcel], folder: Path
) -> bool:
    """Whether any row repeats a key: one row of each shape is looked at again."""
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
        for parcel in parcels
        for text in raw_lines(parcel.path, wanted.get(parcel.number, set())).values()
    ]
    db.register("rows_in", pa.table({"raw": pa.array(texts, pa.string())}))
    try:
        [(repeated,)] = db.execute(repeats_query(form)).fetchall()
    finally:
        db.unregister("rows_in")
    return bool(repeated)


def _describe(
    db: duckdb.DuckDBPyConnection, form: EventFormat, parcels: list[Parcel], folder: Path
) -> Part:
    days, newest, seen, sanitised = db.execute(
        "select coalesce(list(distinct event_date) filter (where event_date is not null), []),"
        " max(received_at) filter (where problem is null),"
        " count(*),"
        " count(*) filter (where sanitised) from read_parquet(?)",
        [str(folder / EVENTS)],
    ).fetchall()[0]
    names = tuple(parcel.name for parcel in parcels)
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
