"""`retention doctor`: is everything in place to run, and if not, how to mend it."""

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
from retention.schemas import scripts
from retention.settings import Settings
from retention.source import Source
from retention.warehouse import READERS, TASK_ROLES, Warehouse

# A daily run of a mid-sized company needs about a tenth of this.
FREE_BYTES = 2 * 1024**3
CLOCK_SECONDS = 5
REACH_SECONDS = 5


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, what was seen, what to do if not."""

    what: str
    well: bool
    seen: str
    mend: str = ""


def show(settings: Settings, sources: Sequence[Source], console: Console) -> bool:
    """Print every finding; True when all is well. Changes nothing."""
    findings = list(examine(settings, sources))
    for each in findings:
        mark = "[green]ok[/green]  " if each.well else "[red]bad[/red] "
        console.print(f"{mark} {each.what}: ", end="")
        console.print(each.seen, markup=False)
        if not each.well and each.mend:
            console.print(f"     {each.mend}", markup=False)
    return all(each.well for each in findings)


def examine(settings: Settings, sources: Sequence[Source]) -> Iterator[Finding]:
    """Disk, warehouse, roles, migrations, clock and connections, in that order."""
    yield _disk(settings)
    try:
        wh = Warehouse.from_settings(settings)
        with wh.connect("loader") as conn:
            yield Finding("warehouse", True, f"Postgres {_version(conn)}, {settings.database}")
            yield _clock(conn)
    except RetentionError as error:
        yield Finding("warehouse", False, str(error), "Start it, or run `make run` first.")
        return
    yield from (_role(wh, role) for role in (*TASK_ROLES, *READERS))
    yield _migrations(wh)
    yield from (_connection(source) for source in sources)


def _disk(settings: Settings) -> Finding:
    place = next(p for p in (settings.state, *settings.state.parents) if p.exists())
    free = shutil.disk_usage(place).free
    return Finding(
        "disk",
        free >= FREE_BYTES,
        f"{free / 1024**3:.1f} GiB free at {place}",
        "Free some space, or set RETENTION_STATE to another disk.",
    )


def _version(conn: psycopg.Connection) -> str:
    number = conn.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _clock(conn: psycopg.Connection) -> Finding:
    """This machine's clock against the database's: a wrong one would move windows."""
    row = conn.execute("select extract(epoch from clock_timestamp())").fetchone()
    seconds = abs(_wall_clock() - float(row[0])) if row else 0.0
    return Finding(
        "clock",
        seconds <= CLOCK_SECONDS,
        f"{seconds:.1f} s from the database's",
        "Set the clock, for example with NTP.",
    )


def _wall_clock() -> float:
    import time

    return time.time()


def _role(wh: Warehouse, role: str) -> Finding:
    return _tried(f"role {role}", lambda: _log_in(wh, role), "Run `retention migrate`.")


def _log_in(wh: Warehouse, role: str) -> str:
    with wh.connect(role) as conn:
        row = conn.execute("select current_user").fetchone()
    if not row or row[0] != role:
        raise RetentionError(f"logged in as {row[0] if row else 'nobody'}")
    return "can log in"


def _migrations(wh: Warehouse) -> Finding:
    waiting = scripts.pending(wh)
    return Finding(
        "migrations",
        not waiting,
        f"pending: {', '.join(waiting)}" if waiting else "all applied",
        "Run `retention migrate`.",
    )


def _connection(source: Source) -> Finding:
    return _tried(f"connection {source.conn_id}", lambda: _address(source), "")


def _address(source: Source) -> str:
    found = find(source.conn_id)
    if "://" not in found.base_url:
        folder = Path(found.base_url)
        if not (folder.is_dir() and os.access(folder, os.R_OK)):
            raise RetentionError(f"{folder} is not a folder that can be read")
        return f"folder {folder}"
    _reach(found.base_url)
    return f"{found.base_url} answers, {'with' if found.secret else 'WITHOUT'} a secret"


def _reach(base_url: str) -> None:
    """That something listens there; whether it takes the secret, only a load finds out."""
    place = httpx.URL(base_url)
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        socket.create_connection((place.host, port), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise RetentionError(
            f"{base_url} does not answer: {error.strerror or error}.",
            code="unreachable",
            mend="Correct the connection's host, or open the way there.",
        ) from error


def _tried(what: str, attempt: Callable[[], str], mend: str) -> Finding:
    try:
        return Finding(what, True, attempt())
    except (RetentionError, psycopg.Error) as error:
        return Finding(what, False, str(error).strip(), mend)
