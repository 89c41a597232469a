"""A TCP port for a server that another process will open."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from retention.errors import ConfigurationError
from retention.keyring import locked

HOST = "127.0.0.1"
OPEN_WITHIN_SECONDS = 60


@contextmanager
def chosen(preferred: int) -> Iterator[int]:
    """The preferred port, or any free one when it is taken.

    Until the block ends nobody else of this user is given one: what was free when it was
    chosen is taken only once the server listens, so wait for that inside the block.
    """
    with locked(Path(tempfile.gettempdir()) / f"retention-ports-{os.getuid()}.lock"):
        yield _free(preferred)


def wait_until_open(pid: int, port: int) -> None:
    """Wait until the process or a child of it listens on the port, or until it has ended."""
    deadline = time.monotonic() + OPEN_WITHIN_SECONDS
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            if _listens(process, port):
                return
            time.sleep(0.1)


def _listens(process: psutil.Process, port: int) -> bool:
    return any(
        found.status == psutil.CONN_LISTEN and found.laddr.port == port
        for each in (process, *process.children(recursive=True))
        for found in each.net_connections("tcp")
    )


def _free(preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise ConfigurationError(f"no free TCP port on {HOST}.", code="no_port")
