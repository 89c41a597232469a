"""Usage loads: no event counts twice and every day is complete, in any order of arrival."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from retention.errors import AlreadyRunning, ConfigurationError
from retention.warehouse import Warehouse
from retention.window import Window
from tests.usage.usage_product import DAY, LINES, Product, event, many


@pytest.fixture
def product(module_warehouse: Warehouse, tmp_path: Path) -> Product:
    return Product(module_warehouse, tmp_path)


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


def test_reloading_usage_is_idempotent(product: Product) -> None:
    product.put("a.ndjson.gz", *many(20))
    product.load()
    again = product.load()
    assert (again.records_seen, again.versions_written) == (0, 0)
    assert product.query("select count(*) from raw.{name}_usage_daily") == [(1,)]
    assert product.query("select count(*) from ops.usage_days where source = '{name}'") == [(1,)]


def test_a_repeated_event_counts_once_with_its_last_content(product: Product) -> None:
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


def test_a_late_event_rewrites_only_its_own_day(product: Product) -> None:
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
    # The first version remains, so that earlier knowledge can be queried.
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


def test_a_changed_file_replaces_its_earlier_events(product: Product) -> None:
    product.put("a.ndjson", event(1), event(2), event(3, "2026-06-03T10:00:00Z"))
    product.put("b.ndjson", event(4))
    product.load()
    product.put("a.ndjson", event(2), event(5, "2026-06-02T10:00:00Z"))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 2, ("2026-06-02", "a1"): 1}
    product.put("a.ndjson", event(1), event(2), event(3, "2026-06-03T10:00:00Z"))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 3, ("2026-06-03", "a1"): 1}


def test_a_file_is_reloaded_when_its_format_changes(product: Product) -> None:
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


def test_a_lost_lake_is_reloaded_from_the_files_or_is_an_error(product: Product) -> None:
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


def test_a_second_concurrent_load_of_a_stream_is_refused(product: Product) -> None:
    product.put("a.ndjson", event(1))
    with product.wh.connect("loader") as conn:
        product.wh.lock(conn, f"load {product.name}.events")
        with pytest.raises(AlreadyRunning):
            product.load()
    assert product.load().records_seen == 1
