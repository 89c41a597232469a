"""Drift on a real Postgres: new, missing and retyped paths are recorded."""

from __future__ import annotations

from typing import Any

from retention.source import Record
from retention.warehouse import Warehouse
from tests.loading import load, query, thing, window


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
