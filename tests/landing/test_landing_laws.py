"""Property tests of landing: any records, in any windows, in any order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.landing import land as landing
from retention.source import Record, Stream
from retention.warehouse import Warehouse
from retention.window import Window
from tests.loading import DAY, SHOP, THINGS, day, query, window

DAYS = 4
# Each example uses a stream of its own and so does not see the rows of another.
_numbers = count(1)

# A history: for each record at most one state per quarter of a day; None is a tombstone.
contents = st.one_of(st.none(), st.sampled_from(["", "x", "y", "nul\0", "é"]))
histories = st.dictionaries(
    st.sampled_from("abc"),
    st.dictionaries(st.integers(0, DAYS * 4 - 1), contents, min_size=1, max_size=5),
    min_size=1,
)
law = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
History = dict[str, dict[int, str | None]]


def records(history: History, first: int = 0, last: int = DAYS) -> list[Record]:
    """Return the states of the days ``[first, last)`` as records of a source."""
    return [
        Record(
            record_id=name,
            doc={"id": name} if text is None else {"id": name, "text": text},
            updated_at=DAY + timedelta(hours=6 * quarter),
            position=f"{name} {quarter}",
            deleted=text is None,
        )
        for name, states in history.items()
        for quarter, text in states.items()
        if first * 4 <= quarter < last * 4
    ]


def stream() -> Stream:
    return replace(THINGS, name=f"things{next(_numbers)}")


def land(wh: Warehouse, into: Stream, rows: Iterable[Record], over: Window) -> None:
    landing.land(wh, SHOP, into, over, iter(rows))


def raw(wh: Warehouse, of: Stream) -> list[tuple[Any, ...]]:
    """Return every version in the order of writing."""
    return query(wh, f"select * from raw.shop_{of.name} order by version_id")


def versions(wh: Warehouse, of: Stream) -> set[tuple[Any, ...]]:
    """Return the versions without load_id and loaded_at."""
    columns = "record_id, source_updated_at, content_hash, deleted, doc::text"
    rows = query(wh, f"select {columns} from raw.shop_{of.name}")
    assert len(rows) == len(set(rows))
    return set(rows)


def newest(wh: Warehouse, of: Stream) -> dict[str, str | None]:
    rows = query(
        wh,
        "select distinct on (record_id) record_id, doc ->> 'text', deleted"
        f" from raw.shop_{of.name} order by record_id,"
        " source_updated_at desc nulls last, loaded_at desc, version_id desc",
    )
    return {name: None if deleted else text for name, text, deleted in rows}


def truth(history: History) -> dict[str, str | None]:
    last = {name: states[max(states)] for name, states in history.items()}
    return {name: text and text.replace("\0", "\ufffd") for name, text in last.items()}


@law
@given(history=histories, repeats=st.integers(2, 3))
def test_loading_twice_equals_loading_once(
    module_warehouse: Warehouse, history: History, repeats: int
) -> None:
    things = stream()
    land(module_warehouse, things, records(history), window(0, DAYS - 1))
    once = raw(module_warehouse, things)
    for _ in range(repeats - 1):
        land(module_warehouse, things, records(history), window(0, DAYS - 1))
    assert raw(module_warehouse, things) == once
    assert newest(module_warehouse, things) == truth(history)


@law
@given(history=histories, cut=st.integers(1, DAYS - 1))
def test_splitting_a_window_equals_loading_it_whole(
    module_warehouse: Warehouse, history: History, cut: int
) -> None:
    whole, split = stream(), stream()
    land(module_warehouse, whole, records(history), window(0, DAYS - 1))
    land(module_warehouse, split, records(history, 0, cut), window(0, cut - 1))
    land(module_warehouse, split, records(history, cut), window(cut, DAYS - 1))
    assert versions(module_warehouse, split) == versions(module_warehouse, whole)
    assert _cursor(module_warehouse, split) == _cursor(module_warehouse, whole) == day(DAYS)


@law
@given(history=histories, order=st.permutations(range(DAYS)), overlap=st.integers(0, 2))
def test_the_order_of_loads_never_changes_what_is_newest(
    module_warehouse: Warehouse, history: History, order: list[int], overlap: int
) -> None:
    whole, shuffled = stream(), stream()
    land(module_warehouse, whole, records(history), window(0, DAYS - 1))
    for number in order:
        first = max(0, number - overlap)
        rows = records(history, first, number + 1)
        land(module_warehouse, shuffled, rows, window(first, number))
    assert newest(module_warehouse, shuffled) == truth(history)
    assert versions(module_warehouse, shuffled) == versions(module_warehouse, whole)


@law
@given(history=histories, order=st.permutations(range(DAYS)))
def test_written_versions_never_change(
    module_warehouse: Warehouse, history: History, order: list[int]
) -> None:
    things = stream()
    before: list[tuple[Any, ...]] = []
    for number in order:
        land(module_warehouse, things, records(history, 0, number + 1), window(0, number))
        after = raw(module_warehouse, things)
        assert after[: len(before)] == before
        assert [row[4] for row in after] == sorted(row[4] for row in after)
        before = after


@law
@given(history=histories, pages=st.data())
def test_pages_that_overlap_or_swap_change_nothing(
    module_warehouse: Warehouse, history: History, pages: st.DataObject
) -> None:
    plain, paged = stream(), stream()
    rows = records(history)
    again = pages.draw(st.lists(st.sampled_from(rows), max_size=4))
    mixed = pages.draw(st.permutations([*rows, *again]))
    land(module_warehouse, plain, rows, window(0, DAYS - 1))
    land(module_warehouse, paged, mixed, window(0, DAYS - 1))
    assert versions(module_warehouse, paged) == versions(module_warehouse, plain)


def _cursor(wh: Warehouse, of: Stream) -> Any:
    return query(wh, f"select cursor_at from ops.cursors where stream = '{of.name}'")[0][0]
