"""Marts that change their shape, on a real Postgres."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from retention.errors import PublishError
from retention.publishes import publish
from retention.publishes.publish import PublishResult
from retention.warehouse import Warehouse
from tests.publishes.small_marts import CUSTOMERS, build, customers, names_seen, released, seen


def shaped(wh: Warehouse, query: str, **more: Any) -> PublishResult:
    number = build(wh, {"dim_customers": query})
    return publish.publish(wh, number, actor="test", only=[CUSTOMERS], **more)


def test_a_new_column_comes_last_and_is_null_before(warehouse: Warehouse) -> None:
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
    with pytest.raises(PublishError, match="do not fit"):
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


def test_a_mart_may_not_use_the_names_of_the_stamps(warehouse: Warehouse) -> None:
    with pytest.raises(PublishError, match="from_publish"):
        shaped(warehouse, "select 1 as customer_id, 2 as from_publish")
    with pytest.raises(PublishError, match="customer_id"):
        shaped(warehouse, "select 1 as id")
