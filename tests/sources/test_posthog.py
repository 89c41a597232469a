"""PostHog's batch export: the group of a customer by any name, properties as object or text."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ConfigurationError
from retention.source import Connection
from retention.sources.posthog import event_files
from retention.usage.compressed import EventFile
from retention.usage.formats import POSTHOG, posthog
from retention.usage.lake import session, write_part

Row = tuple[str | None, str | None, str | None]


def event(number: int, properties: dict[str, Any] | str) -> str:
    return json.dumps(
        {
            "uuid": f"0197-{number}",
            "event": "report_viewed",
            "distinct_id": "c-1",
            "timestamp": "2026-06-01T10:00:00Z",
            "created_at": "2026-06-01T10:00:01Z",
            "properties": properties,
        }
    )


def loaded(root: Path, *events: str, packed: bool = False, **extra: str) -> list[Row]:
    """The account, quantity and problem of each event, as the bulk path reads them."""
    drop = root / "drop"
    drop.mkdir(exist_ok=True)
    content = "".join(f"{each}\n" for each in events).encode()
    (drop / "a.jsonl").write_bytes(gzip.compress(content) if packed else content)
    files = event_files(Connection("posthog", str(drop), extra=dict(extra)))
    inputs = [EventFile(n, files.name(path), path) for n, path in enumerate(files.paths)]
    db = session(root / "spill")
    part = write_part(db, files.format, inputs, root / "part", lambda: None)
    query = "select account_key, units::double::varchar, problem from read_parquet(?) order by line"
    return db.execute(query, [str(part.events)]).fetchall()


@pytest.mark.parametrize("group_type", ["organization", "company", "work space", "team-1"])
def test_the_group_of_a_customer_may_have_any_name(tmp_path: Path, group_type: str) -> None:
    properties = {"$groups": {group_type: "9001", "other": "7"}, "quantity": 3}
    found = loaded(tmp_path, event(1, properties), group_type=group_type)
    assert found == [("9001", "3.0", None)]


@pytest.mark.parametrize("packed", [False, True])
def test_properties_may_be_a_json_text(tmp_path: Path, packed: bool) -> None:
    text = json.dumps({"$groups": {"company": "9001"}, "quantity": 2})
    events = [event(1, text), event(2, "no json"), event(3, text)]
    found = loaded(tmp_path, *events, packed=packed)
    assert found == [
        ("9001", "2.0", None),
        (None, None, "missing_account"),
        ("9001", "2.0", None),
    ]


def test_a_later_file_may_hold_properties_as_text(tmp_path: Path) -> None:
    properties = {"$groups": {"company": "9001"}, "quantity": 2}
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "b.jsonl").write_text(event(2, json.dumps(properties)) + "\n")
    assert loaded(tmp_path, event(1, properties)) == [("9001", "2.0", None)] * 2


def test_the_usual_format_keeps_its_fingerprint(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(event(1, {"$groups": {"company": "1"}}) + "\n")
    files = event_files(Connection("posthog", str(tmp_path)))
    assert files.format.fingerprint() == POSTHOG.fingerprint()
    assert POSTHOG.columns["account"] == '$.properties."$groups".company'


@pytest.mark.parametrize("group_type", ["", 'a"b', "a.b", "a'b"])
def test_a_name_that_is_no_group_type_is_refused(group_type: str) -> None:
    with pytest.raises(ConfigurationError):
        posthog(group_type)
