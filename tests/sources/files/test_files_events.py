"""Usage events of a folder: the bulk path reads them as the row-by-row reading does."""

from __future__ import annotations

import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ConfigurationError, ExtractionError
from retention.source import Connection
from retention.sources.files import SOURCE
from retention.sources.files.check import check, has_errors
from retention.usage.formats import EventFiles
from retention.usage.lake import session, write_part
from retention.usage.lines import EventFile
from tests.sources.files.files_folder import documents, folder

CSV = """
time_zone: Europe/Berlin
null_values: [n/a]
streams:
  usage_events:
    file: usage*.csv
    delimiter: ";"
    fields:
      event_id: {columns: [id, who]}
      feature:
        column: what
        map: {rpt: report, exp: export}
        otherwise: other
        if_empty: unnamed
      account_id:
        column: sub
        lookup: {file: subs.csv, match: sub, take: account, delimiter: ";"}
        otherwise: nobody
      subscription_id: sub
      user_id: who
      occurred_at: {column: day, format: "%d.%m.%Y %H:%M"}
      received_at: {column: day, format: "%d.%m.%Y %H:%M", plus: {column: late, unit: minutes}}
      quantity: {column: amount, decimal: ",", thousands: "."}
"""
CSV_ROWS = """id;who;what;sub;day;late;amount
1;u|1;rpt;S-1;31.03.2024 01:30;90;1.234,50
2;u2;it's;S-2;31.03.2024 12:00;0;n/a
3; u3 ;n/a;S-9;15.01.2024 00:00;1.5;7
4;u4;exp;S-1;15.07.2024 23:59;n/a;-3
"""
JSON = """
streams:
  usage_events:
    file: usage.ndjson.gz
    fields:
      event_id: id
      feature: {value: login}
      account_id: {column: who.account, map: {old: new}}
      user_id: who.user name
      occurred_at: {column: at, unit: epoch_milliseconds}
      received_at: {column: got, time_zone: America/New_York}
      quantity: {column: n, if_empty: 1}
"""
JSON_ROWS = """\
{"id": 1, "who": {"account": "old", "user name": "x"}, "at": 1714644000123, "got": "2024-05-02"}
{"id": "a", "who": {"account": "b"}, "at": 1714644000000, "got": "2024-05-02T12:00:00Z", "n": 2.5}
{"id": "b", "who": {"account": "b"}, "at": 1714644000000, "n": 0.123456789}
"""


def event_files(root: Path) -> EventFiles:
    found = SOURCE.stream("usage_events").extra["event_files"](Connection("files", str(root)))
    assert isinstance(found, EventFiles)
    return found


def in_bulk(root: Path, scratch: Path) -> list[dict[str, Any]]:
    """What the bulk path makes of the folder, in the terms of a document."""
    files = event_files(root)
    inputs = [EventFile(n, files.name(path), path) for n, path in enumerate(files.paths)]
    db = session(scratch / "spill")
    part = write_part(db, files.format, inputs, scratch / "part", lambda: None)
    rows = db.execute(
        "select event_id, feature, account_key, nullif(user_key, ''),"
        " nullif(subscription_key, ''), epoch_us(occurred_at), epoch_us(received_at), units"
        " from read_parquet(?) where problem is null order by file, line",
        [str(part.events)],
    ).fetchall()
    names = ("event_id", "feature", "account_id", "user_id", "subscription_id")
    names += ("occurred_at", "received_at", "quantity")
    return [dict(zip(names, row, strict=True)) for row in rows]


def in_microseconds(doc: dict[str, Any]) -> dict[str, Any]:
    """A document with its times as the bulk path counts them; unreceived is received at once."""
    happened = doc["occurred_at"]
    times = {"occurred_at": happened, "received_at": doc["received_at"] or happened}
    return doc | {
        name: round(datetime.fromisoformat(text).timestamp() * 1_000_000)
        for name, text in times.items()
    }


@pytest.mark.parametrize(
    ("mapping", "files"),
    [
        (CSV, {"usage_csv": CSV_ROWS, "subs_csv": "sub;account\nS-1;A\nS-2;B\n"}),
        (JSON, {"usage_ndjson_gz": gzip.compress(JSON_ROWS.encode())}),
    ],
    ids=["csv", "ndjson"],
)
def test_the_bulk_path_and_row_by_row_reading_give_equal_rows(
    tmp_path: Path, mapping: str, files: dict[str, Any]
) -> None:
    root = folder(tmp_path / "data", mapping, **files)
    by_row = [in_microseconds(doc) for doc in documents(root, "usage_events")]
    assert len(by_row) >= 3
    assert in_bulk(root, tmp_path) == by_row


def test_events_are_read_with_words_zones_and_lookups(tmp_path: Path) -> None:
    root = folder(
        tmp_path / "data",
        CSV,
        usage_csv=CSV_ROWS,
        subs_csv="sub;account\nS-1;A\nS-2;B\n",
    )
    found = in_bulk(root, tmp_path)
    assert [each["feature"] for each in found] == ["report", "other", "unnamed", "export"]
    assert [each["account_id"] for each in found] == ["A", "B", "nobody", "A"]
    assert [each["event_id"] for each in found] == ["1|u\\|1", "2|u2", "3|u3", "4|u4"]
    assert [each["quantity"] for each in found] == [Decimal("1234.5"), None, 7, -3]
    winter = datetime.fromisoformat("2024-01-14T23:00:00+00:00").timestamp() * 1_000_000
    assert found[2]["occurred_at"] == winter
    assert found[2]["received_at"] - winter == 90_000_000


def test_a_folder_without_usage_events_has_no_event_files(tmp_path: Path) -> None:
    mapping = "streams: {accounts: {file: a.csv, fields: {account_id: id}}}"
    assert event_files(folder(tmp_path, mapping, a_csv="id\n1\n")).paths == ()


def test_missing_event_files_stop_the_load(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError, match="no file") as caught:
        event_files(folder(tmp_path, JSON))
    assert caught.value.code == "missing_file"


def test_an_ambiguous_lookup_file_stops_the_load(tmp_path: Path) -> None:
    root = folder(tmp_path, CSV, usage_csv=CSV_ROWS, subs_csv="sub;account\nS-1;A\nS-1;B\n")
    with pytest.raises(ExtractionError, match="more than one account"):
        event_files(root)


def test_filters_and_encodings_the_bulk_path_lacks_are_refused_by_name(tmp_path: Path) -> None:
    mapping = JSON.replace("    fields", "    only: {kind: [x]}\n    encoding: cp1252\n    fields")
    root = folder(tmp_path, mapping, usage_ndjson_gz=gzip.compress(b""))
    assert [each.code for each in check(root)] == ["option_not_for_stream"] * 2
    with pytest.raises(ConfigurationError, match="bulk path"):
        event_files(root)


UGLY = """{"id": 1, "who": {"account": "a"}, "at": 1714644000000, "n": 1}
{"id": null, "who": {"account": "a"}, "at": 1714644000000, "n": 1}
{"id": 2, "who": {}, "at": 1714644000000, "n": 1}
{"id": 3, "who": {"account": "a"}, "at": "yesterday", "n": 1}

{"id": 4, "who": {"account": "a"}, "at": 1714644000000, "n": "many"}
{"id": 1, "who": {"account": "a"}, "at": 1714644999000, "n": 1}
{"id": 1, "who": {"account": "a"}, "at": 1714644000000, "n": 1}
no json
"""


def test_the_check_reports_every_event_that_would_not_load(tmp_path: Path) -> None:
    root = folder(tmp_path, JSON.replace(".gz", ""), usage_ndjson=UGLY)
    problems = check(root)
    assert [(each.line, each.code) for each in problems if each.severity == "error"] == [
        (2, "missing_event_id"),
        (3, "missing_account"),
        (4, "bad_timestamp"),
        (6, "bad_number"),
        (9, "malformed"),
    ]
    assert {(each.line, each.code) for each in problems if each.severity == "warning"} >= {
        (7, "duplicate_id"),
        (8, "repeated_row"),
    }


def test_events_of_unknown_accounts_are_strays(tmp_path: Path) -> None:
    mapping = JSON.replace(".gz", "") + "  accounts: {file: a.csv, fields: {account_id: id}}\n"
    rows = "".join(
        f'{{"id": {n}, "who": {{"account": "{n // 50}", "user name": "u"}}, "at": 1714644000000,'
        ' "n": 1}\n'
        for n in range(51)
    )
    root = folder(
        tmp_path,
        mapping,
        usage_ndjson=rows.replace("}\n", ', "got": "2024-06-01"}\n'),
        a_csv="id\n0\n",
    )
    (problem,) = check(root)
    assert (problem.code, problem.line, problem.column) == ("orphan", 51, "who.account")
    assert not has_errors([problem])


def test_a_misspelt_path_of_an_event_is_named_with_the_nearest(tmp_path: Path) -> None:
    mapping = JSON.replace(".gz", "").replace("who.account", "who.acount")
    problems = check(folder(tmp_path, mapping, usage_ndjson=UGLY))
    found = {each.column: each.message for each in problems if each.code == "missing_column"}
    assert "Did you mean 'who.account'?" in found["who.acount"]


def test_a_truncated_event_file_is_one_error_with_its_name(tmp_path: Path) -> None:
    root = folder(tmp_path, JSON, usage_ndjson_gz=gzip.compress(JSON_ROWS.encode())[:-9])
    errors = [each for each in check(root) if each.severity == "error"]
    assert [(each.file, each.code) for each in errors] == [("usage.ndjson.gz", "truncated_body")]
