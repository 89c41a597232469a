"""A build that did not pass the gate, or changed after it, is not published."""

from __future__ import annotations

from typing import Any

import pytest

from retention.errors import AlreadyRunning, PublishError
from retention.publishing import publish
from retention.warehouse import Warehouse
from tests.publishing.small_marts import MARTS, TABLES, build, names_seen, released


@pytest.mark.parametrize(
    ("made", "code"),
    [
        ({"status": "failed"}, "build_not_done"),
        ({"status": "running"}, "build_not_done"),
        ({"checks": 0}, "gate_not_passed"),
        ({"failed": 1}, "gate_not_passed"),
        ({"audited": False}, "not_what_was_audited"),
    ],
)
def test_a_build_that_did_not_pass_the_gate_is_refused(
    warehouse: Warehouse, made: dict[str, Any], code: str
) -> None:
    released(warehouse, ("Ann",))
    number = build(warehouse, TABLES, **made)
    with pytest.raises(PublishError) as caught:
        publish.publish(warehouse, number, actor="test", only=MARTS)
    assert caught.value.code == code
    assert names_seen(warehouse) == ["Ann"]


def test_an_unknown_build_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(PublishError, match="unknown"):
        publish.publish(warehouse, 99, actor="test", only=MARTS)


def test_a_mart_that_changed_after_the_gate_is_refused(warehouse: Warehouse) -> None:
    released(warehouse, ("Ann",))
    number = build(warehouse, TABLES)
    with warehouse.connect("transformer") as conn:
        conn.execute("update marts.dim_customers set name = 'Mallory'")
    with pytest.raises(PublishError, match="has changed since the gate"):
        publish.publish(warehouse, number, actor="test", only=MARTS)
    assert names_seen(warehouse) == ["Ann"]


def test_the_newest_run_of_the_gate_counts(warehouse: Warehouse) -> None:
    number = build(warehouse, TABLES, failed=1)
    with warehouse.connect("transformer") as conn:
        conn.execute(
            "insert into ops.gate_results (gate_run_id, build_id, gate, suite, expectation,"
            " severity, success) values (%s, %s, 'marts', 's', 'e', 'critical', true)",
            [number + 1, number],
        )
    publish.publish(warehouse, number, actor="test", only=MARTS)
    assert names_seen(warehouse) == ["Eve"]


def test_a_publish_is_refused_during_a_build_or_another_publish(warehouse: Warehouse) -> None:
    number = build(warehouse, TABLES)
    for lock in ("build", "publish"):
        with warehouse.connect("transformer") as conn:
            warehouse.lock(conn, lock)
            with pytest.raises(AlreadyRunning):
                publish.publish(warehouse, number, actor="test", only=MARTS)
