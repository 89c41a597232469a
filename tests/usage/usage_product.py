"""A company's drop folder, lake and usage table for the usage tests."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

from retention.landing.load import LoadResult
from retention.landing.records import ensure_table
from retention.source import Connection, Source
from retention.sources.posthog import SOURCE
from retention.usage.formats import EventFiles, EventFormat, instant
from retention.usage.load import load_usage
from retention.warehouse import Warehouse
from retention.window import Window

DAY = date(2026, 6, 1)
ALL = Window.through(date(2026, 12, 31))
LINES = EventFormat(
    name="lines",
    kind="ndjson",
    columns={f"c_{name}": f"$.{name}" for name in ("id", "acc", "who", "what", "at", "got", "n")},
    event_id="c_id",
    account="c_acc",
    user="c_who",
    feature="c_what",
    occurred_at=instant("c_at"),
    received_at=instant("c_got"),
    units="c_n",
)
numbers = count(1)


_COUNTING = """
select event_date, account_key, user_key, subscription_key, feature, events, units,
    first_at, last_at
from raw.{name}_usage_daily
where (event_date, load_id) in (
    select distinct on (event_date) event_date, load_id from ops.usage_days
    where source = '{name}' and stream = 'events'
    order by event_date, loaded_at desc
)
"""


class Product:
    """Drop folder, lake and raw table of one company; each test uses a source of its own."""

    def __init__(self, warehouse: Warehouse, folder: Path, form: EventFormat = LINES) -> None:
        self.wh = warehouse
        self.name = f"p{next(numbers)}"
        self.drop = folder / self.name / "drop"
        self.lake = folder / self.name / "lake"
        self.drop.mkdir(parents=True)
        self.form = form
        self.extra: dict[str, Any] = {}
        with warehouse.connect("loader") as conn:
            ensure_table(conn, self.source(), self.source().streams[0])

    def source(self) -> Source:
        def files(connection: Connection) -> EventFiles:
            return EventFiles.below(self.form, Path(connection.base_url), "**/*.*")

        [events] = SOURCE.streams
        stream = replace(events, extra={"event_files": files, **self.extra})
        return replace(SOURCE, name=self.name, streams=(stream,))

    def load(self, window: Window = ALL, drop: Path | None = None) -> LoadResult:
        source = self.source()
        connection = Connection("drop", str(drop or self.drop))
        return load_usage(self.wh, source, source.streams[0], connection, window, lake=self.lake)

    def put(self, name: str, *rows: dict[str, Any] | str | bytes) -> Path:
        lines = [row if isinstance(row, bytes | str) else json.dumps(row) for row in rows]
        body = b"".join((x if isinstance(x, bytes) else x.encode()) + b"\n" for x in lines)
        path = self.drop / name
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
        return path

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self.wh.connect("loader") as conn:
            return conn.execute(statement.format(name=self.name)).fetchall()  # type: ignore[arg-type]

    def days(self) -> list[tuple[Any, ...]]:
        """Return the current daily rows without load_id and loaded_at."""
        return self.query(_COUNTING + " order by 1, 2, 3, 4, 5")

    def differences(self, other: Product) -> int:
        """Count the current rows that are in only one of the two."""
        mine, theirs = (_COUNTING.format(name=each.name) for each in (self, other))
        [(rows,)] = self.query(
            f"select count(*) from (({mine} except all {theirs})"
            f" union all ({theirs} except all {mine})) as either"
        )
        return int(rows)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return the number of events by day and account."""
        found: dict[tuple[str, str], int] = {}
        for day, account, *_, events, _units, _first, _last in self.days():
            found[str(day), account] = found.get((str(day), account), 0) + events
        return found

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.query(
            "select position, code, raw from ops.quarantine where source = '{name}'"
            " and resolved_at is null order by quarantine_id"
        )

    def load_log(self) -> list[tuple[Any, ...]]:
        return self.query(
            "select status, records_seen, versions_written, rejected, error_code from ops.loads"
            " where source = '{name}' order by load_id"
        )


def event(number: int | str, at: str = "2026-06-01T10:00:00Z", **more: Any) -> dict[str, Any]:
    got = more.pop("got", at)
    return {
        "id": f"e{number}",
        "acc": "a1",
        "who": "u1",
        "what": "login",
        "at": at,
        "got": got,
    } | more


def many(number: int, at: str = "2026-06-01T10:00:00Z") -> list[dict[str, Any]]:
    """Return enough valid events to keep the quarantine rate low."""
    return [event(f"good{place}", at) for place in range(number)]
