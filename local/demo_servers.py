"""Start, find and stop the demo company's servers, and move its clock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import psutil

from demo.servers import clock
from retention.errors import ConfigurationError
from retention.settings import Settings
from retention.source import Connection

START_TIMEOUT_SECONDS = 300


def start(settings: Settings, as_of: date) -> list[Connection]:
    """Start the servers at that simulated day unless they run; return their connections."""
    set_clock(settings, as_of)
    if not _alive(settings):
        servers = settings.demo / "servers.json"
        servers.unlink(missing_ok=True)
        with (settings.demo / "servers.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "demo.servers"),
                    *("--state", str(settings.state), "--as-of", as_of.isoformat()),
                    *("--customers", os.environ.get("RETENTION_DEMO_CUSTOMERS", "420")),
                ],
                cwd=settings.root,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (settings.demo / "servers.pid").write_text(str(process.pid))
        _wait(servers, process)
    return connections(settings)


def connections(settings: Settings) -> list[Connection]:
    """Return one connection per vendor from the addresses that the servers wrote."""
    announced = json.loads((settings.demo / "servers.json").read_text())
    from retention.sources import SOURCES

    by_name = {source.name: source for source in SOURCES}
    return [
        Connection(by_name[vendor].conn_id, each["base_url"], each.get("token", ""))
        for vendor, each in announced.items()
        if vendor in by_name
    ]


def set_clock(settings: Settings, as_of: date) -> None:
    """Move the demo company to the end of that day and wait for the servers."""
    settings.demo.mkdir(parents=True, exist_ok=True)
    if _alive(settings):
        clock.move(settings.demo, as_of)
    else:
        clock.write_atomically(settings.demo / "clock", as_of.isoformat())


def stop(settings: Settings) -> bool:
    """Stop the servers; return False if none were running."""
    if not _alive(settings):
        return False
    os.kill(_pid(settings), signal.SIGTERM)
    (settings.demo / "servers.pid").unlink()
    return True


def _pid(settings: Settings) -> int:
    return int((settings.demo / "servers.pid").read_text())


def _alive(settings: Settings) -> bool:
    """Return whether the started process still runs; its pid may have been reused."""
    try:
        command = psutil.Process(_pid(settings)).cmdline()
    except (OSError, ValueError, psutil.Error):
        return False
    return "demo.servers" in command and str(settings.state) in command


def _wait(servers: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not servers.is_file():
        if process.poll() is not None or time.monotonic() > deadline:
            log = servers.with_name("servers.log")
            raise ConfigurationError(
                "the servers of the demo company did not start.", hint=f"See {log}."
            )
        time.sleep(0.05)
