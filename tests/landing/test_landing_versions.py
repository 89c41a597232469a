"""Versions, load log and cursor that a load writes on a real Postgres."""

from __future__ import annotations

from decimal import Decimal

from retention import jsondoc
from retention.source import Record
from retention.warehouse import Warehouse
from tests.loading import cursor, day, living, load, load_log, query, thing, versions, window


def test_a_load_writes_rows_load_log_and_cursor(warehouse: Warehouse) -> None:
    result = load(warehouse, [thing("a", name="Ann"), thing("b", name="Bob")], window(0))
    assert (result.records_seen, result.versions_written, result.rejected) == (2, 2, 0)
    assert load_log(warehouse) == [("done", 2, None)]
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


def test_text_cannot_imitate_a_number(warehouse: Warehouse) -> None:
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
