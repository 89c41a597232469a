"""Rolling back and pruning on a real Postgres."""

from __future__ import annotations

import pytest

from retention.errors import UsageError
from retention.publishes import publish
from retention.warehouse import Warehouse
from tests.publishes.small_marts import long_query, names_seen, released, stored


def test_rolling_back_shows_the_earlier_publish_and_rolling_on_the_later(
    warehouse: Warehouse,
) -> None:
    first, second, third = [released(warehouse, (name,)) for name in ("Ann", "Bob", "Cid")]
    back = publish.rollback(warehouse, actor="me", reason="wrong numbers")
    assert back.publish_id == second.publish_id
    assert names_seen(warehouse) == ["Bob"]
    assert publish.rollback(warehouse, actor="me").publish_id == first.publish_id
    with pytest.raises(UsageError, match="no earlier publish"):
        publish.rollback(warehouse, actor="me")
    publish.rollback(warehouse, third.publish_id, actor="me")
    assert names_seen(warehouse) == ["Cid"]
    with warehouse.connect("publisher") as conn:
        moves = conn.execute(
            "select from_publish, to_publish, reason from ops.pointer_moves order by moved_at"
        ).fetchall()
        states = conn.execute("select status from ops.publishes order by publish_id").fetchall()
    assert (third.publish_id, second.publish_id, "wrong numbers") in moves
    assert len(moves) == 6
    # What was taken back stays marked, and a later rollback steps over it.
    assert states == [("published",), ("rolled_back",), ("published",)]
    assert publish.rollback(warehouse, actor="me").publish_id == first.publish_id


def test_a_publish_after_a_rollback_builds_on_what_is_stored(warehouse: Warehouse) -> None:
    released(warehouse, ("Ann",))
    wrong = released(warehouse, ("Ann", "Wrong"))
    publish.rollback(warehouse, actor="me")
    result = released(warehouse, ("Ann", "Right"))
    assert names_seen(warehouse) == ["Ann", "Right"]
    assert result.publish_id > wrong.publish_id
    # The same build that was rolled back may be let out again, as a publish of its own.
    publish.rollback(warehouse, wrong.publish_id, actor="me")
    assert names_seen(warehouse) == ["Ann", "Wrong"]


def test_a_rollback_to_nowhere_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match="no earlier publish"):
        publish.rollback(warehouse, actor="me")
    released(warehouse, ("Ann",))
    with pytest.raises(UsageError, match="does not exist"):
        publish.rollback(warehouse, 99, actor="me")


def test_pruning_keeps_what_the_kept_publishes_show(warehouse: Warehouse) -> None:
    done = [released(warehouse, ("Always", name)) for name in ("A", "B", "C", "D")]
    with long_query(warehouse) as conn:
        assert publish.prune(warehouse, keep=2) == 2
        assert conn.execute("select count(*) from publish.dim_customers").fetchone() == (2,)
    assert [row[0] for row in stored(warehouse)] == ["Always", "C", "D"]
    publish.rollback(warehouse, actor="me")
    assert names_seen(warehouse) == ["Always", "C"]
    with pytest.raises(UsageError, match="pruned"):
        publish.rollback(warehouse, done[0].publish_id, actor="me")
    # The publish in sight stays, however old.
    released(warehouse, ("Always", "E"))
    publish.rollback(warehouse, done[2].publish_id, actor="me")
    publish.prune(warehouse, keep=1)
    assert names_seen(warehouse) == ["Always", "C"]
    with pytest.raises(UsageError):
        publish.prune(warehouse, keep=0)
