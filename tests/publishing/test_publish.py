"""Publishing on a real Postgres: only changes are written, and readers see one state."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from retention.publishing import publish
from retention.warehouse import Warehouse
from tests.publishing.small_marts import (
    CONTACTS,
    CUSTOMERS,
    DAY,
    MARTS,
    build,
    names_seen,
    released,
    seen,
    stored,
)


def test_readers_see_the_published_rows_and_their_as_of(warehouse: Warehouse) -> None:
    assert publish.current(warehouse) is None
    with warehouse.connect("loader") as conn:
        conn.execute(
            "insert into ops.cursors values ('crm', 'deals', '2026-03-02Z'),"
            " ('shop', 'things', '2026-03-01 12:00Z')"
        )
    result = released(warehouse, ("Ann", "Bob"))
    assert names_seen(warehouse) == ["Ann", "Bob"]
    assert len(seen(warehouse, "publish.fct_money")) == 6
    assert result.marts["dim_customers"] == {"rows": 2, "added": 2, "closed": 0}
    assert result.stale_sources == ["shop"]
    shown = seen(warehouse, "publish.as_of")
    assert shown == [
        (
            result.publish_id,
            result.build_id,
            DAY,
            result.known_at,
            result.published_at,
            ["shop"],
        )
    ]
    now = publish.current(warehouse)
    assert now is not None
    assert replace(now, seconds=result.seconds) == result


def test_publishing_a_build_twice_is_idempotent(warehouse: Warehouse) -> None:
    first = released(warehouse, ("Ann",))
    again = publish.publish(warehouse, first.build_id, actor="other", only=MARTS)
    assert replace(again, seconds=0.0) == replace(first, seconds=0.0)
    assert len(stored(warehouse)) == 1


def test_a_publish_writes_only_what_changed(warehouse: Warehouse) -> None:
    first = released(warehouse, ("Ann", "Bob", "Cid")).publish_id
    where = "select customer_id, ctid::text from published.dim_customers order by 1"
    with warehouse.connect("publisher") as conn:
        before = conn.execute(where).fetchall()
    result = released(warehouse, ("Ann", "Bob", "Dora"))
    assert result.marts["dim_customers"] == {"rows": 3, "added": 1, "closed": 1}
    assert result.marts["fct_money"] == {"rows": 6, "added": 0, "closed": 0}
    second = result.publish_id
    assert stored(warehouse) == [
        ("Ann", first, None),
        ("Bob", first, None),
        ("Cid", first, second),
        ("Dora", second, None),
    ]
    with warehouse.connect("publisher") as conn:
        after = conn.execute(where).fetchall()
    assert after[:2] == before[:2]
    assert names_seen(warehouse) == ["Ann", "Bob", "Dora"]


def test_a_row_with_a_null_is_compared_like_any_other(warehouse: Warehouse) -> None:
    rows = "select * from (values (1, null::text), (2, 'x')) as rows (customer_id, name)"
    for _ in range(2):
        number = build(warehouse, {"dim_customers": rows})
        result = publish.publish(warehouse, number, actor="test", only=[CUSTOMERS])
    assert result.marts["dim_customers"]["added"] == 0
    assert seen(warehouse) == [(1, None), (2, "x")]


def test_a_mart_with_personal_data_is_hidden_from_bi(warehouse: Warehouse) -> None:
    number = build(
        warehouse, {"dim_contacts": "select 1 as contact_id, 'ann@example.com' as email"}
    )
    publish.publish(warehouse, number, actor="test", only=[CONTACTS])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen(warehouse, "people.dim_contacts")
    with warehouse.connect("cs_reader") as conn:
        assert conn.execute("select * from people.dim_contacts").fetchall() == [
            (1, "ann@example.com")
        ]
