"""Load the 507,147 events of the fight-churn data and compare them with its README."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from retention.usage.formats import SEGMENT_TRACK
from retention.warehouse import Warehouse
from retention.window import Window
from tests.places import SHARED
from tests.usage.usage_product import Product

FIGHTCHURN = SHARED / "fightchurn" / "events"
needs_fightchurn = pytest.mark.skipif(
    not FIGHTCHURN.is_dir(), reason=f"the real events are not at {FIGHTCHURN}"
)


@pytest.fixture(scope="module")
def fightchurn(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """Load the 507,147 events in one load."""
    product = Product(module_warehouse, tmp_path_factory.mktemp("fightchurn"), SEGMENT_TRACK)
    product.load(Window.through(date(2024, 8, 31)), FIGHTCHURN)
    return product


@needs_fightchurn
def test_the_real_events_are_all_there(fightchurn: Product) -> None:
    assert fightchurn.load_log() == [("done", 507_147, 310_893, 0, None)]
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
    assert daily.differences(fightchurn) == 0
    assert sum(row[1] for row in daily.load_log()) == 507_147


@needs_fightchurn
def test_memory_is_bounded_for_large_files() -> None:
    """Reading 100 MB of events keeps only a few blocks in memory."""
    import tracemalloc

    from retention.usage.compressed import EventFile
    from retention.usage.lines import json_batches

    paths = sorted(FIGHTCHURN.glob("*.gz"))
    tracemalloc.start()
    rows = sum(
        batch.num_rows
        for batch in json_batches([EventFile(n, path.name, path) for n, path in enumerate(paths)])
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 507_147
    assert peak < 64_000_000
