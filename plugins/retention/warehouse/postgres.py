"""The embedded Postgres: started on demand on 127.0.0.1, with generated passwords.

It accepts only loopback TCP with SCRAM, no Unix socket and no trust authentication. Starting
is idempotent and safe in several processes; the server runs until ``stop``.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from retention.errors import ConfigurationError
from retention.settings import Settings
from retention.warehouse import cluster
from retention.warehouse.cluster import Cluster
from retention.warehouse.keyring import locked, secret
from retention.warehouse.ports import HOST, free_port

SUPERUSER = "postgres"
AIRFLOW = "airflow"

# synchronous_commit stays on: a load that is marked done must survive a power cut.
OPTIONS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "password_encryption=scram-sha-256",
    "max_connections=200",
    "shared_buffers=256MB",
    "work_mem=64MB",
    "maintenance_work_mem=256MB",
    "max_wal_size=4GB",
    # No replica exists, and at this level a new table skips the write-ahead log.
    "wal_level=minimal",
    "max_wal_senders=0",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    # A failed statement or its detail may contain personal data.
    "log_error_verbosity=terse",
    "log_min_error_statement=panic",
)


@dataclass(frozen=True)
class Server:
    """Address of a running cluster."""

    host: str
    port: int

    def url(self, user: str, password: str, database: str) -> str:
        return f"postgresql://{user}:{password}@{self.host}:{self.port}/{database}"


def start(settings: Settings, options: Sequence[str] = ()) -> Server:
    """Return the server of this state folder; start it if it is down.

    ``options`` are additional ``name=value`` settings for a server that this call starts.
    Raises ConfigurationError with the end of the server's log when it does not start.
    """
    running = status(settings)
    if running:
        return running
    with locked(settings.state / "postgres" / "lock"):
        running = status(settings)
        if running:
            return running
        place = cluster.locate(settings)
        if not (place.data / "PG_VERSION").exists():
            _initialise(settings, place)
        # The port of last time when it is still free, so that saved connections keep working.
        kept = cluster.remembered_in(settings).get("port")
        server = Server(HOST, free_port(int(kept) if kept else None))
        # Record the port first, so that an interrupted start is not repeated on another port.
        cluster.remember(settings, place, server.port)
        _launch(place, server, options)
        return server


def stop(settings: Settings) -> bool:
    """Stop the server and wait until it is down; return False if none was running."""
    with locked(settings.state / "postgres" / "lock"):
        if status(settings) is None:
            return False
        place = cluster.locate(settings)
        done = place.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", place.data)
        if done.returncode:
            raise ConfigurationError(f"Postgres did not stop: {done.stderr.strip()}")
        return True


def destroy(settings: Settings) -> None:
    """Stop the server and delete its data, also outside the state folder."""
    stop(settings)
    cluster.forget(settings)


def status(settings: Settings) -> Server | None:
    """Return the server if it is running; do not start it."""
    remembered = cluster.remembered_in(settings)
    if "port" not in remembered:
        return None
    server = Server(HOST, int(remembered["port"]))
    pid = _pid(Path(remembered["home"]) / "data", server.port)
    return server if pid and _answers(server) else None


def admin_url(settings: Settings, database: str = "postgres") -> str:
    """Return a superuser URL of the embedded cluster; start the cluster if it is down."""
    return start(settings).url(SUPERUSER, secret(settings, SUPERUSER), database)


def airflow_url(settings: Settings) -> str:
    """Return the SQLAlchemy URL of Airflow's own database; create it if missing."""
    server = start(settings)
    _ensure_airflow(settings, server)
    url = server.url(AIRFLOW, secret(settings, AIRFLOW), AIRFLOW)
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


def _initialise(settings: Settings, place: Cluster) -> None:
    """Run initdb in a temporary folder and rename it, so that a cluster is never incomplete."""
    fresh = Path(tempfile.mkdtemp(prefix="new.", dir=place.home))
    place.hand_over(fresh)
    password = fresh.with_suffix(".password")
    password.touch(mode=0o600)
    password.write_text(secret(settings, SUPERUSER))
    place.hand_over(password)
    try:
        # The built-in C.UTF-8 locale sorts and folds the same on every operating system.
        made = place.run(
            "initdb",
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
    finally:
        password.unlink()
    if made.returncode:
        raise ConfigurationError(f"initdb failed: {made.stderr.strip()}", code="initdb")
    fresh.rename(place.data)


def _launch(place: Cluster, server: Server, options: Sequence[str]) -> None:
    place.log.touch()
    place.hand_over(place.log)
    arguments = [f"-p {server.port}", *(f"-c {option}" for option in (*OPTIONS, *options))]
    begun = place.run(
        "pg_ctl", "start", "-w", "-t", "120", "-s",
        "-D", place.data, "-l", place.log, "-o", " ".join(arguments),
    )  # fmt: skip
    if begun.returncode:
        tail = "\n".join(place.log.read_text(errors="replace").splitlines()[-5:])
        raise ConfigurationError(
            f"Postgres did not start: {begun.stderr.strip()}\n{tail}",
            code="postgres_start",
            hint=f"See the complete log in {place.log}.",
        )


def _ensure_airflow(settings: Settings, server: Server) -> None:
    """Create a role and a database for Airflow that other roles cannot connect to."""
    url = server.url(SUPERUSER, secret(settings, SUPERUSER), "postgres")
    name = sql.Identifier(AIRFLOW)
    with (
        locked(settings.state / "postgres" / "airflow.lock"),
        psycopg.connect(url, autocommit=True) as conn,
    ):
        if not _has(conn, "select 1 from pg_roles where rolname = %s"):
            conn.execute(sql.SQL("create role {} login").format(name))
        password = secret(settings, AIRFLOW)
        conn.execute(sql.SQL("alter role {} password {}").format(name, password))
        if not _has(conn, "select 1 from pg_database where datname = %s"):
            conn.execute(sql.SQL("create database {} owner {}").format(name, name))
        # Airflow commits thousands of heartbeats; losing the last few is harmless.
        conn.execute(sql.SQL("alter database {} set synchronous_commit = off").format(name))
        conn.execute(sql.SQL("revoke all on database {} from public").format(name))


def _has(conn: psycopg.Connection, question: LiteralString) -> bool:
    return conn.execute(question, [AIRFLOW]).fetchone() is not None


def _pid(data: Path, port: int) -> int | None:
    """Return the server's process id if it is alive, ready and listens on that port."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, listening, state = int(lines[0]), int(lines[3]), lines[7].strip()
    except (OSError, IndexError, ValueError):
        return None
    with contextlib.suppress(PermissionError):  # alive, but owned by another user
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
    return pid if listening == port and state == "ready" else None


def _answers(server: Server) -> bool:
    url = make_conninfo(host=server.host, port=server.port, user=SUPERUSER, connect_timeout=5)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if psycopg.pq.PGconn.ping(url.encode()) == psycopg.pq.Ping.OK:
            return True
        time.sleep(0.05)
    return False
