"""Raw holds exactly the record versions and events that were there to see at each load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import pytest

from demo.company.world import World
from retention.window import Window
from tests.end_to_end.company import FIRST, RECORDS, Company, after
from tests.end_to_end.truth import (
    held_usage,
    held_versions,
    true_usage,
    visible_versions,
    without_repeats,
)

STREAMS = [(source, stream) for source in RECORDS for stream in source.streams]


def require_exact(
    company: Company, world: World, loads: Iterable[date], *, restated: bool = False
) -> dict[str, int]:
    """Raw against the truth, every stream of every source; how many versions each one holds.

    ``restated`` when Stripe was listed once more, which says again of what it cannot date
    that it is still so.
    """
    days, counts = list(loads), {}
    for source, stream in STREAMS:
        held = held_versions(company.wh, source, stream)
        seen = visible_versions(world, source, stream, days)
        name = f"{source.name}.{stream.name}"
        if restated and source.name == "stripe":
            held, seen = without_repeats(held), without_repeats(seen)
        assert held == seen, name
        counts[name] = sum(len(versions) for versions in held.values())
    usage = held_usage(company.wh)
    assert usage == true_usage(world, max(days))
    counts["posthog.events"] = sum(row[0] for row in usage.values())
    return counts


def changed(before: dict[str, int], now: dict[str, int]) -> set[str]:
    return {name for name in now if now[name] > before[name]}


def written(company: Company, days: Iterable[date]) -> int:
    return sum(result.versions_written for day in days for result in company.load_day(day))


@pytest.fixture
def before(loaded_once: Company, world: World) -> dict[str, int]:
    """What raw holds of each stream after the first load."""
    return require_exact(loaded_once, world, [FIRST])


def test_after_the_first_load_raw_is_the_company_as_it_stands(before: dict[str, int]) -> None:
    assert len(before) == len(STREAMS) + 1
    assert min(before.values()) >= 16
    assert before["posthog.events"] > 50_000


@pytest.mark.slow
def test_two_further_days_add_what_changed_and_loading_them_again_adds_nothing(
    loaded: Company, world: World, before: dict[str, int]
) -> None:
    days = [after(1), after(2)]
    assert written(loaded, days) > 20
    found = require_exact(loaded, world, [FIRST, *days])
    assert {"hubspot.meetings", "stripe.subscriptions", "posthog.events"} <= changed(before, found)
    assert written(loaded, days) == 0
    assert written(loaded, [days[1]]) == 0
    history = Window.through(days[1])
    again = {each.source for each in loaded.load(history, days[1]) if each.versions_written}
    assert again <= {"stripe"}
    assert require_exact(loaded, world, [FIRST, *days], restated=True) == found


@pytest.mark.slow
def test_days_loaded_in_reverse_order_end_in_the_same_history(
    loaded: Company, world: World, before: dict[str, int]
) -> None:
    """At each load the vendors show the world of that day, as replayed exports would."""
    days = [after(5), after(4), after(2)]
    written(loaded, days)
    found = require_exact(loaded, world, [FIRST, *days])
    assert {"hubspot.tickets", "typeform.responses"} <= changed(before, found)
    assert written(loaded, days) == 0


@pytest.mark.slow
def test_a_backfill_of_skipped_days_while_the_vendors_show_today(
    loaded: Company, world: World, before: dict[str, int]
) -> None:
    """What a vendor no longer shows is lost; what raw has stays, and nothing comes twice."""
    written(loaded, [after(2), after(4)])
    found = require_exact(loaded, world, [FIRST, after(2), after(4)])
    assert changed(before, found)
    for day in (after(3), after(1)):
        results = loaded.load(Window.of_day(day), after(4))
        assert sum(result.versions_written for result in results) == 0
    assert require_exact(loaded, world, [FIRST, after(2), after(4)]) == found


@pytest.fixture
def long_ago(empty: Company) -> Iterator[Company]:
    """The company as loaded for the first time half a year before."""
    empty.load_day(after(-180))
    return empty


@pytest.mark.slow
def test_months_with_holidays_of_the_pipeline_lose_nothing_that_was_visible(
    long_ago: Company, world: World
) -> None:
    """Gaps of days and months, longer than Stripe keeps events, and one of them filled later."""
    days = [after(-180), after(-160), after(-158), after(-157), after(-100), after(-99), after(-60)]
    before = require_exact(long_ago, world, days[:1])
    written(long_ago, days[1:])
    found = require_exact(long_ago, world, days, restated=True)
    assert len(changed(before, found)) >= 10
    ended = sum(
        deleted
        for source, stream in STREAMS
        for versions in held_versions(long_ago.wh, source, stream).values()
        for _, deleted in versions
    )
    assert ended > 0
    gap = Window(Window.of_day(after(-156)).start, Window.of_day(after(-120)).end)
    long_ago.load(gap, after(-120))
    require_exact(long_ago, world, [*days, after(-120)], restated=True)
    assert written(long_ago, days[-1:]) == 0
