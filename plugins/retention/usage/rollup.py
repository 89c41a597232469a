"""Find the days that a load touches and roll up all events of those days."""

# ruff: noqa: S608 - every part is a declaration of ours or a quoted literal

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.usage.formats import Duplicates
from retention.usage.lake import Part
from retention.usage.parse import UNITS, literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SQL = Path(__file__).with_name("rollup.sql")
BATCH_ROWS = 50_000

COLUMNS = {
    "event_id": "varchar",
    "event_date": "date",
    "account_key": "varchar",
    "user_key": "varchar",
    "subscription_key": "varchar",
    "feature": "varchar",
    "occurred_at": "timestamptz",
    "received_at": "timestamptz",
    "units": UNITS,
    "file": "integer",
    "line": "bigint",
}
_NO_EVENTS = (
    "select "
    + ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS.items())
    + ", null::varchar as part where false"
)
# Two rows with one id and equal content are one event; unequal content is a contradiction.
CONTENT = "account_key, user_key, subscription_key, feature, occurred_at, units"


@dataclass(frozen=True)
class Share:
    """Some files of a part, by number: the live ones, or the replaced ones."""

    part: Part
    numbers: frozenset[int]

    def relation(self, days: Iterable[date] | None = None) -> str:
        """Return the query of the events of these files, on all days or the given ones."""
        terms = ["problem is null"]
        if len(self.numbers) < len(self.part.files):
            terms.append(f"file in ({', '.join(map(str, sorted(self.numbers)))})")
        if days is not None:
            dates = ", ".join(f"date '{day}'" for day in sorted(days))
            terms.append(f"event_date in ({dates})")
        source = literal(str(self.part.events))
        return (
            f"select {', '.join(COLUMNS)}, {literal(self.part.folder.name)} as part"
            f" from read_parquet({source}) where {' and '.join(terms)}"
        )


@dataclass(frozen=True)
class Contents:
    """The lake at the time of a load: live, fresh and replaced files.

    Earlier loads counted the events received before ``since``; later loads will count those
    received at ``until`` or later.
    """

    live: tuple[Share, ...]
    fresh: tuple[Share, ...]
    replaced: tuple[Share, ...]
    since: datetime | None
    until: datetime
    duplicates: Duplicates

    @property
    def settled(self) -> tuple[Share, ...]:
        return tuple(share for share in self.live if share not in self.fresh)


def touched_days(db: duckdb.DuckDBPyConnection, lake: Contents) -> tuple[set[date], int]:
    """Return the days that this load may change, and the number of events it adds.

    These are the days of its own events, of the events it replaces, and of earlier events
    with the same ids.
    """
    due = [_changes(share, None, lake.until) for share in lake.fresh]
    undone = []
    if lake.since is not None:
        undone = [_changes(share, None, lake.since) for share in lake.replaced]
        due += [
            _changes(share, lake.since, lake.until)
            for share in lake.settled
            if share.part.newest and share.part.newest >= lake.since
        ]
    if not due + undone:
        return set(), 0
    counts = _days(db, " union all ".join(due)) if due else {}
    days = {*counts, *(_days(db, " union all ".join(undone)) if undone else ())}
    if days and lake.settled and lake.duplicates != "keep":
        changed = " union all ".join(due + undone)
        settled = " union all ".join(_changes(each, None, lake.until) for each in lake.settled)
        days |= _days(
            db,
            f"select * from ({settled}) where event_id in (select event_id from ({changed}))",
        ).keys()
    return days, sum(counts.values())


def open_events(db: duckdb.DuckDBPyConnection, lake: Contents, days: set[date]) -> None:
    """Create the views ``events`` and ``touched_days`` that rollup.sql reads."""
    dates = ", ".join(f"(date '{day}')" for day in sorted(days)) or "(null::date)"
    db.execute(
        "create or replace temp view touched_days as"
        f" select * from (values {dates}) as days (event_date) where event_date is not null"
    )
    inside = _union(lake, days, within=True)
    outside = _union(lake, days, within=False)
    query = inside
    if lake.duplicates == "keep":
        query = f"select * replace (concat_ws(':', part, file, line) as event_id) from ({inside})"
    elif days:
        query += (
            f" union all select * from ({outside})"
            f" where event_id in (select event_id from ({inside}))"
        )
    db.execute(f"create or replace temp view candidates as {query}")
    sound = ""
    if lake.duplicates == "reject":
        db.execute(
            "create or replace temp table contradictions as select event_id from candidates"
            f" group by event_id having count(distinct row({CONTENT})) > 1"
        )
        sound = " where event_id not in (select event_id from contradictions)"
    db.execute(f"create or replace temp view events as select * from candidates{sound}")


def contradictions(db: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return (part, file, line, event_id, canonical row as JSON) of contradicting rows."""
    return db.execute(
        "select part, file, line, event_id,"
        f" cast(to_json(struct_pack({_packed()})) as varchar)"
        " from candidates where event_id in (select event_id from contradictions)"
    ).fetchall()


def rollup(db: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
    """Return the rollup of the touched days as a stream of Arrow batches."""
    return db.sql(SQL.read_text()).to_arrow_reader(BATCH_ROWS)


def _packed() -> str:
    return ", ".join(f"{name} := {name}" for name in ("event_id", *CONTENT.split(", ")))


def _changes(share: Share, since: datetime | None, until: datetime) -> str:
    terms = [f"received_at < timestamptz '{until.isoformat()}'"]
    if since is not None:
        terms.append(f"received_at >= timestamptz '{since.isoformat()}'")
    return f"select event_id, event_date from ({share.relation()}) where {' and '.join(terms)}"


def _union(lake: Contents, days: set[date], *, within: bool) -> str:
    """Return the query of the received events on these days, or on all other days."""
    relations = [_NO_EVENTS]
    for share in lake.live:
        wanted = {day for day in share.part.days if (day in days) == within}
        if wanted:
            relations.append(share.relation(None if wanted == set(share.part.days) else wanted))
    union = " union all ".join(relations)
    return f"select * from ({union}) where received_at < timestamptz '{lake.until.isoformat()}'"


def _days(db: duckdb.DuckDBPyConnection, query: str) -> dict[date, int]:
    """Count the rows of the query per event date."""
    counted = f"select event_date, count(*) from ({query}) group by 1"
    return dict(db.execute(counted).fetchall())


def shares(parts: Sequence[Part], live: dict[str, str]) -> tuple[Share, ...]:
    """Return, for each part, its files that ``live`` (file name -> folder name) names."""
    found = []
    for part in parts:
        numbers = frozenset(
            number for number, name in enumerate(part.files) if live.get(name) == part.folder.name
        )
        if numbers:
            found.append(Share(part, numbers))
    return tuple(found)
