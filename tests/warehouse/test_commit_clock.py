"""Locks and the commit clock on a real Postgres."""

from __future__ import annotations

import threading
from datetime import datetime

import psycopg
import pytest

from retention.errors import AlreadyRunning
from retention.warehouse import Warehouse, postgres


def test_a_lock_is_held_until_the_transaction_ends(warehouse: Warehouse) -> None:
    with warehouse.connect("loader") as one, warehouse.connect("transformer") as other:
        warehouse.lock(one, "build")
        warehouse.lock(one, "build")  # the holder may take it again
        with pytest.raises(AlreadyRunning):
            warehouse.lock(other, "build")
        warehouse.lock(other, "something else")
        one.commit()
        warehouse.lock(other, "build")


def test_no_load_commits_before_an_earlier_known_at(warehouse: Warehouse) -> None:
    """Such a load would change the result of every point-in-time rebuild."""
    with warehouse.connect("loader") as loader, warehouse.connect("transformer") as reader:
        from retention.warehouse import tick

        loaded_at = tick(loader)
        answer: list[datetime] = []
        asker = threading.Thread(target=lambda: answer.append(warehouse.known_at(reader)))
        asker.start()
        asker.join(0.3)
        assert asker.is_alive()  # it waits for the load to commit or fail
        loader.commit()
        asker.join(10)
        reader.commit()
    assert answer[0] > loaded_at


def test_the_commit_clock_always_increases(warehouse: Warehouse) -> None:
    assert warehouse.settings
    with psycopg.connect(
        postgres.admin_url(warehouse.settings, warehouse.settings.database)
    ) as admin:
        # As if the machine's clock had been set back by a day since the last commit.
        admin.execute("update ops.commit_clock set ticked_at = now() + interval '1 day'")
    ticks = []
    for _ in range(3):
        with warehouse.connect("transformer") as conn:
            ticks.append(warehouse.known_at(conn))
    assert sorted(set(ticks)) == ticks
