"""Choose a TCP port for a server that another process opens."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from retention.warehouse.keyring import locked
from retention.warehouse.ports import free_port

OPEN_WITHIN_SECONDS = 60


@contextmanager
def chosen(preferred: int) -> Iterator[int]:
    """Yield the preferred port, or any free one if it is taken.

    The block holds a lock of this user, because a chosen port is taken only once the server
    listens. Wait for that inside the block.
    """
    with locked(Path(tempfile.gettempdir()) / f"retention-ports-{os.getuid()}.lock"):
        yield free_port(preferred)


def wait_until_open(pid: int, port: int) -> None:
    """Wait until the process or a child listens on the port, or the process has ended."""
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
