"""Rows that are no events: found in the lake, kept in ops.quarantine until they come good."""

# ruff: noqa: S608 - every part is a declaration of ours or a quoted literal

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retention.landing import quarantine
from retention.landing.load import Load
from retention.usage import rollup
from retention.usage.drop import Drop
from retention.usage.lines import raw_lines
from retention.usage.packed import is_gzip
from retention.usage.parse import REASONS, literal
from retention.usage.rollup import Contents, Share

if TYPE_CHECKING:
    import duckdb

_TABLES = (
    "create temporary table incoming (record_id text not null) on commit drop",
    """
    create temporary table rejects (
        seq bigint generated always as identity, record_id text, position text not null,
        code text not null, reason text not null, raw text not null
    ) on commit drop
    """,
)
_COPY = "copy rejects (record_id, position, code, reason, raw) from stdin"
# The ids that wait in quarantine.
_OPEN = """
select distinct record_id from ops.quarantine
where source = %s and stream = %s and resolved_at is null and record_id is not null
"""
# A file that was replaced took its bad rows along, except those that came again.
_RESOLVE = """
update ops.quarantine as held set resolved_at = %(loaded_at)s
where held.source = %(source)s and held.stream = %(stream)s and held.resolved_at is null
    and regexp_replace(held.position, ' line [0-9]+$', '') = any(%(names)s)
    and not exists (
        select from rejects
        where rejects.code = held.code and rejects.raw = held.raw
            and rejects.record_id is not distinct from held.record_id
    )
"""


@dataclass(frozen=True)
class Reject:
    """One row that is no event, where it stood and what it said."""

    record_id: str | None
    position: str
    code: str
    raw: str

    @property
    def reason(self) -> str:
        return REASONS[self.code]


def unreadable(db: duckdb.DuckDBPyConnection, fresh: tuple[Share, ...]) -> list[Reject]:
    """The rows of the fresh files that could not be read as events."""
    found = []
    for share in fresh:
        rows = db.execute(
            "select event_id, file, line, problem, replace(raw, chr(0), chr(65533))"
            f" from read_parquet({literal(str(share.part.events))})"
            " where problem is not null order by file, line"
        ).fetchall()
        found += [
            Reject(event_id, f"{share.part.files[file]} line {line}", code, raw)
            for event_id, file, line, code, raw in rows
        ]
    return found


def contradictions(db: duckdb.DuckDBPyConnection, lake: Contents, drop: Drop) -> list[Reject]:
    """The rows that share an event id and differ, where the format calls that a defect."""
    if lake.duplicates != "reject":
        return []
    files = {share.part.folder.name: share.part.files for share in lake.living}
    # A Parquet file has no lines to show; there the canonical row stands in.
    paths = {each.name: each.path for each in drop.offered if not _is_parquet(each.path)}
    rows = [
        (files[part][file], line, event_id, canonical)
        for part, file, line, event_id, canonical in rollup.contradictions(db)
    ]
    wanted: dict[str, set[int]] = {}
    for name, line, _, _ in rows:
        wanted.setdefault(name, set()).add(line)
    texts = {name: raw_lines(paths[name], lines) for name, lines in wanted.items() if name in paths}
    return [
        Reject(
            event_id,
            f"{name} line {line}",
            "duplicate_id",
            texts.get(name, {}).get(line, canonical),
        )
        for name, line, event_id, canonical in sorted(rows)
    ]


def _is_parquet(path: Path) -> bool:
    with gzip.open(path) if is_gzip(path) else path.open("rb") as source:
        return source.read(4) == b"PAR1"


def keep(
    load: Load,
    db: duckdb.DuckDBPyConnection,
    found: list[Reject],
    fresh: tuple[Share, ...],
    drop: Drop,
) -> None:
    """Write the rejected rows, and resolve what the fresh files brought in good order."""
    for statement in _TABLES:
        load.conn.execute(statement)
    with load.conn.cursor().copy(_COPY) as copy:
        for each in found:
            copy.write_row((each.record_id, each.position, each.code, each.reason, each.raw))
    waiting = [row[0] for row in load.conn.execute(_OPEN, [load.source, load.stream])]
    good = _events_with(db, fresh, waiting)
    with load.conn.cursor().copy("copy incoming from stdin") as copy:
        for record_id in good:
            copy.write_row((record_id,))
    quarantine.keep(load)
    values = {
        "source": load.source,
        "stream": load.stream,
        "loaded_at": load.commit_time(),
        "names": list(drop.replaced()),
    }
    load.conn.execute(_RESOLVE, values)


def _events_with(
    db: duckdb.DuckDBPyConnection, fresh: tuple[Share, ...], ids: list[str]
) -> list[str]:
    if not ids or not fresh:
        return []
    events = " union all ".join(share.relation() for share in fresh)
    rows = db.execute(
        f"select distinct event_id from ({events}) where event_id in (select unnest(?))",
        [ids],
    ).fetchall()
    return [event_id for (event_id,) in rows]
