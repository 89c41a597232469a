"""Point-in-time: late records restate past months, and rebuilt days do not contain them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from retention.builds import build
from retention.builds.build import manifest_path
from retention.publishing import checksum, rebuild, shape, storage
from retention.publishing.mart import declared, with_rows
from retention.publishing.pointer import move
from retention.warehouse import Warehouse
from retention.window import Window
from tests.dbt_project.marts_company import (
    AS_OF,
    answer,
    build_day,
    invoice,
    land,
    marts,
)
from tests.loading import query

pytestmark = pytest.mark.slow
FROZEN = "select count(*), min(as_of_date), max(as_of_date) from marts.fct_customer_health_daily"
SECOND = AS_OF + timedelta(days=1)


def show(wh: Warehouse, day: date) -> int:
    """Publish the newest build without gate 2, which requires more than three customers."""
    assert wh.settings is not None
    wanted = declared(manifest_path(wh.settings))
    with wh.connect("publisher") as conn:
        shape.reshape(conn, shape.plan(conn, wanted))
        row = conn.execute(
            "insert into ops.publishes"
            " (build_id, as_of, known_at, status, published_at, actor, reason)"
            " select build_id, as_of, known_at, 'published', clock_timestamp(), 'test', ''"
            " from ops.builds where as_of = %s order by build_id desc limit 1"
            " returning publish_id, build_id",
            [day],
        ).fetchone()
        assert row is not None
        for mart in with_rows(wanted):
            storage.write(conn, mart, row[0])
            conn.execute(
                "insert into ops.mart_checksums (build_id, mart, rows, checksum)"
                " values (%s, %s, %s, %s)",
                [row[1], mart.name, *checksum.of(conn, "marts", mart.name)],
            )
        move(conn, row[0], "test", "")
    return int(row[0])


@pytest.fixture(scope="module")
def two_days(built: Warehouse) -> tuple[Warehouse, list[int]]:
    """Two published days; a late, a corrected and a deleted bill arrive in between."""
    wh, shown = built, []
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


def test_only_changed_months_are_restated_with_their_cause(
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
        " (to_publish is null or to_publish > %d)) from published.fct_mrr_spans"
        " join generate_series('2024-01-01', date '2026-06-01', interval '1 month') as month (day)"
        " on daterange(valid_from, valid_to) @> (day + interval '1 month' - interval '1 day')::date"
    )
    before, after = (
        query(wh, total % (shown, shown), "publisher")[0][0] for shown in (first, second)
    )
    restated = "select sum(restated_amount) from published.fct_restatements"
    assert query(wh, restated, "publisher") == [(after - before,)]
    assert after - before == Decimal(10)


def test_rebuilding_published_days_reproduces_their_hashes_and_changes_nothing_else(
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
    # The marts now hold the second day: the comparison with the first must name differences.
    with pytest.raises(rebuild.RebuildDiffers, match=r"fct_mrr_spans: .* first key: "):
        rebuild.require_same(rebuild.compare(wh, first))
    assert marts(wh) == before
    assert query(wh, FROZEN, "transformer") == frozen
    assert query(wh, "select count(*) from ops.builds", "transformer") == builds


def test_a_full_refresh_keeps_the_figures_that_were_published(
    two_days: tuple[Warehouse, list[int]],
) -> None:
    """Else the next build would restate every month from zero."""
    wh, _ = two_days
    versions = "select * from staging.int_mrr_month_versions order by 1, 2, 3, as_of_date"
    restated = (
        "select month, customer_id, currency, cause, mrr_amount_before, restated_amount, mrr_amount"
        " from marts.fct_restatements order by 1, 2, 3, 4"
    )
    before = query(wh, versions, "transformer"), query(wh, restated, "transformer")
    assert all(before)
    build.build(wh, SECOND, full_refresh=True)
    assert (query(wh, versions, "transformer"), query(wh, restated, "transformer")) == before
