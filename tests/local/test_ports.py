"""Choosing the port of the web UI, with concurrent starts."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from local import ports
from retention.warehouse.ports import free_port

SERVER = """
import socket, sys, time
time.sleep(0.5)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print("open", flush=True)
    sys.stdin.read()
"""


def start(preferred: int, servers: dict[int, subprocess.Popen[str]]) -> None:
    """Start a server that opens its port after 0.5 s, as slowly as Airflow's."""
    with ports.chosen(preferred) as port:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        servers[port] = server
        ports.wait_until_open(server.pid, port)


def test_concurrent_starts_get_different_ports() -> None:
    preferred, servers = free_port(), {}
    starting = [threading.Thread(target=start, args=(preferred, servers)) for _ in range(2)]
    for each in starting:
        each.start()
    for each in starting:
        each.join()
    said = [server.communicate()[0] for server in servers.values()]
    assert preferred in servers
    assert said == ["open\n"] * 2


@pytest.mark.timeout(ports.OPEN_WITHIN_SECONDS // 2)
def test_waiting_stops_when_the_server_has_ended() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ports.wait_until_open(ended.pid, free_port())
    assert ended.wait() == 0
