"""Concurrent loads, crashes and lost connections on a real Postgres."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from retention.errors import AlreadyRunning, RetentionError
from retention.landing import transaction
from retention.settings import Settings
from retention.source import Record
from retention.warehouse import Warehouse, postgres
from tests.loading import living, load, load_log, query, thing, versions, window
from tests.lossy_proxy import lossy_proxy


def test_a_second_concurrent_load_of_a_stream_is_refused(warehouse: Warehouse) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Record]:
        yield thing("a")
        begun.set()
        assert go_on.wait(60)

    first = threading.Thread(target=load, args=(warehouse, slow()))
    first.start()
    assert begun.wait(60)
    with pytest.raises(AlreadyRunning, match="shop/things"):
        load(warehouse, [thing("a", name="other")])
    go_on.set()
    first.join()
    assert load_log(warehouse) == [("done", 1, None)]
    assert living(warehouse) == {"a": {"id": "a"}}


def _load_in_a_process(url: str, count: int, outcome: Any) -> None:
    rows = [thing(f"r{number}", name="x" * 500) for number in range(count)]
    try:
        outcome.put(load(Warehouse.from_url(url), rows, window(0)).versions_written)
    except RetentionError as error:
        outcome.put(error.code)


def _stop_in_the_copy(url: str, count: int, outcome: Any) -> None:
    """Load, but never send more than the first chunks of the COPY."""
    sent, write = iter(range(3)), psycopg.Copy.write

    def stopping(copy: psycopg.Copy, data: Any) -> None:
        if next(sent, None) is None:
            threading.Event().wait()
        write(copy, data)

    psycopg.Copy.write = stopping  # type: ignore[method-assign]
    _load_in_a_process(url, count, outcome)


def test_two_processes_with_one_window_leave_the_state_of_one_run(warehouse: Warehouse) -> None:
    context = multiprocessing.get_context("fork")
    outcome = context.Queue()
    both = [
        context.Process(target=_load_in_a_process, args=(warehouse.url, 2000, outcome))
        for _ in range(2)
    ]
    for process in both:
        process.start()
    results = {outcome.get(timeout=120) for _ in both}
    for process in both:
        process.join()
    # They either collided, or ran one after the other and the second had nothing to load.
    assert results in ({2000, "already_running"}, {2000, 0})
    assert len(versions(warehouse)) == len(living(warehouse)) == 2000


def test_a_loader_killed_in_the_middle_of_its_copy_leaves_nothing(warehouse: Warehouse) -> None:
    context = multiprocessing.get_context("fork")
    outcome = context.Queue()
    process = context.Process(target=_stop_in_the_copy, args=(warehouse.url, 30000, outcome))
    process.start()
    assert process.pid
    with psycopg.connect(postgres.admin_url(_settings(warehouse)), autocommit=True) as conn:
        copying = "select count(*) from pg_stat_progress_copy where tuples_processed > 0"
        _until(lambda: conn.execute(copying).fetchone() == (1,))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert outcome.empty()
        assert query(warehouse, "select to_regclass('raw.shop_things') is null") == [(True,)]
        held = "select count(*) from pg_locks where locktype = 'advisory' and granted"
        _until(lambda: conn.execute(held).fetchone() == (0,))
    rows = [thing(f"r{number}", name="x" * 500) for number in range(200)]
    assert load(warehouse, rows, window(0)).versions_written == 200
    assert load_log(warehouse) == [("failed", 0, "abandoned"), ("done", 200, None)]


def test_a_load_on_a_terminated_connection_commits_nothing(warehouse: Warehouse) -> None:
    """The server ends the session of a run that stays idle while it holds the lock."""

    def ended() -> Iterator[Record]:
        yield thing("a")
        with psycopg.connect(postgres.admin_url(_settings(warehouse))) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'"
                " and database = (select oid from pg_database where datname = %s)",
                [conninfo_to_dict(warehouse.url)["dbname"]],
            )

    with pytest.raises(RetentionError) as caught:
        load(warehouse, ended(), window(0))
    assert caught.value.code == "database"
    assert load_log(warehouse) == [("failed", 0, "database")]
    assert load(warehouse, [thing("a")], window(0)).versions_written == 1


def _settings(wh: Warehouse) -> Settings:
    assert wh.settings
    return wh.settings


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_commit_acknowledgement_is_looked_up(
    warehouse: Warehouse, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy drops the connection at COMMIT: after forwarding it, or before."""
    monkeypatch.setattr(transaction, "COMMIT_LOOKUP_SECONDS", 3.0)
    with lossy_proxy(warehouse.url, passes_commit=committed) as url:
        through = Warehouse.from_url(url)
        if committed:
            assert load(through, [thing("a")], window(0)).versions_written == 1
        else:
            with pytest.raises(RetentionError) as caught:
                load(through, [thing("a")], window(0))
            assert caught.value.code == "database"
    assert [row[0] for row in load_log(warehouse)] == ["done" if committed else "failed"]
    load(warehouse, [thing("a")], window(0))
    assert len(versions(warehouse)) == 1


def _until(holds: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the condition did not hold in time"
        time.sleep(0.02)


def test_a_load_spools_to_disk_and_memory_stays_flat(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention.landing.batch.IN_MEMORY", 1 << 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    load(warehouse, [thing(f"r{number}", name="\\ \t \n é") for number in range(500)])
    assert living(warehouse)["r499"]["name"] == "\\ \t \n é"
    assert list(tmp_path.iterdir()) == []
