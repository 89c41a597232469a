"""What a publish stores: no row in which only the day changed, closed rows apart from current."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from retention.errors import PublishError
from retention.publishing import checksum, publish, shape
from retention.publishing.publish import PublishResult
from retention.warehouse import Warehouse
from tests.publishing.small_marts import CUSTOMERS, DAY, build, customers, released, seen

DATED = replace(CUSTOMERS, grain=("as_of_date", "customer_id"), as_of_column="as_of_date")
NEXT = DAY + timedelta(days=1)


def dated(day: date, *names: str) -> str:
    """The rows of a mart that has the day of the build in its second column."""
    return (
        f"select customer_id, date '{day}' as as_of_date, name"
        f" from ({customers(*names)}) as customers"
    )


def published(wh: Warehouse, day: date, *names: str, **more: Any) -> PublishResult:
    number = build(wh, {"dim_customers": dated(day, *names)}, as_of=day)
    return publish.publish(wh, number, actor="test", **{"only": [DATED], **more})


def test_a_later_day_adds_only_the_rows_that_changed(warehouse: Warehouse) -> None:
    first = published(warehouse, DAY, "Ann", "Bob")
    second = published(warehouse, NEXT, "Ann", "Bob")
    assert second.marts["dim_customers"] == {"rows": 2, "added": 0, "closed": 0}
    assert seen(warehouse) == [(1, NEXT, "Ann"), (2, NEXT, "Bob")]
    with warehouse.connect("publisher") as conn:
        built, shown = (
            checksum.of(conn, schema, "dim_customers") for schema in ("marts", "publish")
        )
    assert built == shown
    third = published(warehouse, NEXT + timedelta(days=1), "Ann", "Bea")
    assert third.marts["dim_customers"] == {"rows": 2, "added": 1, "closed": 1}
    publish.rollback(warehouse, second.publish_id, actor="test", hold=False)
    assert seen(warehouse) == [(1, NEXT, "Ann"), (2, NEXT, "Bob")]
    publish.rollback(warehouse, first.publish_id, actor="test", hold=False)
    assert seen(warehouse) == [(1, DAY, "Ann"), (2, DAY, "Bob")]
    # A publish after a rollback shows its own rows again, and the newest partition alone.
    published(warehouse, NEXT, "Cid")
    assert seen(warehouse) == [(1, NEXT, "Cid")]


def test_a_row_of_another_day_is_refused(warehouse: Warehouse) -> None:
    published(warehouse, DAY, "Ann")
    number = build(warehouse, {"dim_customers": dated(DAY, "Bob")}, as_of=NEXT)
    with pytest.raises(PublishError, match="another as_of_date than the build") as caught:
        publish.publish(warehouse, number, actor="test", only=[DATED])
    assert caught.value.code == "not_what_was_audited"
    assert seen(warehouse) == [(1, DAY, "Ann")]


def test_a_column_can_become_the_day_of_the_build_and_a_loss_is_refused(
    warehouse: Warehouse,
) -> None:
    plain = replace(DATED, as_of_column="")
    first = published(warehouse, DAY, "Ann", "Bob", only=[plain])
    second = published(warehouse, NEXT, "Ann", "Bob")
    assert second.marts["dim_customers"]["added"] == 2  # their hashes were over the day too
    publish.rollback(warehouse, first.publish_id, actor="test", hold=False)
    assert seen(warehouse) == [(1, DAY, "Ann"), (2, DAY, "Bob")]
    # Stored again, the column would be null in the publishes before.
    for _ in range(2):
        with pytest.raises(PublishError, match="as_of_date of earlier publishes"):
            published(warehouse, NEXT, "Ann", only=[plain])
    published(warehouse, NEXT, "Ann", only=[plain], allow_drop=True)
    assert seen(warehouse) == [(1, NEXT, "Ann")]


def test_a_column_with_other_days_becomes_the_day_of_the_build_only_if_allowed(
    warehouse: Warehouse,
) -> None:
    number = build(warehouse, {"dim_customers": dated(DAY, "Ann")}, as_of=NEXT)
    plain = replace(DATED, as_of_column="")
    publish.publish(warehouse, number, actor="test", only=[plain])
    with pytest.raises(PublishError, match="as_of_date of earlier publishes"):
        published(warehouse, NEXT, "Ann")
    assert seen(warehouse) == [(1, DAY, "Ann")]
    published(warehouse, NEXT, "Ann", allow_drop=True)
    assert seen(warehouse) == [(1, NEXT, "Ann")]


OLD_LAYOUT = """
create table published.dim_customers (
    customer_id integer, as_of_date date, gone text, name text, from_publish bigint not null,
    to_publish bigint, row_hash bytea not null
);
create unique index on published.dim_customers (as_of_date, customer_id, from_publish)
nulls not distinct;
insert into published.dim_customers values
(1, '2026-03-01', 'x', 'Ann', 1, 2, 'a'), (2, '2026-03-01', 'x', 'Bob', 1, 2, 'b'),
(1, '2026-03-02', 'x', 'Ann', 2, null, 'c'), (2, '2026-03-02', 'x', 'Bea', 2, null, 'd');
create view publish.dim_customers as
select customer_id, as_of_date, name from published.dim_customers
where from_publish <= (select publish_id from published.pointer)
    and (to_publish is null or to_publish > (select publish_id from published.pointer));
insert into ops.publishes (build_id, as_of, known_at, status, published_at, actor, reason)
select min(build_id), '2026-03-01'::date + day, now(), 'published', now(), 'test', ''
from ops.builds cross join generate_series(0, 1) as day group by day order by day;
update published.pointer set publish_id = 2;
"""


def in_old_layout(wh: Warehouse) -> None:
    """Two publishes as version 0.2 stored them: one table, with the day in each row."""
    build(wh, {"dim_customers": dated(DAY, "Ann", "Bob")})
    with wh.connect("publisher") as conn:
        conn.execute(OLD_LAYOUT)
    assert seen(wh) == [(1, NEXT, "Ann"), (2, NEXT, "Bea")]


def test_a_table_of_an_earlier_version_is_converted_with_its_publishes(
    warehouse: Warehouse,
) -> None:
    in_old_layout(warehouse)
    third = NEXT + timedelta(days=1)
    result = published(warehouse, third, "Ann", "Bea", "Cid")
    assert result.marts["dim_customers"] == {"rows": 3, "added": 1, "closed": 0}
    assert seen(warehouse) == [(1, third, "Ann"), (2, third, "Bea"), (3, third, "Cid")]
    publish.rollback(warehouse, 2, actor="test", hold=False)
    assert seen(warehouse) == [(1, NEXT, "Ann"), (2, NEXT, "Bea")]
    publish.rollback(warehouse, 1, actor="test", hold=False)
    assert seen(warehouse) == [(1, DAY, "Ann"), (2, DAY, "Bob")]
    with warehouse.connect("publisher") as conn:
        partitions = conn.execute(
            "select relname, relkind::text from pg_class"
            " where relnamespace = 'published'::regnamespace and relkind in ('r', 'p') order by 1"
        ).fetchall()
        # A column that only earlier publishes have stays.
        gone = conn.execute("select distinct gone from published.dim_customers order by 1")
        assert gone.fetchall() == [("x",), (None,)]
    assert partitions == [
        ("dim_customers", "p"),
        ("dim_customers_closed", "r"),
        ("dim_customers_current", "r"),
        ("pointer", "r"),
    ]


def test_a_conversion_that_a_reader_blocks_leaves_the_old_table(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "PATIENCE", 0.6)
    in_old_layout(warehouse)
    number = build(warehouse, {"dim_customers": dated(NEXT, "Ann")}, as_of=NEXT)
    with warehouse.connect("bi_reader") as conn:
        conn.execute("select from publish.dim_customers").fetchall()
        blocked = threading.Thread(target=_blocked, args=(warehouse, number))
        blocked.start()
        with warehouse.connect("bi_reader") as other:
            other.autocommit = True
            other.execute("set lock_timeout = '500ms'")
            while blocked.is_alive():
                assert other.execute("select count(*) from publish.dim_customers").fetchone() == (
                    2,
                )
        blocked.join()
    publish.publish(warehouse, number, actor="test", only=[DATED])
    assert seen(warehouse) == [(1, NEXT, "Ann")]


def _blocked(wh: Warehouse, number: int) -> None:
    with pytest.raises(PublishError) as caught:
        publish.publish(wh, number, actor="test", only=[DATED])
    assert caught.value.code == "publish_blocked"


def plan_of(wh: Warehouse, query: str) -> dict[str, Any]:
    with wh.connect("bi_reader") as conn:
        (found,) = conn.execute(f"explain (analyze, format json) {query}").fetchone() or ([],)
    plan: dict[str, Any] = found[0]["Plan"]
    return plan


@pytest.mark.parametrize(
    "query",
    [
        "select * from publish.dim_customers",
        "select * from publish.dim_customers where customer_id = 2",
        "select amount from publish.dim_customers join publish.fct_money using (customer_id)",
    ],
)
def test_readers_of_the_newest_publish_read_no_closed_row(warehouse: Warehouse, query: str) -> None:
    first, *_ = [released(warehouse, ("Ann", name)) for name in ("Bob", "Cid", "Dora")]
    assert "_current" in json.dumps(plan_of(warehouse, query))
    assert "_closed" not in json.dumps(plan_of(warehouse, query))
    publish.rollback(warehouse, first.publish_id, actor="test", hold=False)
    assert "dim_customers_closed" in json.dumps(plan_of(warehouse, query))


def test_the_planner_counts_no_row_of_an_earlier_publish(warehouse: Warehouse) -> None:
    def many(amount: int) -> str:
        return f"select c as customer_id, 'n' || c * {amount} as name from generate_series(1,900) c"

    def estimate() -> int:
        return int(plan_of(warehouse, "select * from publish.dim_customers")["Plan Rows"])

    def one(amount: int) -> None:
        number = build(warehouse, {"dim_customers": many(amount)})
        publish.publish(warehouse, number, actor="test", only=[CUSTOMERS])

    one(1)
    at_first = estimate()
    for amount in range(2, 9):
        one(amount)
    assert estimate() == pytest.approx(at_first, abs=20)
