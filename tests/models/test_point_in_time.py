"""What was known when: months restated by what arrived later, and days built again without it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from retention.builds import rebuild
from retention.builds.build import manifest_path
from retention.marts import checksum
from retention.marts.mart import declared
from retention.publishes import storage
from retention.publishes.pointer import move
from retention.warehouse import Warehouse
from retention.window import Window
from tests.loading import query
from tests.models.marts_company import AS_OF, answer, build_day, found_company, invoice, land, marts

pytestmark = pytest.mark.slow
FROZEN = "select count(*), min(as_of_date), max(as_of_date) from marts.fct_customer_health_daily"
SECOND = AS_OF + timedelta(days=1)


def show(wh: Warehouse, day: date) -> int:
    """Publish the newest build without its gate, which asks for more than three customers."""
    assert wh.settings is not None
    wanted = declared(manifest_path(wh.settings))
    with wh.connect("publisher") as conn:
        storage.reshape(conn, storage.plan(conn, wanted))
        row = conn.execute(
            "insert into ops.publishes"
            " (build_id, as_of, known_at, status, published_at, actor, reason)"
            " select build_id, as_of, known_at, 'published', clock_timestamp(), 'test', ''"
            " from ops.builds where as_of = %s order by build_id desc limit 1"
            " returning publish_id, build_id",
            [day],
        ).fetchone()
        assert row is not None
        for mart in wanted:
            storage.write(conn, mart, row[0])
            conn.execute(
                "insert into ops.mart_checksums (build_id, mart, rows, checksum)"
                " values (%s, %s, %s, %s)",
                [row[1], mart.name, *checksum.of(conn, "marts", mart.name)],
            )
        move(conn, row[0], "test", "")
    return int(row[0])


@pytest.fixture(scope="module")
def two_days(module_warehouse: Warehouse) -> tuple[Warehouse, list[int]]:
    """Two published days; a late, a corrected and a deleted bill arrive in between."""
    wh, shown = module_warehouse, []
    found_company(wh)
    build_day(wh, AS_OF)
    shown.append(show(wh, AS_OF))
    window = Window.of_day(SECOND)
    late = invoice("late", "cus_2", "2026-06-01", "2026-07-01", 4000)
    dearer = invoice("k2026-05-01", "cus_1", "2026-05-01", "2026-06-01", 17000)
    never = invoice("s2026-03-01", "cus_3", "2026-03-01", "2026-04-01", 5000, currency="eur")
    land(wh, "stripe", "invoices", late, dearer, {**never, "archived": True}, window=window)
    land(wh, "typeform", "responses", answer("t3", "1", 0, "2026-05-30"), window=window)
    build_day(wh, SECOND)
    shown.append(show(wh, SECOND))
    return wh, shown


def test_each_month_that_a_record_changed_is_restated_by_its_cause_and_nothing_else_is(
    two_days: tuple[Warehouse, list[int]],
) -> None:
    wh, _ = two_days
    found = query(
        wh,
        "select month, customer_id, cause, source_record_ids, mrr_amount_before, restated_amount,"
        " mrr_amount from published.fct_restatements order by month",
        "publisher",
    )
    stray = ("stripe:cus_3", "deletion", ["stripe.invoices/in_s2026-03-01"])
    keen = ("1", "backdated_change", ["stripe.invoices/in_k2026-05-01"])
    gone = ("2", "late_record", ["stripe.invoices/in_late"])
    assert found == [
        (date(2026, 3, 1), *stray, Decimal(50), Decimal(-50), Decimal(0)),
        (date(2026, 5, 1), *keen, Decimal(150), Decimal(20), Decimal(170)),
        (date(2026, 6, 1), *gone, Decimal(0), Decimal(40), Decimal(40)),
    ]


def test_restatements_are_the_difference_between_the_two_published_figures(
    two_days: tuple[Warehouse, list[int]],
) -> None:
    wh, (first, second) = two_days
    total = (
        "select sum(mrr_amount) filter (where from_publish <= %d and"
        " (to_publish is null or to_publish > %d)) from published.fct_mrr_daily"
        " where as_of_date = (date_trunc('month', as_of_date + 1) - interval '1 day')::date"
    )
    before, after = (
        query(wh, total % (shown, shown), "publisher")[0][0] for shown in (first, second)
    )
    restated = "select sum(restated_amount) from published.fct_restatements"
    assert query(wh, restated, "publisher") == [(after - before,)]
    assert after - before == Decimal(10)


def test_every_published_day_comes_out_again_hash_by_hash_and_nothing_else_is_touched(
    two_days: tuple[Warehouse, list[int]],
) -> None:
    wh, shown = two_days
    first, second = (rebuild.published(wh, publish=publish_id) for publish_id in shown)
    before, frozen = marts(wh), query(wh, FROZEN, "transformer")
    builds = query(wh, "select count(*) from ops.builds", "transformer")
    for published in (first, second):
        found = rebuild.check(wh, published)
        rebuild.require_same(found)
        assert len(found) > 50
        assert sum(each.rows for each in found) > 1000
    # What stands there now is the second day: held against the first it says where it differs.
    with pytest.raises(rebuild.RebuildDiffers, match=r"fct_mrr_daily: .* the first is"):
        rebuild.require_same(rebuild.compare(wh, first))
    assert marts(wh) == before
    assert query(wh, FROZEN, "transformer") == frozen
    assert query(wh, "select count(*) from ops.builds", "transformer") == builds
