"""Rejected rows of event files: from the lake to ops.quarantine, until resolved."""

# ruff: noqa: S608 - every part is a declaration of ours or a quoted literal

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retention.landing import quarantine
from retention.landing.batch import COPY_REJECTS, REJECTS
from retention.landing.load import Load
from retention.usage import rollup
from retention.usage.compressed import is_gzip
from retention.usage.drop_folder import DropFolder
from retention.usage.lines import raw_lines
from retention.usage.parse import REASONS, literal
from retention.usage.rollup import Contents, Share

if TYPE_CHECKING:
    import duckdb

_INCOMING = "create temporary table incoming (record_id text not null) on commit drop"
# The ids of open quarantine rows.
_OPEN = """
select distinct record_id from ops.quarantine
where source = %s and stream = %s and resolved_at is null and record_id is not null
"""
# A replaced file resolves its bad rows, except those that it contains again.
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
    """One rejected row with its position and its text."""

    record_id: str | None
    position: str
    code: str
    raw: str

    @property
    def reason(self) -> str:
        return REASONS[self.code]


def unreadable(db: duckdb.DuckDBPyConnection, fresh: tuple[Share, ...]) -> list[Reject]:
    """Return the rows of the fresh files that are not valid events."""
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


def contradictions(db: duckdb.DuckDBPyConnection, lake: Contents, drop: DropFolder) -> list[Reject]:
    """Return the rows with one event id and different content, if the format rejects them."""
    if lake.duplicates != "reject":
        return []
    files = {share.part.folder.name: share.part.files for share in lake.live}
    # A Parquet file has no lines; quarantine gets the canonical row instead.
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
    drop: DropFolder,
) -> None:
    """Write the rejected rows to quarantine; resolve ids that are valid in the fresh files."""
    for statement in (_INCOMING, REJECTS):
        load.conn.execute(statement)
    with load.conn.cursor().copy(COPY_REJECTS) as copy:
        for each in found:
            copy.write_row((each.record_id, each.position, each.code, each.reason, each.raw, None))
    open_ids = [row[0] for row in load.conn.execute(_OPEN, [load.source, load.stream])]
    good = _events_with(db, fresh, open_ids)
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
