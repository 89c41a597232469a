"""Publish, roll back and prune on a real Postgres, with readers looking on."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from retention.database import postgres
from retention.errors import AlreadyRunning, ConfigurationError, PublishError, UsageError
from retention.publishes import checksum, mart, publish, storage
from retention.publishes.mart import Mart
from retention.publishes.publish import PublishResult
from retention.warehouse import Warehouse

CUSTOMERS = Mart("dim_customers", "publish", ("customer_id",))
MONEY = Mart("fct_money", "publish", ("customer_id", "month"))
CONTACTS = Mart("dim_contacts", "people", ("contact_id",))
MARTS = (CUSTOMERS, MONEY)
DAY = date(2026, 3, 1)


def build(
    wh: Warehouse,
    tables: dict[str, str],
    *,
    as_of: date = DAY,
    status: str = "done",
    failed: int = 0,
    checks: int = 2,
    audited: bool = True,
) -> int:
    """What dbt and the gate leave behind: tables from their SELECTs, ledger rows, checksums."""
    with wh.connect("transformer") as conn:
        for name, query in tables.items():
            table = sql.Identifier("marts", name)
            conn.execute(sql.SQL("drop table if exists {} cascade").format(table))
            conn.execute(sql.SQL("create table {} as {}").format(table, sql.SQL(query)))
        row = conn.execute(
            "insert into ops.builds (as_of, known_at, status) values (%s, %s, %s)"
            " returning build_id",
            [as_of, datetime(2026, 3, 2, tzinfo=UTC), status],
        ).fetchone()
        assert row
        for number in range(checks):
            conn.execute(
                "insert into ops.gate_results (gate_run_id, build_id, gate, suite, expectation,"
                " severity, success) values (%s, %s, 'marts', 's', 'e', 'critical', %s)",
                [row[0], row[0], number >= failed],
            )
        for name in tables if audited else ():
            conn.execute(
                "insert into ops.mart_checksums (build_id, mart, rows, checksum)"
                " values (%s, %s, %s, %s)",
                [row[0], name, *checksum.of(conn, "marts", name)],
            )
    return int(row[0])


def customers(*names: str) -> str:
    rows = ", ".join(f"({number}, '{name}')" for number, name in enumerate(names, 1))
    return f"select * from (values {rows}) as rows (customer_id, name)"


def money(amount: int, months: int = 3) -> str:
    return (
        f"select c as customer_id, m as month, {amount} + c as amount"
        f" from generate_series(1, 2) as c, generate_series(1, {months}) as m"
    )


def released(wh: Warehouse, names: tuple[str, ...], amount: int = 1, **more: Any) -> PublishResult:
    number = build(wh, {"dim_customers": customers(*names), "fct_money": money(amount)})
    return publish.publish(wh, number, actor="test", only=MARTS, **more)


def seen(wh: Warehouse, table: str = "publish.dim_customers") -> list[tuple[Any, ...]]:
    with wh.connect("bi_reader") as conn:
        return conn.execute(sql.SQL(f"select * from {table} order by 1, 2")).fetchall()


def names_seen(wh: Warehouse) -> list[str]:
    return [row[1] for row in seen(wh)]


def stored(wh: Warehouse, table: str = "dim_customers") -> list[tuple[Any, ...]]:
    with wh.connect("publisher") as conn:
        query = "select name, from_publish, to_publish from published.{} order by 2, 1"
        return conn.execute(sql.SQL(query).format(sql.Identifier(table))).fetchall()


# --- publishing -----------------------------------------------------------------------------


def test_readers_see_what_was_published_and_how_fresh_it_is(warehouse: Warehouse) -> None:
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


def test_publishing_a_build_twice_changes_nothing(warehouse: Warehouse) -> None:
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


def test_null_is_a_value_like_any_other(warehouse: Warehouse) -> None:
    rows = "select * from (values (1, null::text), (2, 'x')) as rows (customer_id, name)"
    for _ in range(2):
        number = build(warehouse, {"dim_customers": rows})
        result = publish.publish(warehouse, number, actor="test", only=[CUSTOMERS])
    assert result.marts["dim_customers"]["added"] == 0
    assert seen(warehouse) == [(1, None), (2, "x")]


def test_a_mart_of_people_is_hidden_from_bi(warehouse: Warehouse) -> None:
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


# --- what is refused ------------------------------------------------------------------------

TABLES = {"dim_customers": customers("Eve"), "fct_money": money(1)}


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
def test_what_no_gate_passed_is_refused(
    warehouse: Warehouse, made: dict[str, Any], code: str
) -> None:
    released(warehouse, ("Ann",))
    number = build(warehouse, TABLES, **made)
    with pytest.raises(PublishError) as caught:
        publish.publish(warehouse, number, actor="test", only=MARTS)
    assert caught.value.code == code
    assert names_seen(warehouse) == ["Ann"]


def test_a_build_nobody_knows_is_refused(warehouse: Warehouse) -> None:
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


def test_a_gate_that_passes_the_second_time_counts(warehouse: Warehouse) -> None:
    number = build(warehouse, TABLES, failed=1)
    with warehouse.connect("transformer") as conn:
        conn.execute(
            "insert into ops.gate_results (gate_run_id, build_id, gate, suite, expectation,"
            " severity, success) values (%s, %s, 'marts', 's', 'e', 'critical', true)",
            [number + 1, number],
        )
    publish.publish(warehouse, number, actor="test", only=MARTS)
    assert names_seen(warehouse) == ["Eve"]


def test_two_rows_of_one_grain_are_refused(warehouse: Warehouse) -> None:
    released(warehouse, ("Ann",))
    for double in ("select 1, 'Ann'", "select 1, 'Other'", "select 7, 'x' union all select 7, 'y'"):
        rows = f"select 1 as customer_id, 'Ann' as name union all {double}"
        number = build(warehouse, {"dim_customers": rows, "fct_money": money(1)})
        with pytest.raises(PublishError, match="same customer_id"):
            publish.publish(warehouse, number, actor="test", only=MARTS)
    assert names_seen(warehouse) == ["Ann"]


def test_a_publish_waits_for_no_build_and_no_other_publish(warehouse: Warehouse) -> None:
    number = build(warehouse, TABLES)
    for lock in ("build", "publish"):
        with warehouse.connect("transformer") as conn:
            warehouse.lock(conn, lock)
            with pytest.raises(AlreadyRunning):
                publish.publish(warehouse, number, actor="test", only=MARTS)


# --- shapes ---------------------------------------------------------------------------------


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


# --- readers --------------------------------------------------------------------------------


@contextmanager
def long_query(wh: Warehouse) -> Iterator[psycopg.Connection]:
    """A reader in the middle of a transaction that has touched every published view."""
    with wh.connect("bi_reader") as conn:
        conn.execute("select count(*) from publish.dim_customers, publish.fct_money").fetchone()
        yield conn
        conn.rollback()


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


# --- crashes --------------------------------------------------------------------------------


def _publish_in_a_process(url: str, number: int) -> None:
    publish.publish(Warehouse.from_url(url), number, actor="test", only=MARTS)


def test_a_publisher_killed_before_its_commit_leaves_the_last_publish(
    warehouse: Warehouse,
) -> None:
    released(warehouse, ("Ann",))
    number = build(warehouse, {"dim_customers": customers("Bob"), "fct_money": money(9)})
    with warehouse.connect("publisher") as guard:
        # Holding the pointer's row stops the publisher at its last step.
        guard.execute("select * from published.pointer for update")
        process = multiprocessing.get_context("fork").Process(
            target=_publish_in_a_process, args=(warehouse.url, number)
        )
        process.start()
        assert process.pid
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        assert warehouse.settings
        with psycopg.connect(postgres.admin_url(warehouse.settings), autocommit=True) as conn:
            deadline = time.monotonic() + 20
            while conn.execute(waiting).fetchone() != (1,):
                assert time.monotonic() < deadline
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    assert names_seen(warehouse) == ["Ann"]
    deadline = time.monotonic() + 10
    while True:  # the server notices within a second that the client is gone
        try:
            publish.publish(warehouse, number, actor="test", only=MARTS)
            break
        except AlreadyRunning:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert names_seen(warehouse) == ["Bob"]
    assert len({row[1] for row in stored(warehouse)}) == 2


def test_a_lost_answer_to_the_commit_is_looked_up(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = build(warehouse, TABLES)
    done = publish.publish(warehouse, number, actor="test", only=MARTS)
    lost = psycopg.OperationalError("server closed the connection")
    assert publish._after_lost_answer(warehouse, number, lost).publish_id == done.publish_id
    with pytest.raises(PublishError, match="readers keep the last publish"):
        publish._after_lost_answer(warehouse, number + 1, lost)


# --- rolling back and pruning ---------------------------------------------------------------


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


# --- the manifest ---------------------------------------------------------------------------


def manifest(folder: Path, **metas: Any) -> Path:
    nodes = {
        f"model.x.{name}": {"name": name, "resource_type": "model", "config": {"meta": meta}}
        for name, meta in metas.items()
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes}))
    return path


def test_the_manifest_names_the_marts(tmp_path: Path) -> None:
    path = manifest(
        tmp_path,
        dim_contacts={"publish": "people", "grain": ["contact_id"]},
        dim_customers={"publish": "publish", "grain": ["customer_id"]},
        int_hidden={},
    )
    assert mart.declared(path) == [CONTACTS, CUSTOMERS]


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"publish": "public", "grain": ["a"]},
        {"publish": "publish"},
        {"publish": "publish", "grain": []},
        {"publish": "publish", "grain": "a"},
    ],
)
def test_a_manifest_that_says_it_wrongly_is_refused(tmp_path: Path, meta: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        mart.declared(manifest(tmp_path, some_mart=meta))
    with pytest.raises(ConfigurationError, match="no manifest"):
        mart.declared(tmp_path / "none.json")
