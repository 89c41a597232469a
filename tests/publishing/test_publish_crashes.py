"""A killed publisher, and one whose commit acknowledgement is lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time

import psycopg
import pytest

from retention.errors import AlreadyRunning, PublishError
from retention.publishing import publish
from retention.warehouse import Warehouse, postgres
from tests.publishing.small_marts import (
    MARTS,
    TABLES,
    build,
    customers,
    money,
    names_seen,
    released,
    stored,
)


def _publish_in_a_process(url: str, number: int) -> None:
    publish.publish(Warehouse.from_url(url), number, actor="test", only=MARTS)


def test_a_publisher_killed_before_its_commit_leaves_the_last_publish(
    warehouse: Warehouse,
) -> None:
    released(warehouse, ("Ann",))
    number = build(warehouse, {"dim_customers": customers("Bob"), "fct_money": money(9)})
    with warehouse.connect("publisher") as guard:
        # Locking the pointer's row stops the publisher at its last step.
        guard.execute("select * from published.pointer for update")
        process = multiprocessing.get_context("fork").Process(
            target=_publish_in_a_process, args=(warehouse.url, number)
        )
        process.start()
        assert process.pid
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        assert warehouse.settings
        with psycopg.connect(postgres.admin_url(warehouse.settings), autocommit=True) as conn:
            deadline = time.monotonic() + 60
            while conn.execute(waiting).fetchone() != (1,):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    assert names_seen(warehouse) == ["Ann"]
    deadline = time.monotonic() + 60
    while True:  # the server notices within a second that the client was killed
        try:
            publish.publish(warehouse, number, actor="test", only=MARTS)
            break
        except AlreadyRunning:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert names_seen(warehouse) == ["Bob"]
    assert len({row[1] for row in stored(warehouse)}) == 2


def test_a_lost_commit_acknowledgement_is_looked_up(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = build(warehouse, TABLES)
    done = publish.publish(warehouse, number, actor="test", only=MARTS)
    lost = psycopg.OperationalError("server closed the connection")
    assert publish._after_lost_commit(warehouse, number, lost).publish_id == done.publish_id
    with pytest.raises(PublishError, match="readers keep the last publish"):
        publish._after_lost_commit(warehouse, number + 1, lost)
