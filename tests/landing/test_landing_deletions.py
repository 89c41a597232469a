"""Deletions by tombstone and by complete listing on a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from retention.errors import ExtractionError
from retention.landing import land as landing
from retention.source import Record, Rejected
from retention.warehouse import Warehouse
from tests.landing.landing_inputs import BAD
from tests.loading import (
    LISTED,
    SHOP,
    cursor,
    day,
    living,
    load,
    newest,
    query,
    thing,
    versions,
    window,
)


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
def test_a_complete_listing_deletes_missing_records(
    warehouse: Warehouse, changed: float | None
) -> None:
    rows = [thing(name, changed) for name in "abcde"]
    load(warehouse, rows, window(0), LISTED)
    for _ in range(2):
        load(warehouse, rows[1:], window(1), LISTED)
        assert set(living(warehouse)) == set("bcde")
    assert len(versions(warehouse)) == 6
    assert load(warehouse, rows, window(2), LISTED).versions_written == 1
    assert set(living(warehouse)) == set("abcde")


def test_a_listing_that_lacks_too_many_records_deletes_nothing(warehouse: Warehouse) -> None:
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


def test_an_empty_listing_is_an_outage_even_for_one_record(warehouse: Warehouse) -> None:
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
