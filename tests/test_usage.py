"""Usage events: nothing lost, nothing counted twice, in whatever order and parts they arrive."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.errors import (
    AlreadyRunning,
    ConfigurationError,
    ExtractionError,
    QuarantineRateExceeded,
)
from retention.ledger import LoadResult
from retention.records import ensure_table
from retention.sources.base import Connection, Source
from retention.sources.posthog import SOURCE
from retention.usage.binary import binary_copy
from retention.usage.formats import (
    POSTHOG,
    SEGMENT_TRACK,
    EventFiles,
    EventFormat,
    Lookup,
    epoch_milliseconds,
    epoch_seconds,
    instant,
)
from retention.usage.load import load_usage
from retention.warehouse import Warehouse
from retention.window import Window

SHARED = Path(
    os.environ.get("RETENTION_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")
)
FIGHTCHURN = SHARED / "fightchurn" / "events"
needs_fightchurn = pytest.mark.skipif(
    not FIGHTCHURN.is_dir(), reason=f"the real events are not at {FIGHTCHURN}"
)

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


class Product:
    """One company's drop folder, lake and raw table, each test under a source of its own."""

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
        """The rows that count, as readers take them, without load and time of loading."""
        return self.query(
            """
            select event_date, account_key, user_key, subscription_key, feature, events, units,
                first_at, last_at
            from raw.{name}_usage_daily
            where (event_date, load_id) in (
                select distinct on (event_date) event_date, load_id from ops.usage_days
                where source = '{name}' and stream = 'events'
                order by event_date, loaded_at desc
            )
            order by 1, 2, 3, 4, 5
            """
        )

    def counts(self) -> dict[tuple[str, str], int]:
        """Events by day and account."""
        found: dict[tuple[str, str], int] = {}
        for day, account, *_, events, _units, _first, _last in self.days():
            found[str(day), account] = found.get((str(day), account), 0) + events
        return found

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.query(
            "select position, code, raw from ops.quarantine where source = '{name}'"
            " and resolved_at is null order by quarantine_id"
        )

    def ledger(self) -> list[tuple[Any, ...]]:
        return self.query(
            "select status, records_seen, versions_written, rejected, error_code from ops.loads"
            " where source = '{name}' order by load_id"
        )


@pytest.fixture
def product(module_warehouse: Warehouse, tmp_path: Path) -> Product:
    return Product(module_warehouse, tmp_path)


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
    """Enough good events for a few bad rows among them to be tolerable."""
    return [event(f"good{place}", at) for place in range(number)]


# --- what is counted -------------------------------------------------------------------------


def test_events_become_one_row_per_day_account_user_and_feature(product: Product) -> None:
    product.put(
        "a.ndjson",
        event(1, "2026-06-01T23:59:59.999Z", n=1.5),
        event(2, "2026-06-01T00:00:00Z", n="2.25"),
        event(3, "2026-06-02T00:00:00Z"),
        event(4, "2026-06-02T00:30:00+02:00", who=None),
    )
    result = product.load()
    assert (result.records_seen, result.versions_written, result.rejected) == (4, 3, 0)
    first, second = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
    late = datetime(2026, 6, 1, 23, 59, 59, 999000, tzinfo=UTC)
    early = datetime(2026, 6, 1, 22, 30, tzinfo=UTC)
    assert product.days() == [
        (DAY, "a1", "", "", "login", 1, None, early, early),
        (DAY, "a1", "u1", "", "login", 2, Decimal("3.75"), first, late),
        (DAY + timedelta(days=1), "a1", "u1", "", "login", 1, None, second, second),
    ]


def test_loading_twice_changes_nothing(product: Product) -> None:
    product.put("a.ndjson.gz", *many(20))
    product.load()
    again = product.load()
    assert (again.records_seen, again.versions_written) == (0, 0)
    assert product.query("select count(*) from raw.{name}_usage_daily") == [(1,)]
    assert product.query("select count(*) from ops.usage_days where source = '{name}'") == [(1,)]


def test_an_event_sent_again_counts_once_as_it_was_received_last(product: Product) -> None:
    product.put("a.ndjson", event(1, got="2026-06-01T10:00:01Z", what="old", n=1))
    product.load()
    product.put("b.ndjson", event(1, got="2026-06-04T10:00:01Z", what="new", n=2))
    product.put("c.ndjson", event(1, got="2026-06-03T10:00:01Z", what="middle", n=3))
    product.load()
    assert [(row[4], row[5], row[6]) for row in product.days()] == [("new", 1, Decimal(2))]


def test_an_event_sent_again_for_another_day_leaves_its_old_day(product: Product) -> None:
    product.put("a.ndjson", event(1, "2026-06-01T23:59:59Z"), event(2))
    product.load()
    product.put("b.ndjson", event(1, "2026-06-02T00:00:01Z", got="2026-06-05T00:00:00Z"))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 1, ("2026-06-02", "a1"): 1}


def test_a_day_opened_for_another_reason_does_not_bring_a_moved_event_back(
    product: Product,
) -> None:
    product.put("a.ndjson", event(1, "2026-06-01T23:59:59Z"))
    product.put("b.ndjson", event(1, "2026-06-02T00:00:01Z", got="2026-06-05T00:00:00Z"))
    product.load()
    product.put("c.ndjson", event(2, "2026-06-01T08:00:00Z"))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 1, ("2026-06-02", "a1"): 1}
    assert [row[7].hour for row in product.days()] == [8, 0]


def test_a_day_that_became_empty_is_written_as_empty(product: Product) -> None:
    product.put("a.ndjson", event(1, "2026-06-01T23:59:59Z"))
    product.load()
    product.put("b.ndjson", event(1, "2026-06-02T00:00:01Z", got="2026-06-05T00:00:00Z"))
    product.load()
    assert product.counts() == {("2026-06-02", "a1"): 1}
    assert product.query(
        "select events, rows from ops.usage_days where source = '{name}'"
        " and event_date = '2026-06-01' order by load_id"
    ) == [(1, 1), (0, 0)]


def test_a_late_event_writes_its_day_again_whole_and_no_other_day(product: Product) -> None:
    product.put("a.ndjson", event(1), event(2, "2026-06-02T10:00:00Z"))
    first = product.load()
    product.put("b.ndjson", event(3, "2026-06-01T09:00:00Z", got="2026-06-06T00:00:00Z"))
    second = product.load()
    assert product.query(
        "select event_date::text, load_id, events from ops.usage_days"
        " where source = '{name}' order by 1, 2"
    ) == [
        ("2026-06-01", first.load_id, 1),
        ("2026-06-01", second.load_id, 2),
        ("2026-06-02", first.load_id, 1),
    ]
    # The first writing is still there: what was known then can be read again.
    assert product.query("select count(*) from raw.{name}_usage_daily") == [(3,)]


def test_events_received_at_the_end_of_the_window_or_later_wait(product: Product) -> None:
    product.put(
        "month.ndjson",
        event(1, "2026-06-01T10:00:00Z", got="2026-06-01T23:59:59.999999Z"),
        event(2, "2026-06-01T10:00:00Z", got="2026-06-02T00:00:00Z"),
    )
    assert product.load(Window.of_day(DAY)).records_seen == 1
    assert product.counts() == {("2026-06-01", "a1"): 1}
    assert product.load(Window.of_day(DAY + timedelta(days=1))).records_seen == 1
    assert product.counts() == {("2026-06-01", "a1"): 2}


def test_a_changed_file_replaces_what_it_brought(product: Product) -> None:
    product.put("a.ndjson", event(1), event(2), event(3, "2026-06-03T10:00:00Z"))
    product.put("b.ndjson", event(4))
    product.load()
    product.put("a.ndjson", event(2), event(5, "2026-06-02T10:00:00Z"))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 2, ("2026-06-02", "a1"): 1}
    product.put("a.ndjson", event(1), event(2), event(3, "2026-06-03T10:00:00Z"))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 3, ("2026-06-03", "a1"): 1}


def test_a_file_is_read_again_when_the_format_says_something_else(product: Product) -> None:
    product.put("a.ndjson", event(1, who="u1"), event(2, who="u2"))
    product.load()
    product.form = replace(LINES, user="'everybody'")
    product.load()
    assert [(row[2], row[5]) for row in product.days()] == [("everybody", 2)]


def test_files_that_left_the_folder_still_count(product: Product) -> None:
    product.put("a.ndjson", event(1)).rename(product.drop.parent / "gone")
    (product.drop.parent / "gone").rename(product.drop / "a.ndjson")
    product.load()
    (product.drop / "a.ndjson").unlink()
    product.put("b.ndjson", event(2))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 2}


def test_a_lost_lake_is_read_again_from_the_files_or_refused(product: Product) -> None:
    import shutil

    path = product.put("a.ndjson", event(1))
    product.load()
    shutil.rmtree(product.lake)
    product.put("b.ndjson", event(2))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 2}
    shutil.rmtree(product.lake)
    path.unlink()
    with pytest.raises(ConfigurationError, match="lake_lost"):
        product.load()


# --- what is refused or set aside ------------------------------------------------------------


def test_rows_that_are_no_events_are_kept_with_file_line_reason_and_text(
    product: Product,
) -> None:
    bad = {
        "malformed": ['{"id": "x"', "nonsense", "{} {}"],
        "missing_event_id": [event(0, id=None), event(0, id="  "), {}],
        "missing_account": [event("no-account", acc=None)],
        "missing_feature": [event("no-feature", what="")],
        "bad_timestamp": [
            event(f"time{place}", at, got="2026-06-01T10:00:00Z")
            for place, at in enumerate(
                (
                    "0000-01-01",
                    "2026-02-30T00:00:00Z",
                    "infinity",
                    "12026-01-01T00:00:00Z",
                    "1780000000",
                    "1969-12-31T23:59:59Z",
                    "2100-01-01T00:00:00Z",
                    "",
                    "yesterday",
                )
            )
        ]
        + [event("got", got="never")],
        "bad_number": [
            event(f"number{place}", n=n)
            for place, n in enumerate(("many", "1e400", "NaN", "1,5", "1000000000000"))
        ]
        + [
            '{"id":"inf","acc":"a","what":"w","at":"2026-06-01","got":"2026-06-01","n":Infinity}',
            '{"id":"long","acc":"a","what":"w","at":"2026-06-01","n":0.1234567890123456789}',
        ],
        "duplicate_key": ['{"id":"d1","id":"d2","acc":"a","what":"w","at":"2026-06-01T00:00:00Z"}'],
        "bad_encoding": [b'{"id":"\xff","acc":"a","what":"w","at":"2026-06-01T00:00:00Z"}'],
    }
    rows = [(code, row) for code, group in bad.items() for row in group]
    good = many(1000)
    random.Random(7).shuffle(rows)
    product.put("days.ndjson.gz", *good[:500], *(row for _, row in rows), *good[500:])
    result = product.load()
    assert result.rejected == len(rows)
    assert result.records_seen == len(rows) + 1000
    assert product.counts() == {("2026-06-01", "a1"): 1000}
    found = product.quarantine()
    wanted = [
        (f"days.ndjson.gz line {501 + place}", code, _text(row))
        for place, (code, row) in enumerate(rows)
    ]
    assert found == wanted


def _text(row: dict[str, Any] | str | bytes) -> str:
    if isinstance(row, dict):
        return json.dumps(row)
    return row.decode("utf-8", "replace") if isinstance(row, bytes) else row


def test_a_repeated_key_is_found_wherever_it_stands(product: Product) -> None:
    product.form = replace(LINES, columns={**LINES.columns, "c_acc": "$.in.acc"})
    rows = [{**event(place), "in": {"acc": "a1"}} for place in range(60)]
    nested = '{"id":"x","in":{"acc":"a","acc":"b"},"what":"w","at":"2026-06-01T00:00:00Z"}'
    product.put("a.ndjson", *rows[:50], nested, *rows[50:])
    product.load()
    assert [(place, code) for place, code, _ in product.quarantine()] == [
        ("a.ndjson line 51", "duplicate_key")
    ]
    assert sum(product.counts().values()) == 60


def test_a_row_mended_in_a_later_file_leaves_the_quarantine(product: Product) -> None:
    product.put("a.ndjson", *many(40), event("bad", acc=None), "broken")
    product.load()
    assert [code for _, code, _ in product.quarantine()] == ["missing_account", "malformed"]
    product.put("b.ndjson", event("bad"))
    product.load()
    assert [code for _, code, _ in product.quarantine()] == ["malformed"]
    product.put("a.ndjson", *many(40))
    product.load()
    assert product.quarantine() == []


def test_too_many_bad_rows_load_nothing(product: Product) -> None:
    product.put("a.ndjson", *many(9), "broken", "broken too")
    with pytest.raises(QuarantineRateExceeded, match=r"2 of 11.*a.ndjson line 10"):
        product.load()
    assert product.ledger() == [("failed", 11, 0, 2, "quarantine_rate")]
    assert product.days() == []
    assert product.quarantine() == []
    assert not list(product.lake.rglob("*.parquet"))
    product.extra = {"quarantine_rate": 0.5}
    assert product.load().rejected == 2


@pytest.mark.parametrize("place", ["half", "trailer", "checksum", "flip", "second", "garbage"])
def test_a_damaged_gzip_is_refused_whole(product: Product, place: str) -> None:
    body = "".join(json.dumps(event(each)) + "\n" for each in range(3000)).encode()
    whole = gzip.compress(body)
    damaged = {
        "half": whole[: len(whole) // 2],
        "trailer": whole[:-5],
        "checksum": whole[:-8] + bytes(4) + whole[-4:],
        "flip": whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:],
        "second": gzip.compress(body[:100]) + whole[:-200],
        "garbage": whole + b"<html>not found</html>",
    }[place]
    (product.drop / "a.ndjson.gz").write_bytes(damaged)
    product.put("b.ndjson", event("fine"))
    with pytest.raises(ExtractionError, match=r"truncated_body.*a\.ndjson\.gz"):
        product.load()
    assert [row[4] for row in product.ledger()] == ["truncated_body"]
    assert product.days() == []
    (product.drop / "a.ndjson.gz").write_bytes(whole)
    product.load()
    assert sum(product.counts().values()) == 3001


def test_every_member_of_a_gzip_is_read_and_its_padding_ignored(product: Product) -> None:
    rows = [(json.dumps(event(each)) + "\n").encode() for each in range(100)]
    cut = b"".join(rows)
    body = b"".join(gzip.compress(cut[at : at + 777]) for at in range(0, len(cut), 777))
    (product.drop / "a.ndjson.gz").write_bytes(body + bytes(1000))
    product.load()
    assert sum(product.counts().values()) == 100


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_a_last_line_that_breaks_off_refuses_the_file(product: Product, name: str) -> None:
    body = "".join(json.dumps(event(each)) + "\n" for each in range(100)).encode()[:-20]
    (product.drop / name).write_bytes(gzip.compress(body) if name.endswith("gz") else body)
    with pytest.raises(ExtractionError, match=r"truncated_body.*line 100"):
        product.load()


def test_byte_order_mark_windows_line_ends_and_blank_lines_are_no_flaw(product: Product) -> None:
    body = "\ufeff" + "\r\n".join(["", *(json.dumps(event(n)) for n in range(50)), " ", "broken"])
    (product.drop / "a.ndjson").write_bytes((body + "\r\n\r\n").encode())
    assert product.load().records_seen == 51
    assert product.quarantine() == [("a.ndjson line 53", "malformed", "broken")]


def test_a_line_beyond_any_event_is_refused(product: Product) -> None:
    with gzip.open(product.drop / "bomb.ndjson.gz", "wb") as bomb:
        for _ in range(40):
            bomb.write(b" " * 1_000_000)
    with pytest.raises(ExtractionError, match=r"payload_too_large.*bomb\.ndjson\.gz"):
        product.load()


def test_nul_characters_are_taken_out_and_counted(product: Product) -> None:
    product.put("a.ndjson", event(1, who="u\x001"), event(2, what="log\x00in"), event(3))
    assert product.load().sanitised == 2
    assert [(row[2], row[4], row[5]) for row in product.days()] == [("u1", "login", 3)]


def test_units_are_exact(product: Product) -> None:
    texts = ["0.1", "0.2", '"12345678901.000000000000000001"', "-0", "1e3", "0.30000000000000004"]
    for place, text in enumerate(texts):
        line = json.dumps(event(place, what=f"f{place}"))[:-1] + f', "n": {text}}}'
        with (product.drop / "a.ndjson").open("a") as out:
            out.write(line + "\n")
    product.load()
    units = [Decimal(text.strip('"')) for text in texts]
    assert [row[6] for row in product.days()] == units


# --- formats ---------------------------------------------------------------------------------

CSV = EventFormat(
    name="csv",
    kind="csv",
    columns={
        "id": "Event id",
        "sub": "Subscription",
        "what": "Feature",
        "day": "Day",
        "n": "Count",
    },
    event_id="id",
    account="owner",
    subscription="sub",
    feature="what",
    occurred_at=instant("day", "Europe/Berlin"),
    units="n",
    lookups=(
        Lookup(
            "owner",
            "select * from (values ('s1', 'a1'), ('s2', 'a2'), ('s3', 'x'), ('s3', 'y')) v (key, value)",
            on="sub",
        ),
    ),
)


def test_csv_with_a_look_up_a_zone_and_ragged_rows(
    module_warehouse: Warehouse, tmp_path: Path
) -> None:
    product = Product(module_warehouse, tmp_path, CSV)
    body = (
        "Day,Event id,Subscription,Feature,Count,More\r\n"
        '2026-06-01,1,s1,"search, fast",2,x\r\n'
        '2026-06-02 01:30:00,2,s2,"two\nlines",3.5,x\r\n'
        "2026-06-02T01:30:00Z,3,s2,login,,x\r\n"
        "2026-06-02,4,s3,login,1,x\r\n"
        "2026-06-02,5,s9,login,1,x\r\n"
        "2026-06-02,6,s1,login\r\n"
        "\r\n"
        "2026-06-02,7,s1,login,many,x\r\n"
    )
    (product.drop / "u.csv").write_bytes(body.encode())
    product.extra = {"quarantine_rate": 0.8}
    product.load()
    assert [(str(row[0]), row[1], row[3], row[4], row[6]) for row in product.days()] == [
        ("2026-05-31", "a1", "s1", "search, fast", Decimal(2)),
        ("2026-06-01", "a2", "s2", "two\nlines", Decimal("3.5")),
        ("2026-06-02", "a2", "s2", "login", None),
    ]
    assert [(place, code) for place, code, _ in product.quarantine()] == [
        ("u.csv line 6", "missing_account"),
        ("u.csv line 7", "missing_account"),
        ("u.csv line 8", "malformed"),
        ("u.csv line 10", "bad_number"),
    ]
    assert product.quarantine()[2][2] == "2026-06-02,6,s1,login"


def test_a_csv_without_a_column_names_it(module_warehouse: Warehouse, tmp_path: Path) -> None:
    product = Product(module_warehouse, tmp_path, CSV)
    (product.drop / "u.csv").write_text("Event id,Feature,Day,Count\n1,f,2026-06-01,1\n")
    with pytest.raises(ExtractionError, match=r"missing_column.*u\.csv.*Subscription"):
        product.load()


def test_a_csv_that_ends_inside_a_quote_is_refused(
    module_warehouse: Warehouse, tmp_path: Path
) -> None:
    product = Product(module_warehouse, tmp_path, CSV)
    (product.drop / "u.csv").write_text(
        'Day,Event id,Subscription,Feature,Count\n2026-06-01,1,s1,"log'
    )
    with pytest.raises(ExtractionError, match="truncated_body"):
        product.load()


@pytest.mark.parametrize("packed", [False, True])
def test_parquet_files_plain_or_gzip(
    module_warehouse: Warehouse, tmp_path: Path, packed: bool
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    form = replace(CSV, name="parquet", kind="parquet", account="sub", lookups=())
    product = Product(module_warehouse, tmp_path, form)
    rows = [
        {
            "Event id": n,
            "Subscription": f"s{n % 2}" if n != 7 else None,
            "Feature": "f",
            "Day": datetime(2026, 6, 1, 12, tzinfo=UTC),
            "Count": 1.5,
        }
        for n in range(40)
    ]
    plain = tmp_path / "u.parquet"
    pq.write_table(pa.Table.from_pylist(rows), plain)
    body = plain.read_bytes()
    (product.drop / "u.parquet").write_bytes(gzip.compress(body) if packed else body)
    product.load()
    assert product.counts() == {("2026-06-01", "s0"): 20, ("2026-06-01", "s1"): 19}
    [(place, code, raw)] = product.quarantine()
    assert (place, code, json.loads(raw)["Event id"]) == ("u.parquet line 8", "missing_account", 7)


def test_a_damaged_parquet_file_is_refused(module_warehouse: Warehouse, tmp_path: Path) -> None:
    product = Product(module_warehouse, tmp_path, replace(CSV, kind="parquet", lookups=()))
    (product.drop / "u.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ExtractionError, match=r"truncated_body.*u\.parquet"):
        product.load()


def test_epoch_times_of_the_wrong_unit_are_unreadable(product: Product) -> None:
    moment = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())
    rows = [event(n, str(moment + n), got=None) for n in range(60)]
    product.form = replace(LINES, occurred_at=epoch_seconds("c_at"), received_at=None)
    product.put("a.ndjson", *rows, event("milli", f"{moment}123", got=None))
    product.load()
    assert [code for _, code, _ in product.quarantine()] == ["bad_timestamp"]
    other = Product(product.wh, product.drop.parent)
    other.form = replace(LINES, occurred_at=epoch_milliseconds("c_at"), received_at=None)
    rows = [event(n, f"{moment + n}123", got=None) for n in range(60)]
    other.put("a.ndjson", *rows, event("seconds", str(moment), got=None))
    other.load()
    assert [code for _, code, _ in other.quarantine()] == ["bad_timestamp"]
    assert other.days()[0][7] == datetime.fromtimestamp(moment, UTC) + timedelta(milliseconds=123)


def test_rows_that_share_an_id_and_differ_are_rejected_where_an_id_is_a_promise(
    product: Product,
) -> None:
    product.form = replace(LINES, duplicates="reject")
    twins = [event("twin", n=1), event("twin", n=2)]
    product.put("a.ndjson", *many(60), twins[0], event("same"), event("same"))
    product.load()
    assert sum(product.counts().values()) == 62
    product.put("b.ndjson", *[event(f"more{n}") for n in range(60)], twins[1])
    product.load()
    assert sum(product.counts().values()) == 121
    assert product.quarantine() == [
        ("a.ndjson line 61", "duplicate_id", json.dumps(twins[0])),
        ("b.ndjson line 61", "duplicate_id", json.dumps(twins[1])),
    ]


def test_every_row_counts_where_an_id_is_no_promise(product: Product) -> None:
    product.form = replace(LINES, duplicates="keep")
    product.put("a.ndjson", event(1), event(1), event(1, n=2))
    product.put("b.ndjson", event(1))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 4}


def test_a_posthog_export_is_read_as_its_documentation_says(
    module_warehouse: Warehouse, tmp_path: Path
) -> None:
    product = Product(module_warehouse, tmp_path, POSTHOG)
    rows = [
        {
            "uuid": f"0197-{n}",
            "event": "report_viewed",
            "distinct_id": "c-1",
            "person_id": "p",
            "properties": {"$groups": {"company": "77"}, "$lib": "web"},
            "person_properties": {},
            "elements_chain": "",
            "timestamp": f"2026-06-01T10:00:0{n}.123456+00:00",
            "created_at": "2026-06-01T10:01:00+00:00",
            "_inserted_at": "2026-06-01T10:02:00+00:00",
        }
        for n in range(5)
    ]
    product.put("2026-06-01.jsonl.gz", *rows)
    product.load()
    assert [row[:6] for row in product.days()] == [(DAY, "77", "c-1", "", "report_viewed", 5)]
    [stream] = SOURCE.streams
    files = stream.extra["event_files"](Connection("x", str(product.drop)))
    assert [files.name(path) for path in files.paths] == ["2026-06-01.jsonl.gz"]


def test_a_missing_folder_is_a_clear_error(product: Product) -> None:
    with pytest.raises(ConfigurationError, match="no folder"):
        product.load(drop=product.drop / "elsewhere")


# --- laws ------------------------------------------------------------------------------------

moments = st.integers(0, 2 * 24).map(
    lambda hour: datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hour)
)
some_events = st.lists(
    st.builds(
        lambda number, at, late, who, what, n: event(
            number, at.isoformat(), got=(at + late).isoformat(), who=who, what=what, n=n
        ),
        st.integers(1, 12),
        moments,
        st.sampled_from([timedelta(0), timedelta(hours=5), timedelta(days=1)]),
        st.sampled_from(["u1", "u2"]),
        st.sampled_from(["f", "g"]),
        st.sampled_from([None, 1, 2.5]),
    ),
    min_size=1,
    max_size=14,
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=some_events, split=st.integers(0, 14), days=st.permutations(range(4)))
@pytest.mark.parametrize("duplicates", ["last", "reject"])
def test_day_by_day_file_by_file_or_at_once_ends_in_the_same_days(
    module_warehouse: Warehouse,
    tmp_path: Path,
    duplicates: Any,
    rows: list[dict[str, Any]],
    split: int,
    days: list[int],
) -> None:
    form = replace(LINES, duplicates=duplicates)
    at_once = Product(module_warehouse, tmp_path, form)
    at_once.extra = {"quarantine_rate": 1}
    at_once.put("all.ndjson", *rows)
    at_once.load()

    by_day = Product(module_warehouse, tmp_path, form)
    by_day.extra = {"quarantine_rate": 1}
    by_day.put("all.ndjson", *rows)
    for day in sorted(days):
        by_day.load(Window.of_day(DAY + timedelta(days=day)))
    assert by_day.days() == at_once.days()

    scattered = Product(module_warehouse, tmp_path, form)
    scattered.extra = {"quarantine_rate": 1}
    for place, part in enumerate((rows[:split], rows[split:])):
        if part:
            scattered.put(f"{place}.ndjson", *part)
        scattered.load(Window.of_day(DAY + timedelta(days=days[place])))
    scattered.load()
    assert scattered.days() == at_once.days()


@given(
    st.lists(
        st.tuples(
            st.dates(date(1970, 1, 1), date(2099, 12, 31)),
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
            st.one_of(
                st.none(),
                st.decimals(-(10**11), 10**11, places=18, allow_nan=False, allow_infinity=False),
            ),
            st.integers(-(2**63), 2**63 - 1),
            st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1)).map(
                lambda at: at.replace(tzinfo=UTC)
            ),
        ),
        max_size=30,
    )
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_binary_form_is_what_postgres_reads_back(
    module_warehouse: Warehouse, rows: list[tuple[Any, ...]]
) -> None:
    import pyarrow as pa

    kinds = [
        pa.date32(), pa.string(), pa.decimal128(38, 18), pa.int64(), pa.timestamp("us", "UTC"),
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    batch = pa.RecordBatch.from_arrays(arrays, names=list("abcde"))
    with module_warehouse.connect("loader") as conn:
        conn.execute(
            "create temporary table t (a date, b text, c numeric, d bigint, e timestamptz)"
        )
        with conn.cursor().copy("copy t from stdin (format binary)") as copy:
            for block in binary_copy([batch]):
                copy.write(block)
        found = conn.execute("select * from t").fetchall()
        conn.rollback()
    assert sorted(map(_plain, found)) == sorted(map(_plain, rows))


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    day, text, number, whole, at = row
    return (day, text, number is None, number or Decimal(0), whole, at)


def test_the_rollup_is_sql_that_spark_reads_too() -> None:
    from sqlfluff.core import Linter

    from retention.usage.rollup import SQL

    for dialect in ("sparksql", "duckdb"):
        parsed = Linter(dialect=dialect).parse_string(SQL.read_text())
        assert parsed.tree is not None
        assert not parsed.violations, dialect
        assert "unparsable" not in parsed.tree.type_set(), dialect


# --- the real events -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fightchurn(
    module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """The 507,147 events, loaded at once."""
    product = Product(module_warehouse, tmp_path_factory.mktemp("fightchurn"), SEGMENT_TRACK)
    product.load(Window.through(date(2024, 8, 31)), FIGHTCHURN)
    yield product


@needs_fightchurn
def test_the_real_events_are_all_there(fightchurn: Product) -> None:
    assert fightchurn.ledger() == [("done", 507_147, 310_893, 0, None)]
    assert fightchurn.query(
        "select sum(events), count(distinct user_key), count(distinct account_key),"
        " count(distinct feature) from raw.{name}_usage_daily"
    ) == [(507_147, 2_433, 510, 25)]
    assert fightchurn.quarantine() == []


@needs_fightchurn
def test_the_real_events_lie_on_the_days_they_happened(fightchurn: Product) -> None:
    assert [
        events
        for _, events in fightchurn.query(
            "select date_trunc('month', event_date), sum(events) from raw.{name}_usage_daily"
            " group by 1 order by 1"
        )
    ] == [32_803, 61_417, 71_952, 73_592, 81_083, 87_335, 98_965]
    by_feature = fightchurn.query(
        "select feature, sum(events), sum(units) from raw.{name}_usage_daily"
        " group by 1 order by 2 desc"
    )
    assert by_feature[0][:2] == ("create_opportunity", 69_994)
    assert by_feature[-1][:2] == ("delete_list", 1_781)
    assert ("win_opportunity", 22_486, Decimal("62218207.06")) in by_feature


@needs_fightchurn
def test_late_events_are_known_as_late(fightchurn: Product) -> None:
    import duckdb

    [part] = fightchurn.lake.rglob("events.parquet")
    assert duckdb.execute(
        "select count(*) filter (where received_at - occurred_at > interval 1 minute),"
        " count(*) filter (where received_at - occurred_at > interval 1 day),"
        " count(*) filter (where month(received_at) != month(occurred_at))"
        f" from read_parquet('{part}')"
    ).fetchall() == [(3_622, 506, 31)]


@needs_fightchurn
def test_the_real_events_day_by_day_are_the_same_as_at_once(
    fightchurn: Product, module_warehouse: Warehouse, tmp_path: Path
) -> None:
    daily = Product(module_warehouse, tmp_path, SEGMENT_TRACK)
    daily.load(Window.through(date(2024, 7, 28)), FIGHTCHURN)
    for day in range(6):
        daily.load(Window.of_day(date(2024, 7, 29) + timedelta(days=day)), FIGHTCHURN)
    assert daily.days() == fightchurn.days()
    assert sum(row[1] for row in daily.ledger()) == 507_147


@needs_fightchurn
def test_memory_is_bounded_whatever_the_files_hold() -> None:
    """Reading a hundred megabytes of events keeps only a few blocks of them."""
    import tracemalloc

    from retention.usage.lines import Parcel, json_batches

    paths = sorted(FIGHTCHURN.glob("*.gz"))
    tracemalloc.start()
    rows = sum(
        batch.num_rows
        for batch in json_batches([Parcel(n, path.name, path) for n, path in enumerate(paths)])
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 507_147
    assert peak < 64_000_000


def test_two_loads_of_one_stream_never_run_at_once(product: Product) -> None:
    product.put("a.ndjson", event(1))
    with product.wh.connect("loader") as conn:
        product.wh.lock(conn, f"load {product.name}.events")
        with pytest.raises(AlreadyRunning):
            product.load()
    assert product.load().records_seen == 1
