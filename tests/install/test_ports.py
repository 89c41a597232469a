"""The port of the web UI, when several want it at once."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from local import ports

SERVER = """
import socket, sys, time
time.sleep(0.5)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))):
    print("open", flush=True)
    sys.stdin.read()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ports.HOST, 0))
        return int(probe.getsockname()[1])


def start(preferred: int, servers: dict[int, subprocess.Popen[str]]) -> None:
    """A server as slow to open its port as Airflow's, in a process of its own."""
    with ports.chosen(preferred) as port:
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        servers[port] = server
        ports.wait_until_open(server.pid, port)


def test_two_that_start_at_once_get_ports_of_their_own() -> None:
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
def test_a_server_that_ended_is_not_waited_for() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ports.wait_until_open(ended.pid, free_port())
    assert ended.wait() == 0
