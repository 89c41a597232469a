"""Publishing on a real Postgres, with readers looking on."""

from __future__ import annotations

import threading
import time

import pytest

from retention.errors import PublishError
from retention.publishes import publish, storage
from retention.warehouse import Warehouse
from tests.publishes.small_marts import MARTS, build, long_query, money, released, seen


def test_an_open_query_and_a_publish_do_not_wait_for_each_other(warehouse: Warehouse) -> None:
    released(warehouse, ("Ann",))
    with long_query(warehouse) as conn:
        result = released(warehouse, ("Bob",))
        assert result.seconds < 1
        # The reader's next statement runs too, and sees the new publish.
        assert conn.execute("select name from publish.dim_customers").fetchall() == [("Bob",)]


def test_a_new_shape_gives_up_rather_than_let_readers_queue(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PATIENCE", 0.6)
    released(warehouse, ("Ann",))
    wider = "select 1 as customer_id, 'Bob' as name, 3 as size"
    number = build(warehouse, {"dim_customers": wider, "fct_money": money(1)})
    slowest = 0.0
    with long_query(warehouse):
        publisher = threading.Thread(target=_refused, args=(warehouse, number))
        publisher.start()
        with warehouse.connect("bi_reader") as conn:
            conn.autocommit = True
            while publisher.is_alive():
                begun = time.monotonic()
                assert conn.execute("select name from publish.dim_customers").fetchone() == ("Ann",)
                slowest = max(slowest, time.monotonic() - begun)
        publisher.join()
    assert slowest < 0.25
    publish.publish(warehouse, number, actor="test", only=MARTS)
    assert seen(warehouse) == [(1, "Bob", 3)]


def _refused(wh: Warehouse, number: int) -> None:
    with pytest.raises(PublishError) as caught:
        publish.publish(wh, number, actor="test", only=MARTS)
    assert caught.value.code == "publish_blocked"


def test_no_statement_ever_sees_two_publishes(warehouse: Warehouse) -> None:
    """Each publish puts one number into both tables; a mixture would show two."""
    stop = threading.Event()
    reads, slowest, mixed = 0, 0.0, 0
    released(warehouse, ("1",), amount=1)

    def flip() -> None:
        for number in range(2, 8):
            released(warehouse, (str(number),), amount=number)
            publish.rollback(warehouse, actor="test")
        stop.set()

    flipper = threading.Thread(target=flip)
    flipper.start()
    with warehouse.connect("bi_reader") as conn:
        conn.autocommit = True
        while not stop.is_set() and flipper.is_alive():
            begun = time.monotonic()
            rows = conn.execute(
                "select name::int, amount - customer_id from publish.dim_customers"
                " inner join publish.fct_money using (customer_id)"
            ).fetchall()
            slowest = max(slowest, time.monotonic() - begun)
            reads += 1
            mixed += any(left != right for left, right in rows) or not rows
    flipper.join()
    assert stop.is_set()
    assert (mixed, reads > 50) == (0, True)
    assert slowest < 0.25
