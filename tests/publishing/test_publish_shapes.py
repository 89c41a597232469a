"""Marts whose columns change, on a real Postgres."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from retention.errors import PublishError
from retention.publishing import publish
from retention.publishing.publish import PublishResult
from retention.warehouse import Warehouse
from tests.publishing.small_marts import CUSTOMERS, build, customers, names_seen, released, seen


def shaped(wh: Warehouse, query: str, **more: Any) -> PublishResult:
    number = build(wh, {"dim_customers": query})
    return publish.publish(wh, number, actor="test", only=[CUSTOMERS], **more)


def test_a_new_column_is_last_and_null_in_earlier_publishes(warehouse: Warehouse) -> None:
    first = shaped(warehouse, customers("Ann"))
    shaped(warehouse, "select 1 as customer_id, 'EU' as region, 'Ann' as name")
    assert seen(warehouse) == [(1, "Ann", "EU")]
    publish.rollback(warehouse, first.publish_id, actor="test")
    assert seen(warehouse) == [(1, "Ann", None)]


@pytest.mark.parametrize(
    "query",
    [
        "select 1 as customer_id",
        "select 1 as customer_id, 5 as name",
        "select 1 as customer_id, 'Ann' as full_name",
    ],
)
def test_a_lost_column_is_refused_unless_allowed(warehouse: Warehouse, query: str) -> None:
    shaped(warehouse, customers("Ann"))
    number = build(warehouse, {"dim_customers": query})
    with pytest.raises(PublishError, match=r"dim_customers\.name") as caught:
        publish.publish(warehouse, number, actor="test", only=[CUSTOMERS])
    assert caught.value.code == "publish_shape"
    assert names_seen(warehouse) == ["Ann"]


def test_an_allowed_loss_goes_through_and_back(warehouse: Warehouse) -> None:
    shaped(warehouse, customers("Ann"))
    shaped(warehouse, "select 1 as customer_id, 5 as size", allow_drop=True)
    assert seen(warehouse) == [(1, 5)]
    shaped(warehouse, "select 1 as customer_id, 5::numeric(9, 2) as size", allow_drop=True)
    shaped(warehouse, "select 1 as customer_id, 5::numeric(9, 2) as size, 'Al' as name")
    assert seen(warehouse)[0][2] == "Al"
    with pytest.raises(PublishError, match="cannot be cast"):
        shaped(warehouse, "select 1 as customer_id, 5 as size, 7 as name", allow_drop=True)
    assert seen(warehouse)[0][2] == "Al"


def test_a_mart_that_is_no_longer_published_is_refused_unless_allowed(
    warehouse: Warehouse,
) -> None:
    released(warehouse, ("Ann",))
    number = build(warehouse, {"dim_customers": customers("Bob")})
    with pytest.raises(PublishError, match=r"publish\.fct_money"):
        publish.publish(warehouse, number, actor="test", only=[CUSTOMERS])
    publish.publish(warehouse, number, actor="test", only=[CUSTOMERS], allow_drop=True)
    assert names_seen(warehouse) == ["Bob"]
    with pytest.raises(psycopg.errors.UndefinedTable):
        seen(warehouse, "publish.fct_money")
    assert released(warehouse, ("Ann",)).marts["fct_money"]["added"] == 6


def test_a_mart_may_not_use_reserved_column_names(warehouse: Warehouse) -> None:
    with pytest.raises(PublishError, match="from_publish"):
        shaped(warehouse, "select 1 as customer_id, 2 as from_publish")
    with pytest.raises(PublishError, match="customer_id"):
        shaped(warehouse, "select 1 as id")


@pytest.mark.parametrize("grain", [("customer_id", "region"), ("region",)])
def test_a_mart_can_change_its_grain(warehouse: Warehouse, grain: tuple[str, ...]) -> None:
    """Earlier publishes keep the rows of the old grain; the new ones are unique by the new."""
    first = shaped(
        warehouse, "select * from (values (1, 'EU'), (2, 'EU')) as r (customer_id, region)"
    )
    mart = replace(CUSTOMERS, grain=grain)
    rows = "select * from (values (1, 'EU'), (1, 'US')) as r (customer_id, region)"
    number = build(warehouse, {"dim_customers": rows})
    publish.publish(warehouse, number, actor="test", only=[mart])
    assert seen(warehouse) == [(1, "EU"), (1, "US")]
    publish.rollback(warehouse, first.publish_id, actor="test", hold=False)
    assert seen(warehouse) == [(1, "EU"), (2, "EU")]
    again = build(warehouse, {"dim_customers": rows + " where region = 'US'"})
    publish.publish(warehouse, again, actor="test", only=[mart])
    assert seen(warehouse) == [(1, "US")]


def commented(wh: Warehouse) -> dict[str, str | None]:
    """The comments of the view and its columns as a reader sees them."""
    with wh.connect("bi_reader") as conn:
        rows = conn.execute(
            "select coalesce(attname, ''), description from pg_description"
            " left join pg_attribute on attrelid = objoid and attnum = objsubid"
            " where objoid = 'publish.dim_customers'::regclass and classoid = 'pg_class'::regclass"
            " and (attname is not null or objsubid = 0)"
        ).fetchall()
    return dict(rows)


def test_descriptions_are_comments_that_follow_the_project(warehouse: Warehouse) -> None:
    described = replace(
        CUSTOMERS, description="One row a\ncustomer.", columns={"name": "It's the CRM's name."}
    )
    tables = {"dim_customers": customers("Ann")}
    publish.publish(warehouse, build(warehouse, tables), actor="test", only=[described])
    whole = "One row a customer. Grain: customer_id."
    assert commented(warehouse) == {"": whole, "name": "It's the CRM's name."}
    # A column that comes later, and a new wording; nothing is said of an undescribed column.
    wider = replace(described, columns={"name": "Name.", "region": "Region.", "customer_id": ""})
    tables = {"dim_customers": "select 1 as customer_id, 'EU' as region, 'Ann' as name"}
    publish.publish(warehouse, build(warehouse, tables), actor="test", only=[wider])
    assert commented(warehouse) == {"": whole, "name": "Name.", "region": "Region."}
