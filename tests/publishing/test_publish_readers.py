"""Publishing on a real Postgres with concurrent readers."""

from __future__ import annotations

import threading

import pytest

from retention.errors import PublishError
from retention.publishing import publish, shape
from retention.warehouse import Warehouse
from tests.publishing.small_marts import MARTS, build, long_query, money, released, seen

# A read that waits longer than this for a lock fails. Wall-clock time would also include the
# load of the machine.
LONGEST_LOCK = "set lock_timeout = '500ms'"


def test_an_open_query_and_a_publish_do_not_wait_for_each_other(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "PATIENCE", 0)  # any wait for a lock is an error
    released(warehouse, ("Ann",))
    with long_query(warehouse) as conn:
        released(warehouse, ("Bob",))
        # The reader's next statement sees the new publish.
        assert conn.execute("select name from publish.dim_customers").fetchall() == [("Bob",)]


def test_altering_a_table_gives_up_rather_than_block_readers(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "PATIENCE", 0.6)
    released(warehouse, ("Ann",))
    wider = "select 1 as customer_id, 'Bob' as name, 3 as size"
    number = build(warehouse, {"dim_customers": wider, "fct_money": money(1)})
    with long_query(warehouse):
        publisher = threading.Thread(target=_refused, args=(warehouse, number))
        publisher.start()
        with warehouse.connect("bi_reader") as conn:
            conn.autocommit = True
            conn.execute(LONGEST_LOCK)
            while publisher.is_alive():
                assert conn.execute("select name from publish.dim_customers").fetchone() == ("Ann",)
        publisher.join()
    publish.publish(warehouse, number, actor="test", only=MARTS)
    assert seen(warehouse) == [(1, "Bob", 3)]


def _refused(wh: Warehouse, number: int) -> None:
    with pytest.raises(PublishError) as caught:
        publish.publish(wh, number, actor="test", only=MARTS)
    assert caught.value.code == "publish_blocked"


def test_no_statement_sees_two_publishes(warehouse: Warehouse) -> None:
    """Each publish writes the same number to both tables; a mixture would show two."""
    stop = threading.Event()
    reads, mixed = 0, 0
    released(warehouse, ("1",), amount=1)

    def flip() -> None:
        number = 1
        while number < 7 or reads <= 50:
            number += 1
            released(warehouse, (str(number),), amount=number)
            publish.rollback(warehouse, actor="test", hold=False)
        stop.set()

    flipper = threading.Thread(target=flip)
    flipper.start()
    with warehouse.connect("bi_reader") as conn:
        conn.autocommit = True
        conn.execute(LONGEST_LOCK)
        while not stop.is_set() and flipper.is_alive():
            rows = conn.execute(
                "select name::int, amount - customer_id from publish.dim_customers"
                " inner join publish.fct_money using (customer_id)"
            ).fetchall()
            reads += 1
            mixed += any(left != right for left, right in rows) or not rows
    flipper.join()
    assert stop.is_set()
    assert (mixed, reads > 50) == (0, True)
