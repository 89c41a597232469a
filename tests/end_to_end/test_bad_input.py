"""Bad input through the command line: what it says, what it sets aside, what readers still see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.servers import data_faults
from retention.source import Source
from retention.sources import hubspot, stripe, typeform
from tests.command_line import Outcome, retention
from tests.end_to_end.company import Company, after, read_by_bi
from tests.loading import query

pytestmark = pytest.mark.slow

BAD = after(1)
SUNDAY = after(5)
SOURCES = {each.SOURCE.name: each.SOURCE for each in (hubspot, stripe, typeform)}
# Poison, the stream it falls on, and what the quarantine says of the row.
RECORDS = [
    ("unknown_currency", "stripe", "invoices", "contract", "'xqq' is not an ISO 4217 currency"),
]
# Poison that costs a value or a list item: the stream, the part, and what the quarantine says.
PARTS = [
    ("nps_eleven", "typeform", "responses", "answers.", "the score is not between 0 and 10"),
    ("negative_price", "stripe", "subscriptions", "items.data.", "greater than or equal to 0"),
    ("impossible_date", "hubspot", "companies", "properties.createdate", "no moment between"),
]


@pytest.fixture
def company(published: Company) -> Iterator[Company]:
    """The company on the morning after its first publish, which every test must leave alone."""
    published.show(BAD)
    before = read_by_bi(published.wh)
    assert before["dim_customers"][0] == 40
    yield published
    assert read_by_bi(published.wh) == before


def spoil(company: Company, *kinds: str, day: date = BAD) -> None:
    company.show(day)
    company.servers.data_faults.switch_on(day, kinds)


def run(company: Company, source: Source, day: date = BAD) -> Outcome:
    return retention(company.environment(source), "run", "--as-of", str(day))


def load(company: Company, source: str, stream: str) -> Outcome:
    times = ("--start", str(BAD), "--end", str(BAD + timedelta(days=1)))
    return retention(company.environment(), "load", source, stream, *times)


def quarantined(company: Company) -> list[tuple[Any, ...]]:
    text = "select source, stream, code, reason, record_id, raw from ops.quarantine"
    return query(company.wh, text)


def newest_load(company: Company, source: str, stream: str) -> tuple[str, str | None, int]:
    text = (
        "select status, error_code, versions_written from ops.loads"
        f" where source = '{source}' and stream = '{stream}' order by load_id desc limit 1"
    )
    status, code, written = query(company.wh, text)[0]
    return status, code, written


def versions(company: Company, source: str, stream: str) -> int:
    return int(query(company.wh, f"select count(*) from raw.{source}_{stream}")[0][0])


@pytest.mark.parametrize(("kind", "source", "stream", "code", "reason"), RECORDS)
def test_one_bad_record_is_set_aside_with_its_reason(
    company: Company, kind: str, source: str, stream: str, code: str, reason: str
) -> None:
    spoil(company, f"{kind}*1")
    said = load(company, source, stream)
    assert said.code == 0, said.err
    assert "1 quarantined" in said.out
    ((*where, held_code, held_reason, record_id, raw),) = quarantined(company)
    assert where == [source, stream]
    assert held_code == code
    assert reason in held_reason
    assert record_id in raw
    newest = (
        f"select count(*) from raw.{source}_{stream} where record_id = '{record_id}'"
        " and load_id = (select max(load_id) from ops.loads)"
    )
    assert query(company.wh, newest) == [(0,)]
    waiting = retention(company.environment(), "status").out
    (line,) = [line for line in waiting.splitlines() if line.startswith(f"{source}.{stream} ")]
    assert line.split()[-1] == "1"


@pytest.mark.parametrize(("kind", "source", "stream", "path", "reason"), PARTS)
@pytest.mark.parametrize("most", [1, 5])
def test_bad_values_are_set_aside_and_their_records_load(
    company: Company, kind: str, source: str, stream: str, path: str, reason: str, most: int
) -> None:
    """However many they are: what a customer typed stops nothing."""
    spoil(company, f"{kind}*{most}")
    said = load(company, source, stream)
    assert said.code == 0, said.err
    assert "set aside" in said.out
    assert "quarantined" not in said.out
    parts = query(company.wh, "select record_id, path, reason, raw from ops.quarantine")
    assert len({record for record, *_ in parts}) == most
    for record_id, held_path, held_reason, raw in parts:
        assert held_path.startswith(path)
        assert reason in held_reason
        assert raw == ""
        loaded = (
            f"select count(*) from raw.{source}_{stream} where record_id = '{record_id}'"
            " and load_id = (select max(load_id) from ops.loads)"
        )
        assert query(company.wh, loaded) == [(1,)]
    shown = retention(company.environment(), "status").out
    assert f"{source}.{stream} {path}".rstrip(".") in " ".join(shown.split())


@pytest.mark.parametrize(("kind", "source", "stream", "code", "reason"), RECORDS)
def test_more_bad_records_than_chance_stop_the_run(
    company: Company, kind: str, source: str, stream: str, code: str, reason: str
) -> None:
    held = versions(company, source, stream)
    spoil(company, f"{kind}*5")
    said = run(company, SOURCES[source])
    assert said.code == 4
    assert f"[quarantine_rate] {source}/{stream} [2026-06-30" in said.err
    assert "rows are unreadable, more than 5%" in said.err
    assert code in said.err
    assert "Nothing was committed" in said.err
    assert "Traceback" not in said.err
    assert newest_load(company, source, stream) == ("failed", "quarantine_rate", 0)
    assert versions(company, source, stream) == held
    assert quarantined(company) == []
    # Repaired at the source, the same command loads the day.
    company.servers.data_faults.switch_off()
    assert load(company, source, stream).code == 0
    assert newest_load(company, source, stream)[0] == "done"


@pytest.mark.parametrize(
    ("kind", "source", "stream", "day", "code"),
    [
        ("vanished:hubspot/tickets", "hubspot", "tickets", BAD, "bad_request"),
        ("vanished:stripe/invoices", "stripe", "invoices", BAD, "not_found"),
        ("emptied:stripe/invoices", "stripe", "invoices", BAD, "vanished"),
        ("vanished:typeform/responses", "typeform", "responses", BAD, "not_found"),
        # A quiet day and an empty CRM look the same to a search; the weekly listing tells.
        ("emptied:hubspot/contacts", "hubspot", "contacts", SUNDAY, "delete_guard"),
    ],
)
def test_a_stream_that_vanished_stops_the_run(
    company: Company, kind: str, source: str, stream: str, day: date, code: str
) -> None:
    held = versions(company, source, stream)
    spoil(company, kind, day=day)
    said = run(company, SOURCES[source], day)
    assert said.code == 4, said
    assert f"[{code}] {source}/{stream} [2026-" in said.err
    assert "Traceback" not in said.err
    assert newest_load(company, source, stream) == ("failed", code, 0)
    assert versions(company, source, stream) == held
    assert f"{code}" in retention(company.environment(), "status").out


def held_meeting(doc: dict[str, Any]) -> bool:
    """A meeting that took place, in a word that nobody agreed on."""
    doc["properties"]["hs_meeting_outcome"] = "HELD"
    return True


def test_values_nobody_agreed_on_stop_at_the_gate_before_anything_is_built(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(data_faults.DATA_FAULTS, "held", ("hubspot", "meetings", held_meeting))
    builds = query(company.wh, "select count(*) from ops.builds")
    spoil(company, "held*5")
    said = run(company, hubspot.SOURCE)
    assert said.code == 6
    assert "[gate_failed]" in said.err
    assert "raw_hubspot_meetings: expect_column_values_to_be_in_set(outcome)" in said.err
    assert query(company.wh, "select count(*) from ops.builds") == builds
    shown = retention(company.environment(), "status").out
    assert "gate arrived, critical: raw_hubspot_meetings" in shown
    assert "Readers see publish 1: as of 2026-06-30" in shown


def test_a_connection_that_is_missing_or_broken_stops_the_run_before_the_first_load(
    company: Company,
) -> None:
    loads = query(company.wh, "select count(*) from ops.loads")
    environment = company.environment()
    fields = json.loads(environment["AIRFLOW_CONN_TYPEFORM_API"])
    wrong = {
        None: (3, "[missing_connection] typeform_api: there is no connection"),
        "{not json": (3, "[broken_connection] typeform_api"),
    }
    for text, (code, part) in wrong.items():
        environment.pop("AIRFLOW_CONN_TYPEFORM_API", None)
        environment |= {"AIRFLOW_CONN_TYPEFORM_API": text} if text else {}
        said = retention(environment, "run", "--as-of", str(BAD))
        assert said.code == code
        assert part in said.err
    assert query(company.wh, "select count(*) from ops.loads") == loads
    environment["AIRFLOW_CONN_TYPEFORM_API"] = json.dumps({**fields, "password": "tfp_wrong"})
    said = retention(environment, "load", "typeform", "--end", "2026-07-02")
    assert said.code == 4
    assert "[unauthorized] typeform/responses" in said.err
    assert "tfp_wrong" not in said.err


MAPPINGS = {
    "no_yaml": ("streams: [unclosed", 3, "mapping.yml", "mapping.yml"),
    "unknown_stream": (
        "streams: {ponies: {file: p.csv, fields: {id: id}}}",
        3,
        "mapping",
        "ponies",
    ),
    "missing_column": (
        "streams:\n  accounts:\n    file: accounts.csv\n    fields: {account_id: nr, name: name}\n",
        4,  # the mapping is sound, the file is not what it says
        "accounts.csv:1",
        "nr",
    ),
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_a_broken_mapping_stops_the_run_and_the_check_says_where(
    company: Company, tmp_path: Path, name: str
) -> None:
    mapping, code, place, part = MAPPINGS[name]
    (tmp_path / "mapping.yml").write_text(mapping)
    (tmp_path / "accounts.csv").write_text("id,name\n1,One\n")
    environment = {
        **company.environment(),
        "RETENTION_SOURCES": "files",
        "AIRFLOW_CONN_FILES_FOLDER": json.dumps({"host": str(tmp_path)}),
    }
    checked = retention(environment, "files", "check", str(tmp_path))
    assert checked.code == 3
    assert place in checked.out + checked.err
    assert part in checked.out + checked.err
    said = retention(environment, "run", "--as-of", str(BAD))
    assert said.code == code, said
    assert part in said.err
    assert "Traceback" not in said.err
    assert query(
        company.wh, "select count(*) from ops.loads where source = 'files' and status = 'done'"
    ) == [(0,)]
