"""Rolling back and pruning on a real Postgres."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from retention import steps
from retention.builds.build import manifest_path
from retention.errors import PublishError, UsageError
from retention.publishing import holds, publish, rebuild
from retention.publishing.publish import PublishResult
from retention.warehouse import Warehouse
from tests.command_line import retention
from tests.publishing.small_marts import (
    DAY,
    KNOWN_AT,
    MARTS,
    TABLES,
    build,
    customers,
    long_query,
    money,
    names_seen,
    released,
    stored,
)


def test_rolling_back_and_forward_moves_between_publishes(
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
    # A rolled back publish stays marked, and a later rollback skips it.
    assert states == [("published",), ("rolled_back",), ("published",)]
    assert publish.rollback(warehouse, actor="me").publish_id == first.publish_id


def test_publishing_after_a_rollback_reuses_stored_rows(warehouse: Warehouse) -> None:
    released(warehouse, ("Ann",))
    wrong = released(warehouse, ("Ann", "Wrong"))
    publish.rollback(warehouse, actor="me", hold=False)
    result = released(warehouse, ("Ann", "Right"))
    assert names_seen(warehouse) == ["Ann", "Right"]
    assert result.publish_id > wrong.publish_id
    # A build that was rolled back may be published again, as a new publish.
    publish.rollback(warehouse, wrong.publish_id, actor="me")
    assert names_seen(warehouse) == ["Ann", "Wrong"]


def test_a_rollback_to_a_missing_publish_is_an_error(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match="no earlier publish"):
        publish.rollback(warehouse, actor="me")
    released(warehouse, ("Ann",))
    with pytest.raises(UsageError, match="does not exist"):
        publish.rollback(warehouse, 99, actor="me")


def test_pruning_keeps_the_rows_of_kept_publishes(warehouse: Warehouse) -> None:
    done = [released(warehouse, ("Always", name)) for name in ("A", "B", "C", "D")]
    with long_query(warehouse) as conn:
        assert publish.prune(warehouse, keep=2).rows == 2
        assert conn.execute("select count(*) from publish.dim_customers").fetchone() == (2,)
    assert [row[0] for row in stored(warehouse)] == ["Always", "C", "D"]
    publish.rollback(warehouse, actor="me")
    assert names_seen(warehouse) == ["Always", "C"]
    with pytest.raises(UsageError, match="pruned"):
        publish.rollback(warehouse, done[0].publish_id, actor="me")
    # The current publish is always kept.
    holds.lift(warehouse, actor="me", reason="the names are right")
    released(warehouse, ("Always", "E"))
    publish.rollback(warehouse, done[2].publish_id, actor="me")
    publish.prune(warehouse, keep=1)
    assert names_seen(warehouse) == ["Always", "C"]
    with pytest.raises(UsageError):
        publish.prune(warehouse, keep=0)


def daily(wh: Warehouse, days: int) -> list[PublishResult]:
    """Publish one day after the other; every day one more row is other than the day before."""
    done = []
    for number in range(days):
        tables = {"dim_customers": customers("Always", f"n{number}"), "fct_money": money(1)}
        made = build(wh, tables, as_of=DAY + timedelta(days=number))
        done.append(publish.publish(wh, made, actor="test", only=MARTS))
    return done


def test_publishes_of_the_last_days_are_kept_and_pruning_twice_changes_nothing(
    warehouse: Warehouse,
) -> None:
    done = daily(warehouse, 6)
    pruned = publish.prune(warehouse, days=3)
    assert (pruned.publishes, pruned.rows, pruned.kept) == (3, 3, 3)
    assert str(pruned) == "publishes pruned: 3, with 3 rows; publishes kept: 3, from 2026-03-04"
    again = publish.prune(warehouse, days=3)
    assert str(again) == "nothing to prune; publishes kept: 3, from 2026-03-04"
    publish.rollback(warehouse, done[3].publish_id, actor="me", hold=False)
    assert names_seen(warehouse) == ["Always", "n3"]
    with pytest.raises(UsageError, match=r"publish 3 was pruned: its rows are deleted"):
        publish.rollback(warehouse, done[2].publish_id, actor="me")
    with pytest.raises(UsageError, match=r"publish 3 was pruned: its rows are deleted"):
        rebuild.published(warehouse, publish=done[2].publish_id)
    with pytest.raises(UsageError, match=r"the publish of 2026-03-02 was pruned"):
        rebuild.published(warehouse, day=DAY + timedelta(days=1))
    with pytest.raises(UsageError, match=r"publish 99 does not exist"):
        rebuild.published(warehouse, publish=99)


def test_the_prune_command_prints_one_line(warehouse: Warehouse) -> None:
    daily(warehouse, 3)
    assert warehouse.settings is not None
    environment = {
        "RETENTION_STATE": str(warehouse.settings.state),
        "RETENTION_COMPANY": warehouse.settings.company,
    }
    kept = retention({**environment, "RETENTION_PUBLISH_DAYS": "2"}, "prune", "--days", "9")
    assert kept.out == "nothing to prune; publishes kept: 3, from 2026-03-01\n"
    done = retention({**environment, "RETENTION_PUBLISH_DAYS": "2"}, "prune")
    assert done.out == "publishes pruned: 1, with 1 rows; publishes kept: 2, from 2026-03-02\n"
    wrong = retention({**environment, "RETENTION_PUBLISH_DAYS": "long"}, "prune")
    assert (wrong.code, "RETENTION_PUBLISH_DAYS='long'" in wrong.err) == (3, True)


def test_what_a_rollback_may_want_stays_at_any_age(warehouse: Warehouse) -> None:
    done = daily(warehouse, 5)
    publish.rollback(warehouse, done[3].publish_id, actor="me", hold=False)
    assert publish.prune(warehouse).publishes == 2
    # The current publish, the one before, and the one that was left.
    for result, name in zip(done[2:], ("n2", "n3", "n4"), strict=True):
        publish.rollback(warehouse, result.publish_id, actor="me", hold=False)
        assert names_seen(warehouse) == ["Always", name]


def test_pruning_before_the_first_publish_does_nothing(warehouse: Warehouse) -> None:
    assert str(publish.prune(warehouse)) == "nothing to prune; publishes kept: 0"


def test_rows_between_two_kept_publishes_are_pruned(warehouse: Warehouse) -> None:
    done = daily(warehouse, 4)
    publish.rollback(warehouse, done[1].publish_id, actor="me", hold=False)
    tables = {"dim_customers": customers("Always", "last"), "fct_money": money(1)}
    number = build(warehouse, tables, as_of=DAY + timedelta(days=9))
    publish.publish(warehouse, number, actor="test", only=MARTS)
    # The two newest that were not rolled back are kept; publishes 3 and 4 lie between them.
    assert publish.prune(warehouse).publishes == 3
    assert [row[0] for row in stored(warehouse)] == ["Always", "n1", "last"]
    publish.rollback(warehouse, done[1].publish_id, actor="me", hold=False)
    assert names_seen(warehouse) == ["Always", "n1"]


def node(name: str, meta: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "resource_type": "model", "config": {"meta": meta}}


def test_each_publish_prunes_by_the_setting(warehouse: Warehouse) -> None:
    assert warehouse.settings is not None
    short = replace(warehouse, settings=replace(warehouse.settings, publish_days=2))
    daily(short, 3)
    assert short.settings is not None
    path = manifest_path(short.settings)
    path.parent.mkdir(parents=True)
    metas = {mart.name: {"publish": "publish", "grain": mart.grain} for mart in MARTS}
    path.write_text(json.dumps({"nodes": {name: node(name, meta) for name, meta in metas.items()}}))
    number = build(short, TABLES, as_of=DAY + timedelta(days=3))
    steps.publish(short, number, actor="test")
    with short.connect("publisher") as conn:
        states = conn.execute("select status from ops.publishes order by publish_id").fetchall()
    assert states == [("pruned",), ("pruned",), ("published",), ("published",)]


def loaded(wh: Warehouse, at: datetime, versions: int) -> None:
    with wh.connect("loader") as conn:
        conn.execute(
            "insert into ops.loads (source, stream, window_end, status, loaded_at,"
            " versions_written) values ('hubspot', 'companies', '2026-03-02', 'done', %s, %s)",
            [at, versions],
        )


def held_since(wh: Warehouse) -> datetime | None:
    with wh.connect("bi_reader") as conn:
        row = conn.execute("select held_since from publish.hold").fetchone()
    return row[0] if row else None


def test_a_rollback_holds_until_new_records_were_loaded(warehouse: Warehouse) -> None:
    loaded(warehouse, KNOWN_AT - timedelta(hours=1), versions=5)
    released(warehouse, ("Ann",))
    wrong = released(warehouse, ("Ann", "Wrong"))
    publish.rollback(warehouse, actor="me", reason="wrong names")
    assert held_since(warehouse) is not None
    # The run of the next morning finds nothing to build, and a build by hand is not published.
    loaded(warehouse, KNOWN_AT + timedelta(hours=1), versions=0)
    assert steps.day_to_build(warehouse) is None
    later = KNOWN_AT + timedelta(hours=3)
    same = build(warehouse, TABLES, known_at=later)
    with pytest.raises(PublishError, match=rf"publish {wrong.publish_id} was rolled back by me"):
        publish.publish(warehouse, same, actor="test", only=MARTS)
    assert names_seen(warehouse) == ["Ann"]
    loaded(warehouse, KNOWN_AT + timedelta(hours=2), versions=1)
    assert steps.day_to_build(warehouse) is not None
    # A build from before those records stays refused.
    early = build(warehouse, TABLES, known_at=KNOWN_AT + timedelta(hours=1))
    with pytest.raises(PublishError, match="no record was loaded since"):
        publish.publish(warehouse, early, actor="test", only=MARTS)
    publish.publish(warehouse, build(warehouse, TABLES, known_at=later), actor="t", only=MARTS)
    assert names_seen(warehouse) == ["Eve"]
    assert held_since(warehouse) is None


def test_a_person_lifts_a_hold_once(warehouse: Warehouse) -> None:
    released(warehouse, ("Ann",))
    released(warehouse, ("Bob",))
    publish.rollback(warehouse, actor="me", reason="wrong names")
    assert holds.lift(warehouse, actor="me", reason="they were right").reason == "wrong names"
    with pytest.raises(UsageError, match="no publish is held back"):
        holds.lift(warehouse, actor="me", reason="again")
    released(warehouse, ("Cid",))
    assert names_seen(warehouse) == ["Cid"]


def test_going_back_twice_rejects_both_and_going_forward_lifts(warehouse: Warehouse) -> None:
    released(warehouse, ("Ann",))
    released(warehouse, ("Bob",))
    third = released(warehouse, ("Cid",))
    publish.rollback(warehouse, actor="me")
    publish.rollback(warehouse, actor="me")
    with warehouse.connect("publisher") as conn:
        held = holds.active(conn)
    assert held is not None
    assert held.rejected_known_at == KNOWN_AT
    publish.rollback(warehouse, third.publish_id, actor="me")
    assert held_since(warehouse) is None
