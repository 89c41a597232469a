"""The command that serves the demo company."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import httpx

from demo.servers import posthog_export
from demo.servers.clock import move
from demo.servers.data_faults import DataFaultsFile
from tests.places import ROOT


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    """The servers in a process of their own; returns once they have said where they are."""
    announced = folder / "demo" / "servers.json"
    announced.unlink(missing_ok=True)
    words = ["--state", str(folder), "--as-of", "2024-07-20", "--customers", "6", *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.servers", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if announced.exists():
            return process
        assert process.poll() is None, "the servers ended before they served"
        time.sleep(0.01)
    raise AssertionError("the servers did not start")


def finish(process: subprocess.Popen[str]) -> list[str]:
    """End the servers as `make down` does; what they printed."""
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return printed.splitlines()


def test_the_command_serves_follows_its_clock_and_keeps_its_addresses(tmp_path: Path) -> None:
    process = start(tmp_path)
    try:
        told = json.loads((tmp_path / "demo" / "servers.json").read_text())
        assert set(told) == {"hubspot", "stripe", "typeform", "posthog"}
        assert (tmp_path / "demo" / "servers.json").stat().st_mode & 0o077 == 0
        headers = {"authorization": f"Bearer {told['hubspot']['token']}"}
        url = f"{told['hubspot']['base_url']}/crm/v3/objects/companies/search"
        before = httpx.post(url, json={}, headers=headers).json()["total"]
        move(tmp_path / "demo", date(2025, 7, 1))
        after = httpx.post(url, json={}, headers=headers).json()["total"]
        files = [path.name for path in Path(told["posthog"]["base_url"]).glob("*.jsonl.gz")]
    finally:
        printed = finish(process)
    assert 0 < before < after <= 6
    assert max(files) <= posthog_export.file_name(date(2025, 7, 1))
    assert len(files) > 300
    assert [line.split()[0] for line in printed] == ["hubspot", "stripe", "typeform", "posthog"]
    assert not (tmp_path / "demo" / "served").exists()
    again = start(tmp_path)
    try:
        assert json.loads((tmp_path / "demo" / "servers.json").read_text()) == told
    finally:
        finish(again)


def test_data_faults_can_be_switched_on_from_the_command_line(tmp_path: Path) -> None:
    process = start(tmp_path, "--data-faults", "2024-07-20:emptied:hubspot/companies")
    try:
        told = json.loads((tmp_path / "demo" / "servers.json").read_text())["hubspot"]
        headers = {"authorization": f"Bearer {told['token']}"}
        url = f"{told['base_url']}/crm/v3/objects/companies"
        assert httpx.get(url, headers=headers).json() == {"results": []}
        DataFaultsFile(tmp_path / "demo" / "data_faults.json").switch_off()
        assert httpx.get(url, headers=headers).json()["results"]
    finally:
        finish(process)
