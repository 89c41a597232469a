"""Check the installation for `retention doctor`, with a hint for each failed check."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from rich.console import Console

from retention.connections import find
from retention.errors import RetentionError
from retention.settings import Settings
from retention.source import Source
from retention.warehouse import migrations
from retention.warehouse.connection import READERS, TASK_ROLES, Warehouse

# A daily run of a mid-sized company needs about a tenth of this.
FREE_BYTES = 2 * 1024**3
CLOCK_SECONDS = 5
REACH_SECONDS = 5


@dataclass(frozen=True)
class Check:
    """The result of one check; ``hint`` says what to do when it is not ``ok``."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


def show(settings: Settings, sources: Sequence[Source], console: Console) -> bool:
    """Print the result of every check; return whether all passed. Changes nothing."""
    checks = list(examine(settings, sources))
    for check in checks:
        mark = "[green]ok[/green]  " if check.ok else "[red]bad[/red] "
        console.print(f"{mark} {check.name}: ", end="")
        console.print(check.detail, markup=False)
        if not check.ok and check.hint:
            console.print(f"     {check.hint}", markup=False)
    return all(check.ok for check in checks)


def examine(settings: Settings, sources: Sequence[Source]) -> Iterator[Check]:
    """Check disk, warehouse, clock, roles, migrations and connections, in that order.

    An unreachable warehouse ends the checks.
    """
    yield _disk(settings)
    try:
        wh = Warehouse.from_settings(settings)
        with wh.connect("loader") as conn:
            yield Check("warehouse", True, f"Postgres {_version(conn)}, {settings.database}")
            yield _clock(conn)
    except RetentionError as error:
        yield Check("warehouse", False, str(error), "Start it, or run `make run` first.")
        return
    yield from (_role(wh, role) for role in (*TASK_ROLES, *READERS))
    yield _migrations(wh)
    yield from (_connection(source) for source in sources)


def _disk(settings: Settings) -> Check:
    folder = next(p for p in (settings.state, *settings.state.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    return Check(
        "disk",
        free >= FREE_BYTES,
        f"{free / 1024**3:.1f} GiB free at {folder}",
        "Free 2 GiB, or set RETENTION_STATE to a folder on another disk.",
    )


def _version(conn: psycopg.Connection) -> str:
    number = conn.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _clock(conn: psycopg.Connection) -> Check:
    """Compare this machine's clock with the database's: a wrong clock moves windows."""
    row = conn.execute("select extract(epoch from clock_timestamp())").fetchone()
    seconds = abs(_wall_clock() - float(row[0])) if row else 0.0
    return Check(
        "clock",
        seconds <= CLOCK_SECONDS,
        f"{seconds:.1f} s from the database clock",
        "Synchronise the clock, for example with NTP.",
    )


def _wall_clock() -> float:
    import time

    return time.time()


def _role(wh: Warehouse, role: str) -> Check:
    return _attempt(f"role {role}", lambda: _log_in(wh, role), "Run `retention migrate`.")


def _log_in(wh: Warehouse, role: str) -> str:
    with wh.connect(role) as conn:
        row = conn.execute("select current_user").fetchone()
    if not row or row[0] != role:
        raise RetentionError(f"logged in as {row[0] if row else 'no role'} instead")
    return "can log in"


def _migrations(wh: Warehouse) -> Check:
    pending = migrations.pending(wh)
    return Check(
        "migrations",
        not pending,
        f"pending: {', '.join(pending)}" if pending else "all applied",
        "Run `retention migrate`.",
    )


def _connection(source: Source) -> Check:
    return _attempt(f"connection {source.conn_id}", lambda: _address(source), "")


def _address(source: Source) -> str:
    found = find(source.conn_id)
    if "://" not in found.base_url:
        folder = Path(found.base_url)
        if not (folder.is_dir() and os.access(folder, os.R_OK)):
            raise RetentionError(f"{folder} is not a readable folder")
        return f"folder {folder}"
    _reach(found.base_url)
    return f"{found.base_url} answers, {'with' if found.secret else 'WITHOUT'} a secret"


def _reach(base_url: str) -> None:
    """Open a TCP connection; the secret is not tried, only a load does that."""
    url = httpx.URL(base_url)
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((url.host, port), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise RetentionError(
            f"{base_url} does not answer: {error.strerror or error}.",
            code="unreachable",
            hint="Correct the host of the connection, or allow the network path to it.",
        ) from error


def _attempt(name: str, probe: Callable[[], str], hint: str) -> Check:
    try:
        return Check(name, True, probe())
    except (RetentionError, psycopg.Error) as error:
        return Check(name, False, str(error).strip(), hint)
