"""PostHog's export files: one a day of arrival, whole or not there."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

from demo.servers import posthog_export
from demo.servers.app import Servers


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_an_event_is_in_the_file_of_the_day_it_arrived(servers: Servers, tmp_path: Path) -> None:
    written = servers.sync(date(2026, 6, 5))
    folder = tmp_path / "exports" / "posthog"
    files = sorted(path.name for path in folder.glob("*.jsonl.gz"))
    assert written == len(files) == 5
    assert files[0] == "2026-06-01T00:00:00+00:00-2026-06-02T00:00:00+00:00.jsonl.gz"
    fourth = lines(folder / posthog_export.file_name(date(2026, 6, 4)))
    assert "u0" in {event["uuid"] for event in fourth}
    late = next(event for event in fourth if event["uuid"] == "u0")
    assert late["timestamp"] == "2026-06-01T00:00:00.000000+00:00"
    assert late["properties"] == {"quantity": 1, "$groups": {"company": "1001"}}


def test_exporting_again_leaves_old_files_untouched(servers: Servers, tmp_path: Path) -> None:
    servers.sync(date(2026, 6, 5))
    folder = tmp_path / "exports" / "posthog"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.jsonl.gz")}
    assert servers.sync(date(2026, 6, 6)) == 1
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.jsonl.gz")}
    assert before.items() <= after.items()
    assert servers.sync(date(2026, 6, 5)) == 0
    assert {path.name for path in folder.glob("*.jsonl.gz")} == set(before)
