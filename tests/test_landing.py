"""Landing on a real Postgres: poison, contradictions, deletions, drift, and every kind of crash."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from retention import jsondoc
from retention.database import postgres
from retention.errors import (
    AlreadyRunning,
    ExtractionError,
    QuarantineRateExceeded,
    RetentionError,
)
from retention.landing import land as landing
from retention.landing import ledger as loads
from retention.settings import Settings
from retention.sources.base import Connection, Record, Rejected, Stream
from retention.warehouse import Warehouse
from retention.window import Window
from tests.loading import (
    LISTED,
    SHOP,
    THINGS,
    cursor,
    day,
    ledger,
    living,
    load,
    newest,
    query,
    thing,
    versions,
    window,
)
from tests.lossy_proxy import lossy_proxy

CONNECTION = Connection("shop_api", "http://127.0.0.1:1")


def good(count: int) -> list[Record]:
    return [thing(f"good{number}", name="fine") for number in range(count)]


# --- what is written ------------------------------------------------------------------------


def test_a_load_leaves_rows_ledger_and_cursor(warehouse: Warehouse) -> None:
    result = load(warehouse, [thing("a", name="Ann"), thing("b", name="Bob")], window(0))
    assert (result.records_seen, result.versions_written, result.rejected) == (2, 2, 0)
    assert ledger(warehouse) == [("done", 2, None)]
    assert cursor(warehouse) == day(1)
    assert {row[6] for row in versions(warehouse)} == {result.load_id}
    assert {row[4] for row in versions(warehouse)} == {result.loaded_at}
    assert living(warehouse)["a"] == {"id": "a", "name": "Ann"}


def test_numbers_keep_every_digit(warehouse: Warehouse) -> None:
    text = b'{"id": "a", "n": 0.1234567890123456789, "m": 1.10, "big": 9223372036854775808}'
    load(warehouse, [Record("a", jsondoc.parse(text), day(0), "line 1")])
    row = query(warehouse, "select doc->>'n', doc->>'m', doc->>'big' from raw.shop_things")[0]
    assert row == ("0.1234567890123456789", "1.10", "9223372036854775808")


def test_the_order_of_keys_is_no_change(warehouse: Warehouse) -> None:
    load(warehouse, [Record("a", {"id": "a", "x": 1, "y": 2}, day(0), "")])
    again = load(warehouse, [Record("a", {"y": 2, "x": 1, "id": "a"}, day(0), "")])
    assert again.versions_written == 0


def test_a_text_cannot_pretend_to_be_a_number(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a", text="\ue0000123456789abcdef:1", n=Decimal("1.5"))])
    assert living(warehouse)["a"]["text"] == "\ue0000123456789abcdef:1"


def test_a_change_without_a_new_change_time_is_still_a_version(warehouse: Warehouse) -> None:
    for name in ("one", "two", "one"):
        load(warehouse, [thing("a", 0, name=name)])
    assert len(versions(warehouse)) == 3
    assert living(warehouse)["a"]["name"] == "one"


def test_an_old_copy_is_kept_but_never_becomes_the_newest(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a", 5, name="new")], window(5))
    result = load(warehouse, [thing("a", 1, name="old")], window(1))
    assert result.versions_written == 1
    assert living(warehouse)["a"]["name"] == "new"
    assert load(warehouse, [thing("a", 1, name="old")], window(1)).versions_written == 0


def test_an_old_copy_without_a_change_time_does_not_undo_a_newer_one(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a", None, name="day 5")], window(5))
    load(warehouse, [thing("a", None, name="day 1"), thing("b", None)], window(1))
    assert living(warehouse)["a"]["name"] == "day 5"
    assert "b" in living(warehouse)


# --- poison ---------------------------------------------------------------------------------


def test_zero_bytes_and_half_surrogates_are_replaced_and_counted(warehouse: Warehouse) -> None:
    record = thing("a", name="nul\0", nested=[{"k\0": "x\ud800"}], plain="\\u0000 is text")
    result = load(warehouse, [record])
    assert result.sanitised == 3
    assert living(warehouse)["a"] == {
        "id": "a",
        "name": "nul\ufffd",
        "nested": [{"k\ufffd": "x\ufffd"}],
        "plain": "\\u0000 is text",
    }
    assert load(warehouse, [record]).versions_written == 0


BAD = [
    (Record("x", jsondoc.parse(b'{"id": "x", "n": NaN}'), day(0), "row"), "not_a_number"),
    (Record("x", jsondoc.parse(b'{"id": "x", "n": -Infinity}'), day(0), "row"), "not_a_number"),
    (Record("x", {"id": "x", "n": float("inf")}, day(0), "row"), "not_a_number"),
    (Record("x", {"id": "x", "n": Decimal("NaN")}, day(0), "row"), "not_a_number"),
    (Record("x", jsondoc.parse(b'{"id": "x", "n": 1e400}'), day(0), "row"), "number_out_of_range"),
    (Record("x", jsondoc.parse(b'{"id": "x", "n": 1, "n": 2}'), day(0), "row"), "duplicate_key"),
    (Record("x", {"id": "x", "k\0": 1, "k\ufffd": 2}, day(0), "row"), "duplicate_key"),
    (Record("", {"id": ""}, day(0), "row"), "missing_key"),
    (Record(" \t", {"id": "x"}, day(0), "row"), "missing_key"),
    (Record("x" * 1001, {"id": "x"}, day(0), "row"), "bad_key"),
    (Record("x", {"id": "x"}, datetime(1969, 12, 31, tzinfo=UTC), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "0000-01-01"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "2024-02-30T00:00:00Z"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "infinity"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "12026-01-01T00:00:00Z"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "1899-12-31T00:00:00Z"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "score": 11}, day(0), "row"), "contract"),
    (Record("x", {"name": "no id"}, day(0), "row"), "contract"),
    (Record("x", {"id": "x", "text": "y" * (17 << 20)}, day(0), "row"), "too_large"),
    (Rejected("bad_row", "7 fields of 8", "a.csv line 3", 'a\\b\t"c"\n\0\ud800'), "bad_row"),
]


@pytest.mark.parametrize(("row", "code"), BAD)
def test_a_bad_row_is_kept_aside_and_the_good_ones_load(
    warehouse: Warehouse, row: Record | Rejected, code: str
) -> None:
    result = load(warehouse, [*good(3), row])
    assert (result.versions_written, result.rejected) == (3, 1)
    assert query(warehouse, "select code, position, load_id from ops.quarantine") == [
        (code, row.position, result.load_id)
    ]


def test_a_document_nested_beyond_reason_is_kept_aside(warehouse: Warehouse) -> None:
    doc: dict[str, Any] = {"id": "deep"}
    for _ in range(600):
        doc = {"id": "deep", "inner": [doc]}
    result = load(warehouse, [*good(3), Record("deep", doc, day(0), "row 4")])
    assert (result.versions_written, result.rejected) == (3, 1)
    assert query(warehouse, "select code from ops.quarantine") == [("too_deep",)]


def test_quarantine_keeps_the_row_readable(warehouse: Warehouse) -> None:
    load(warehouse, [*good(1), BAD[-1][0]])
    assert query(warehouse, "select raw from ops.quarantine") == [('a\\b\t"c"\n\ufffd\\ud800',)]


def test_the_same_bad_rows_are_kept_once_however_often_they_come(warehouse: Warehouse) -> None:
    twice = [replace(BAD[-1][0], position=f"line {line}") for line in (5, 9)]
    for _ in range(2):
        assert load(warehouse, [*good(60), *twice]).rejected == 2
    assert query(warehouse, "select position from ops.quarantine order by 1") == [
        ("line 5",),
        ("line 9",),
    ]


def test_a_record_that_comes_in_good_order_resolves_its_quarantine(warehouse: Warehouse) -> None:
    load(warehouse, [*good(1), thing("x", 0, score=11), BAD[-1][0]], stream=LENIENT)
    result = load(warehouse, [thing("x", 1, score=10)], window(1))
    assert query(warehouse, "select record_id, resolved_at from ops.quarantine order by 1") == [
        ("x", result.loaded_at),
        (None, None),
    ]


LENIENT = replace(THINGS, extra={"quarantine_rate": 0.9})


def test_too_many_bad_rows_commit_nothing(warehouse: Warehouse) -> None:
    load(warehouse, good(3), window(0))
    before = versions(warehouse)
    bad = [thing(f"bad{n}", 1, score=99, position=f"row {n}") for n in range(2)]
    with pytest.raises(QuarantineRateExceeded) as caught:
        load(warehouse, [*bad, thing("new", 1)], window(1))
    told = str(caught.value)
    assert all(part in told for part in ("shop/things", "2026-03-02", "2 of 3", "row 0", "score"))
    assert versions(warehouse) == before
    assert query(warehouse, "select count(*) from ops.quarantine") == [(0,)]
    assert cursor(warehouse) == day(1)
    assert ledger(warehouse)[-1] == ("failed", 0, "quarantine_rate")
    # The same rows pass where the stream allows for them.
    assert load(warehouse, [*bad, thing("new", 1)], window(1), LENIENT).rejected == 2


def test_one_bad_row_never_stops_a_load(warehouse: Warehouse) -> None:
    assert load(warehouse, [thing("x", score=11)]).rejected == 1


def test_contradicting_rows_of_one_batch_keep_the_first(warehouse: Warehouse) -> None:
    rows = [
        thing("a", name="first", position="line 2"),
        thing("a", name="second", position="line 7"),
        thing("a", name="first", position="line 8"),
    ]
    for _ in range(2):
        result = load(warehouse, [*good(40), *rows])
        assert result.rejected == 1
    assert living(warehouse)["a"]["name"] == "first"
    held = query(warehouse, "select code, record_id, position, reason from ops.quarantine")
    assert [row[:3] for row in held] == [("duplicate_id", "a", "line 7")]
    assert "line 2" in held[0][3]


def test_a_record_that_changed_while_its_pages_were_read_keeps_both_versions(
    warehouse: Warehouse,
) -> None:
    result = load(warehouse, [thing("a", 0.1, name="before"), thing("a", 0.2, name="after")])
    assert (result.versions_written, result.rejected) == (2, 0)
    assert living(warehouse)["a"]["name"] == "after"


# --- deletions ------------------------------------------------------------------------------


def test_a_tombstone_ends_a_record_once_and_a_new_version_revives_it(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a", 0)])
    for _ in range(2):
        load(warehouse, [thing("a", None, deleted=True)], window(1))
    assert (living(warehouse), len(versions(warehouse))) == ({}, 2)
    load(warehouse, [thing("a", 2)], window(2))
    assert set(living(warehouse)) == {"a"}


def test_a_tombstone_in_the_same_batch_wins_over_the_record(warehouse: Warehouse) -> None:
    pair = [thing("a", 0), thing("a", 0, deleted=True), thing("b", 0)]
    assert load(warehouse, pair).versions_written == 2
    assert load(warehouse, pair).versions_written == 0
    assert set(living(warehouse)) == {"b"}


@pytest.mark.parametrize("changed", [0, None])
def test_a_complete_listing_ends_what_it_lacks(warehouse: Warehouse, changed: float | None) -> None:
    rows = [thing(name, changed) for name in "abcde"]
    load(warehouse, rows, window(0), LISTED)
    for _ in range(2):
        load(warehouse, rows[1:], window(1), LISTED)
        assert set(living(warehouse)) == set("bcde")
    assert len(versions(warehouse)) == 6
    assert load(warehouse, rows, window(2), LISTED).versions_written == 1
    assert set(living(warehouse)) == set("abcde")


def test_a_listing_that_lost_too_much_deletes_nothing(warehouse: Warehouse) -> None:
    rows = [thing(f"r{number}") for number in range(20)]
    load(warehouse, rows, window(0), LISTED)
    for rest in (rows[:1], []):
        with pytest.raises(ExtractionError, match="lacks") as caught:
            load(warehouse, rest, window(1), LISTED)
        assert caught.value.code == "delete_guard"
    assert len(living(warehouse)) == 20
    assert cursor(warehouse) == day(1)
    allowed = replace(LISTED, extra={"delete_rate": 1})
    load(warehouse, rows[:1], window(1), allowed)
    assert len(living(warehouse)) == 1


def test_an_empty_listing_is_an_outage_however_few_there_were(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0), LISTED)
    with pytest.raises(ExtractionError, match="lacks 1 of 1"):
        load(warehouse, [], window(1), LISTED)


def test_an_increment_without_rows_is_legal(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    assert load(warehouse, [], window(1)).versions_written == 0
    assert cursor(warehouse) == day(2)


def test_a_listing_beside_an_unreadable_id_deletes_nothing(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a"), thing("b")], window(0), LISTED)
    load(warehouse, [thing("b"), BAD[7][0]], window(1), LISTED)
    load(warehouse, [thing("b"), thing("a", score=11)], window(2), LISTED)
    assert set(living(warehouse)) == {"a", "b"}


def test_an_incomplete_read_of_a_listing_deletes_nothing(warehouse: Warehouse) -> None:
    class Increment(Iterator[Record | Rejected]):
        complete = False
        requests = 3

        def __init__(self) -> None:
            self._rows = iter([thing("a", 1)])

        def __next__(self) -> Record | Rejected:
            return next(self._rows)

    load(warehouse, [thing("a"), thing("b")], window(0), LISTED)
    landing.land(warehouse, SHOP, LISTED, window(1), Increment())
    assert set(living(warehouse)) == {"a", "b"}
    assert query(warehouse, "select requests from ops.loads order by load_id") == [(None,), (3,)]


def test_an_old_listing_neither_ends_nor_revives_a_record(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a", 0), thing("c", 5)], window(5), LISTED)
    load(warehouse, [thing("a", 0), thing("b", 1)], window(1), LISTED)
    assert set(living(warehouse)) == {"a", "c"}
    assert newest(warehouse)["b"] == ({"id": "b"}, True)


# --- windows and cursors --------------------------------------------------------------------


def recorded(stream: Stream, rows: list[Record]) -> tuple[Stream, list[Window]]:
    """A stream that gives those rows and remembers the windows it was asked for."""
    asked: list[Window] = []

    def extract(connection: Connection, stream: Stream, over: Window) -> Iterator[Record]:
        asked.append(over)
        yield from rows

    return replace(stream, extract=extract), asked


def test_a_first_load_takes_all_of_history(warehouse: Warehouse) -> None:
    stream, asked = recorded(THINGS, [thing("a")])
    landing.load_stream(warehouse, SHOP, stream, CONNECTION, window(9))
    assert asked == [Window(None, day(10))]
    assert cursor(warehouse) == day(10)


def test_skipped_days_are_loaded_with_the_next(warehouse: Warehouse) -> None:
    stream, asked = recorded(replace(THINGS, overlap=timedelta(hours=1)), [])
    for over in (window(0), window(4), window(2)):
        landing.load_stream(warehouse, SHOP, stream, CONNECTION, over)
    hour = timedelta(hours=1)
    assert asked == [
        Window(None, day(1)),
        Window(day(1) - hour, day(5)),
        Window(day(2) - hour, day(3)),
    ]
    assert cursor(warehouse) == day(5)


def test_a_window_that_leaves_a_gap_moves_no_cursor(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    load(warehouse, [thing("a", 5)], window(5))
    assert cursor(warehouse) == day(1)


def test_a_cursor_the_ledger_cannot_explain_stops_the_load(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    with warehouse.connect("loader") as conn:
        conn.execute("update ops.cursors set cursor_at = '2999-01-01Z'")
    with pytest.raises(ExtractionError) as caught:
        load(warehouse, [thing("b", 1)], window(1))
    assert caught.value.code == "cursor_in_future"
    assert set(living(warehouse)) == {"a"}


def test_a_vendor_that_fails_half_way_leaves_only_a_failed_row(warehouse: Warehouse) -> None:
    def broken() -> Iterator[Record]:
        yield thing("a")
        raise ExtractionError("the page was cut.", code="truncated_body")

    with pytest.raises(ExtractionError) as caught:
        load(warehouse, broken(), window(0))
    assert "shop/things [2026-03-01" in str(caught.value)
    assert ledger(warehouse) == [("failed", 0, "truncated_body")]
    assert cursor(warehouse) is None
    assert query(warehouse, "select to_regclass('raw.shop_things') is null") == [(True,)]


def test_a_stranger_s_error_does_not_put_data_into_the_ledger(warehouse: Warehouse) -> None:
    def broken() -> Iterator[Record]:
        yield thing("a")
        raise KeyError("ann@example.com")

    with pytest.raises(KeyError):
        load(warehouse, broken(), window(0))
    rows = query(warehouse, "select error_code, error from ops.loads")
    assert rows[0][0] == "KeyError"
    assert "ann@" not in rows[0][1]


# --- drift ----------------------------------------------------------------------------------


def drift(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(wh, "select path, kind, detail from ops.drift order by load_id, path")


def shaped(changed: int, count: int = 40, **fields: Any) -> list[Record]:
    return [thing(f"r{number}", changed, **fields) for number in range(count)]


def test_the_first_load_of_a_stream_is_no_drift(warehouse: Warehouse) -> None:
    for _ in range(2):
        load(warehouse, shaped(0, name="x", inner={"deep": [1]}))
    assert drift(warehouse) == []


def test_new_gone_and_changed_paths_are_drift(warehouse: Warehouse) -> None:
    load(warehouse, shaped(0, name="x", amount=5, inner={"kept": 1, "old": 1}), window(0))
    load(
        warehouse,
        shaped(1, name=["x"], amount=5, inner={"kept": 1, "fresh": {"a": 1}}),
        window(1),
    )
    assert [row[:2] for row in drift(warehouse)] == [
        ("inner.fresh", "new"),
        ("inner.old", "gone"),
        ("name", "type"),
        ("name[]", "new"),
    ]
    assert drift(warehouse)[2][2] == "string became array"


def test_one_document_with_a_new_name_among_thousands_is_seen(warehouse: Warehouse) -> None:
    load(warehouse, shaped(0, name="x"), window(0))
    many = shaped(1, 3000, name="x")
    many[2345] = thing("r2345", 1, name="x", inner={"surprise": 1})
    load(warehouse, many, window(1))
    assert [row[:2] for row in drift(warehouse)] == [("inner", "new")]


def test_nulls_and_ids_as_names_are_no_drift(warehouse: Warehouse) -> None:
    load(warehouse, shaped(0, name=None, by_id={"12": 1}), window(0))
    load(warehouse, shaped(1, name="x", by_id={"77": 1, "3f2a9c4e-11": 2}), window(1))
    load(warehouse, shaped(2, name=None, by_id={"9": 1}), window(2))
    assert drift(warehouse) == []


def test_a_field_missing_from_the_only_change_of_the_day_may_be_chance(
    warehouse: Warehouse,
) -> None:
    load(warehouse, shaped(0, name="x"), window(0))
    load(warehouse, [thing("r1", 1)], window(1))
    assert drift(warehouse) == []


# --- two at once, and crashes ---------------------------------------------------------------


def test_a_second_load_of_the_stream_is_turned_away(warehouse: Warehouse) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Record]:
        yield thing("a")
        begun.set()
        assert go_on.wait(20)

    first = threading.Thread(target=load, args=(warehouse, slow()))
    first.start()
    assert begun.wait(20)
    with pytest.raises(AlreadyRunning, match="shop/things"):
        load(warehouse, [thing("a", name="other")])
    go_on.set()
    first.join()
    assert ledger(warehouse) == [("done", 1, None)]
    assert living(warehouse) == {"a": {"id": "a"}}


def _load_in_a_process(url: str, count: int, outcome: Any) -> None:
    rows = [thing(f"r{number}", name="x" * 500) for number in range(count)]
    try:
        outcome.put(load(Warehouse.from_url(url), rows, window(0)).versions_written)
    except RetentionError as error:
        outcome.put(error.code)


def test_two_processes_with_one_window_leave_the_state_of_one_run(warehouse: Warehouse) -> None:
    context = multiprocessing.get_context("fork")
    outcome = context.Queue()
    both = [
        context.Process(target=_load_in_a_process, args=(warehouse.url, 2000, outcome))
        for _ in range(2)
    ]
    for process in both:
        process.start()
    results = {outcome.get(timeout=30) for _ in both}
    for process in both:
        process.join()
    # Either they met, or one came after the other and found nothing to do.
    assert results in ({2000, "already_running"}, {2000, 0})
    assert len(versions(warehouse)) == len(living(warehouse)) == 2000


def test_a_loader_killed_in_the_middle_of_its_copy_leaves_nothing(warehouse: Warehouse) -> None:
    context = multiprocessing.get_context("fork")
    outcome = context.Queue()
    process = context.Process(target=_load_in_a_process, args=(warehouse.url, 30000, outcome))
    process.start()
    assert process.pid
    with psycopg.connect(postgres.admin_url(_settings(warehouse)), autocommit=True) as conn:
        copying = "select count(*) from pg_stat_progress_copy where tuples_processed > 0"
        _until(lambda: conn.execute(copying).fetchone() == (1,))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert outcome.empty()
        assert query(warehouse, "select to_regclass('raw.shop_things') is null") == [(True,)]
        held = "select count(*) from pg_locks where locktype = 'advisory' and granted"
        _until(lambda: conn.execute(held).fetchone() == (0,))
    rows = [thing(f"r{number}", name="x" * 500) for number in range(200)]
    assert load(warehouse, rows, window(0)).versions_written == 200
    assert ledger(warehouse) == [("failed", 0, "abandoned"), ("done", 200, None)]


def test_a_connection_the_server_ended_commits_nothing(warehouse: Warehouse) -> None:
    """What becomes of a run that slept too long while holding its lock."""

    def ended() -> Iterator[Record]:
        yield thing("a")
        with psycopg.connect(postgres.admin_url(_settings(warehouse))) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                " and database = (select oid from pg_database where datname = %s)",
                [conninfo_to_dict(warehouse.url)["dbname"]],
            )

    with pytest.raises(RetentionError) as caught:
        load(warehouse, ended(), window(0))
    assert caught.value.code == "database"
    assert ledger(warehouse) == [("failed", 0, "database")]
    assert load(warehouse, [thing("a")], window(0)).versions_written == 1


def _settings(wh: Warehouse) -> Settings:
    assert wh.settings
    return wh.settings


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_answer_to_the_commit_is_looked_up(
    warehouse: Warehouse, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy cuts the line at COMMIT: after passing it on, or before."""
    monkeypatch.setattr(loads, "PATIENCE", 3.0)
    with lossy_proxy(warehouse.url, passes_commit=committed) as url:
        through = Warehouse.from_url(url)
        if committed:
            assert load(through, [thing("a")], window(0)).versions_written == 1
        else:
            with pytest.raises(RetentionError) as caught:
                load(through, [thing("a")], window(0))
            assert caught.value.code == "database"
    assert [row[0] for row in ledger(warehouse)] == ["done" if committed else "failed"]
    load(warehouse, [thing("a")], window(0))
    assert len(versions(warehouse)) == 1


def _until(holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"


def test_a_load_spools_to_disk_and_memory_stays_flat(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.landing.batch.IN_MEMORY", 1 << 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    load(warehouse, [thing(f"r{number}", name="\\ \t \n é") for number in range(500)])
    assert living(warehouse)["r499"]["name"] == "\\ \t \n é"
    assert list(tmp_path.iterdir()) == []
