"""A TCP port of this machine for a server that is about to start."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from retention.errors import ConfigurationError

HOST = "127.0.0.1"
# Linux gives ports from this range to outgoing connections and to programs that ask for any.
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
CANDIDATES = 50


def free_port(preferred: int | None = None) -> int:
    """Return the preferred port if it can be bound, else another one that can.

    The other port lies below the system's range for outgoing connections. No connection of
    another process takes it between this call and the moment the server listens.
    """
    for port in (preferred, *_quiet(), 0):
        if port is None:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return int(probe.getsockname()[1])
    raise ConfigurationError(f"no free TCP port on {HOST}.", code="no_port")


def _quiet() -> Iterator[int]:
    """Yield ports below the range for outgoing connections, in random order."""
    try:
        first = int(OUTGOING.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        first = 32768
    for _ in range(CANDIDATES if first > 20_000 else 0):
        yield 10_000 + secrets.randbelow(first - 10_000)
