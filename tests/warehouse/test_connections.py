"""Connections to a real Postgres: UTC, timeouts and clear errors."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from retention.errors import ConfigurationError
from retention.warehouse import postgres
from retention.warehouse.connection import READERS, TASK_ROLES, Warehouse


def test_a_connection_is_in_utc_and_has_timeouts(warehouse: Warehouse) -> None:
    for role in TASK_ROLES:
        with warehouse.connect(role) as conn:
            row = conn.execute(
                "select current_user, current_setting('timezone'),"
                " current_setting('client_connection_check_interval'),"
                " current_setting('lock_timeout') != '0',"
                " current_setting('statement_timeout') != '0',"
                " current_setting('idle_in_transaction_session_timeout') != '0'"
            ).fetchone()
        assert row == (role, "UTC", "1s", True, True, True)


def test_a_dsn_logs_in_with_role_and_time_zone(warehouse: Warehouse) -> None:
    for role in (*TASK_ROLES, *READERS):
        with psycopg.connect(warehouse.dsn(role)) as conn:
            assert conn.execute("select current_user, current_setting('timezone')").fetchone() == (
                role,
                "UTC",
            )


def test_a_warehouse_from_a_url_has_no_reader_password(warehouse: Warehouse) -> None:
    bare = Warehouse.from_url(warehouse.url)
    with bare.connect("loader") as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    with pytest.raises(ConfigurationError, match="password of bi_reader"):
        bare.dsn("bi_reader")
    assert warehouse.url not in repr(bare)


def test_an_unreachable_warehouse_is_a_clear_error(warehouse: Warehouse) -> None:
    gone = Warehouse.from_url("postgresql://pipeline:secret-word@127.0.0.1:1/retention_demo")
    with pytest.raises(ConfigurationError) as caught:
        gone.connect("loader")
    assert caught.value.code == "warehouse_unreachable"
    assert "secret-word" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="no role 'root'"):
        warehouse.connect("root")


def test_a_query_does_not_outlive_its_client(warehouse: Warehouse) -> None:
    """The query of a killed task must not hold its locks for hours."""
    conn = warehouse.connect("loader")
    sleeper = threading.Thread(target=_sleep, args=(conn,))
    sleeper.start()
    assert warehouse.settings
    running = "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'"
    with psycopg.connect(postgres.admin_url(warehouse.settings), autocommit=True) as admin:
        _until(lambda: admin.execute(running).fetchone() == (1,))
        _cut(conn)
        _until(lambda: admin.execute(running).fetchone() == (0,), seconds=15)
    sleeper.join()


def _sleep(conn: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        conn.execute("select pg_sleep(30)")


def _cut(conn: psycopg.Connection) -> None:
    import os
    import socket

    with socket.socket(fileno=os.dup(conn.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)


def _until(holds: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
