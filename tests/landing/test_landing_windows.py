"""Windows and cursors on a real Postgres: no gap and no skipped day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from retention.errors import ExtractionError
from retention.landing import land as landing
from retention.source import Connection, Record, Stream
from retention.warehouse import Warehouse
from retention.window import Window
from tests.loading import SHOP, THINGS, cursor, day, living, load, load_log, query, thing, window

CONNECTION = Connection("shop_api", "http://127.0.0.1:1")


def recorded(stream: Stream, rows: list[Record]) -> tuple[Stream, list[Window]]:
    """Return a stream that yields those rows, and the list of windows it was called with."""
    requested: list[Window] = []

    def extract(connection: Connection, stream: Stream, over: Window) -> Iterator[Record]:
        requested.append(over)
        yield from rows

    return replace(stream, extract=extract), requested


def test_a_first_load_takes_all_of_history(warehouse: Warehouse) -> None:
    stream, requested = recorded(THINGS, [thing("a")])
    landing.load_stream(warehouse, SHOP, stream, CONNECTION, window(9))
    assert requested == [Window(None, day(10))]
    assert cursor(warehouse) == day(10)


def test_skipped_days_are_loaded_with_the_next(warehouse: Warehouse) -> None:
    stream, requested = recorded(replace(THINGS, overlap=timedelta(hours=1)), [])
    for over in (window(0), window(4), window(2)):
        landing.load_stream(warehouse, SHOP, stream, CONNECTION, over)
    hour = timedelta(hours=1)
    assert requested == [
        Window(None, day(1)),
        Window(day(1) - hour, day(5)),
        Window(day(2) - hour, day(3)),
    ]
    assert cursor(warehouse) == day(5)


def test_a_window_that_leaves_a_gap_moves_no_cursor(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    load(warehouse, [thing("a", 5)], window(5))
    assert cursor(warehouse) == day(1)


def test_a_cursor_beyond_every_load_is_an_error(warehouse: Warehouse) -> None:
    load(warehouse, [thing("a")], window(0))
    with warehouse.connect("loader") as conn:
        conn.execute("update ops.cursors set cursor_at = '2999-01-01Z'")
    with pytest.raises(ExtractionError) as caught:
        load(warehouse, [thing("b", 1)], window(1))
    assert caught.value.code == "cursor_in_future"
    assert set(living(warehouse)) == {"a"}


def test_a_failed_extraction_leaves_only_a_failed_row(warehouse: Warehouse) -> None:
    def broken() -> Iterator[Record]:
        yield thing("a")
        raise ExtractionError("the page was cut.", code="truncated_body")

    with pytest.raises(ExtractionError) as caught:
        load(warehouse, broken(), window(0))
    assert "shop/things [2026-03-01" in str(caught.value)
    assert load_log(warehouse) == [("failed", 0, "truncated_body")]
    assert cursor(warehouse) is None
    assert query(warehouse, "select to_regclass('raw.shop_things') is null") == [(True,)]


def test_the_message_of_an_unknown_error_is_not_logged(warehouse: Warehouse) -> None:
    def broken() -> Iterator[Record]:
        yield thing("a")
        raise KeyError("ann@example.com")

    with pytest.raises(KeyError):
        load(warehouse, broken(), window(0))
    rows = query(warehouse, "select error_code, error from ops.loads")
    assert rows[0][0] == "KeyError"
    assert "ann@" not in rows[0][1]
