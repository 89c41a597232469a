"""Quarantine on a real Postgres: bad rows are kept complete, and the good ones load."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from retention.errors import QuarantineRateExceeded
from retention.source import Record, Rejected
from retention.warehouse import Warehouse
from tests.landing.landing_inputs import BAD, BAD_VALUES
from tests.loading import (
    THINGS,
    cursor,
    day,
    living,
    load,
    load_log,
    query,
    thing,
    versions,
    window,
)


def good(count: int) -> list[Record]:
    return [thing(f"good{number}", name="fine") for number in range(count)]


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


@pytest.mark.parametrize(("row", "code"), BAD)
def test_a_bad_row_is_quarantined_and_the_good_ones_load(
    warehouse: Warehouse, row: Record | Rejected, code: str
) -> None:
    result = load(warehouse, [*good(3), row])
    assert (result.versions_written, result.rejected) == (3, 1)
    assert query(warehouse, "select code, position, load_id from ops.quarantine") == [
        (code, row.position, result.load_id)
    ]


@pytest.mark.parametrize(("row", "code"), BAD_VALUES)
def test_a_bad_value_is_set_aside_and_its_record_loads(
    warehouse: Warehouse, row: Record, code: str
) -> None:
    path = next(name for name in row.doc if name != "id")
    for _ in range(2):
        result = load(warehouse, [*good(3), row])
        assert (result.rejected, result.set_aside) == (0, 1)
    assert living(warehouse)["x"] == {"id": "x", path: None}
    (held,) = query(warehouse, "select code, record_id, position, path, raw from ops.quarantine")
    assert held == (code, "x", "row", path, "")
    (reason,) = query(warehouse, "select reason from ops.quarantine")[0]
    assert reason.startswith(f"{path}: ")
    assert str(row.doc[path]) not in reason


def test_a_document_nested_too_deeply_is_quarantined(warehouse: Warehouse) -> None:
    doc: dict[str, Any] = {"id": "deep"}
    for _ in range(600):
        doc = {"id": "deep", "inner": [doc]}
    result = load(warehouse, [*good(3), Record("deep", doc, day(0), "row 4")])
    assert (result.versions_written, result.rejected) == (3, 1)
    assert query(warehouse, "select code from ops.quarantine") == [("too_deep",)]


def test_quarantine_keeps_the_row_readable(warehouse: Warehouse) -> None:
    load(warehouse, [*good(1), BAD[-1][0]])
    assert query(warehouse, "select raw from ops.quarantine") == [('a\\b\t"c"\n\ufffd\\ud800',)]


def test_quarantining_the_same_rows_again_is_idempotent(warehouse: Warehouse) -> None:
    twice = [replace(BAD[-1][0], position=f"line {line}") for line in (5, 9)]
    for _ in range(2):
        assert load(warehouse, [*good(60), *twice]).rejected == 2
    assert query(warehouse, "select position from ops.quarantine order by 1") == [
        ("line 5",),
        ("line 9",),
    ]


def test_a_valid_version_resolves_the_quarantine_of_its_record(warehouse: Warehouse) -> None:
    bad = Record("x", {"name": "no id"}, day(0), "row")
    load(warehouse, [*good(1), bad, BAD[-1][0]], stream=LENIENT)
    result = load(warehouse, [thing("x", 1, score=10)], window(1))
    assert query(warehouse, "select record_id, resolved_at from ops.quarantine order by 1") == [
        ("x", result.loaded_at),
        (None, None),
    ]


def test_a_valid_value_resolves_its_own_entry_only(warehouse: Warehouse) -> None:
    load(warehouse, [thing("x", 0, score=11, born_at="never"), thing("y", 0, score=12)])
    result = load(warehouse, [thing("x", 1, score=10, born_at="never")], window(1))
    entries = "select record_id, path, resolved_at from ops.quarantine order by 1, 2"
    assert query(warehouse, entries) == [
        ("x", "born_at", None),
        ("x", "score", result.loaded_at),
        ("y", "score", None),
    ]


def test_any_number_of_bad_values_never_stops_a_load(warehouse: Warehouse) -> None:
    result = load(warehouse, [thing(f"x{n}", score=11) for n in range(30)])
    assert (result.versions_written, result.rejected, result.set_aside) == (30, 0, 30)


LENIENT = replace(THINGS, extra={"quarantine_rate": 0.9})


def test_too_many_bad_rows_commit_nothing(warehouse: Warehouse) -> None:
    load(warehouse, good(3), window(0))
    before = versions(warehouse)
    bad = [Record(f"bad{n}", {"id": None, "name": f"bad{n}"}, day(1), f"row {n}") for n in range(2)]
    with pytest.raises(QuarantineRateExceeded) as caught:
        load(warehouse, [*bad, thing("new", 1)], window(1))
    message = str(caught.value)
    assert all(part in message for part in ("shop/things", "2026-03-02", "2 of 3", "row 0", "id"))
    assert versions(warehouse) == before
    assert query(warehouse, "select count(*) from ops.quarantine") == [(0,)]
    assert cursor(warehouse) == day(1)
    assert load_log(warehouse)[-1] == ("failed", 0, "quarantine_rate")
    # The same rows pass where the stream allows for them.
    assert load(warehouse, [*bad, thing("new", 1)], window(1), LENIENT).rejected == 2


def test_one_bad_row_never_stops_a_load(warehouse: Warehouse) -> None:
    assert load(warehouse, [Record("x", {"name": "no id"}, day(0), "row")]).rejected == 1


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
