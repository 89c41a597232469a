"""A small source for the landing tests, and queries of what it loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql
from pydantic import BaseModel, Field

from retention.landing import land as landing
from retention.landing.documents import Prepared
from retention.landing.land import LoadResult
from retention.source import Connection, Record, Rejected, Source, Stream
from retention.warehouse import Warehouse
from retention.window import Window

DAY = datetime(2026, 3, 1, tzinfo=UTC)


class Thing(BaseModel):
    id: str
    score: int | None = Field(default=None, ge=0, le=10)
    born_at: datetime | None = None


def nothing(connection: Connection, stream: Stream, window: Window) -> Iterator[Record | Rejected]:
    yield from ()


THINGS = Stream(name="things", record=Thing, extract=nothing, updated_at="changed_at")
SHOP = Source(
    name="shop",
    conn_id="shop_api",
    schedule="0 3 * * *",
    freshness=timedelta(hours=26),
    streams=(THINGS,),
    owner="tests",
    doc="A shop of things.",
)
LISTED = replace(THINGS, deletes="listing")


def day(number: int) -> datetime:
    return DAY + timedelta(days=number)


def window(first: int, last: int | None = None) -> Window:
    """Return the window of the days ``first`` to ``last``, both included."""
    return Window(day(first), day((first if last is None else last) + 1))


def thing(
    record_id: str = "a",
    changed: float | None = 0,
    *,
    deleted: bool = False,
    position: str = "page 1 row 1",
    **fields: Any,
) -> Record:
    """Build a record changed ``changed`` days after DAY, with these fields in its document."""
    changed_at = None if changed is None else DAY + timedelta(days=changed)
    return Record(record_id, {"id": record_id, **fields}, changed_at, position, deleted)


def load(
    wh: Warehouse,
    rows: Iterable[Record | Rejected],
    over: Window | None = None,
    stream: Stream = THINGS,
) -> LoadResult:
    return landing.land(wh, SHOP, stream, over or Window(None, day(1)), iter(rows))


def is_whole(judged: Prepared | Rejected) -> bool:
    """Return whether a record keeps its contract in every part."""
    return isinstance(judged, Prepared) and not judged.set_aside


def versions(wh: Warehouse) -> list[tuple[Any, ...]]:
    """Return every version in raw, oldest first."""
    return query(wh, "select * from raw.shop_things order by version_id")


def newest(wh: Warehouse) -> dict[str, tuple[dict[str, Any], bool]]:
    """Return document and deletion flag of the newest version of each record."""
    rows = query(
        wh,
        "select distinct on (record_id) record_id, doc, deleted from raw.shop_things"
        " order by record_id, source_updated_at desc nulls last, loaded_at desc, version_id desc",
    )
    return {record_id: (doc, deleted) for record_id, doc, deleted in rows}


def living(wh: Warehouse) -> dict[str, dict[str, Any]]:
    return {record_id: doc for record_id, (doc, deleted) in newest(wh).items() if not deleted}


def load_log(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(wh, "select status, versions_written, error_code from ops.loads order by load_id")


def cursor(wh: Warehouse) -> datetime | None:
    rows = query(wh, "select cursor_at from ops.cursors where stream = 'things'")
    return rows[0][0] if rows else None


def query(wh: Warehouse, text: str, role: str = "loader") -> list[tuple[Any, ...]]:
    with wh.connect(role) as conn:
        return conn.execute(sql.SQL(text)).fetchall()
