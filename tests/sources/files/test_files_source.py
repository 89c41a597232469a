"""A folder of files becomes records: exact values, every row accounted for."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ConfigurationError, ExtractionError
from retention.source import Connection, Record, Rejected
from retention.sources.files import SOURCE
from retention.sources.files.fields import fields_of
from retention.sources.files.records import RECORDS
from tests.places import FIXTURES
from tests.sources.files.files_folder import ACCOUNTS, documents, folder, read, subscriptions

UGLY = FIXTURES / "files" / "ugly"


def test_every_stream_of_the_source_holds_its_canonical_fields() -> None:
    assert len(SOURCE.streams) == len(RECORDS) >= 12
    for stream in SOURCE.streams:
        assert stream.key == next(iter(fields_of(stream.name)))
        assert (stream.kind == "usage") == (stream.name == "usage_events")


def test_a_document_holds_exactly_the_canonical_fields_null_where_unknown(tmp_path: Path) -> None:
    doc = documents(folder(tmp_path, accounts_csv="id,name\n1,\n"), "accounts")[0]
    assert list(doc) == list(fields_of("accounts"))
    assert doc == {**dict.fromkeys(doc), "account_id": "1"}


def test_a_record_carries_its_file_and_line(tmp_path: Path) -> None:
    root = folder(tmp_path, accounts_csv='id,name\n1,"two\nlines"\n2,x\n')
    assert [each.position for each in read(root, "accounts")] == [
        "accounts.csv line 2",
        "accounts.csv line 4",
    ]


def test_every_row_is_either_a_record_or_rejected_with_its_reason() -> None:
    found = read(UGLY, "accounts")
    rejected = [each for each in found if isinstance(each, Rejected) and not each.record_kept]
    assert [each.code for each in rejected] == ["bad_encoding", "ragged_row", "missing_key"]
    assert "Bad \\xff byte" in rejected[0].raw
    assert [each.record_id for each in found if isinstance(each, Record)] == [
        "A-1",
        "A-2",
        "A-5",
        "A-6",
    ]


def test_every_value_that_is_lost_is_rejected_with_its_reason() -> None:
    lost = [each for each in read(UGLY, "accounts") if isinstance(each, Rejected)]
    assert [(each.record_id, each.code) for each in lost if each.record_kept] == [
        ("A-2", "unknown_country"),
        ("A-2", "bad_timestamp"),
        ("A-5", "bad_timestamp"),
    ]
    assert "2024-02-30" in lost[1].reason
    assert "loaded without this value" in lost[1].reason


def test_quotes_line_ends_and_a_byte_order_mark_are_no_part_of_the_values() -> None:
    found = {
        each.record_id: each.doc for each in read(UGLY, "accounts") if isinstance(each, Record)
    }
    assert found["A-1"]["name"] == 'Quote, "Comma" & Sons'
    assert found["A-2"]["name"] == "Two\r\nlines"
    assert found["A-6"]["name"] == "Norway stays Norway"
    assert found["A-6"]["country"] == "NO"


def test_composite_keys_never_collide(tmp_path: Path) -> None:
    rows = "a,b,day,price\nx|y,z,31.01.2024,1\nx,y|z,31.01.2024,1\n"
    docs = documents(folder(tmp_path, subscriptions("price"), terms_csv=rows), "subscriptions")
    assert [doc["subscription_id"] for doc in docs] == ["x\\|y|z", "x|y\\|z"]


def test_an_id_is_the_same_written_as_a_number_or_as_text(tmp_path: Path) -> None:
    mapping = ACCOUNTS.replace("accounts.csv", "accounts.ndjson")
    root = folder(tmp_path, mapping, accounts_ndjson='{"id": 7}\n{"id": "7"}\n{"id": 7.0}\n')
    assert [each.record_id for each in read(root, "accounts")] == ["7", "7", "7"]


def test_a_lookup_replaces_a_subscription_by_its_account(tmp_path: Path) -> None:
    mapping = """
streams:
  churn_events:
    file: churn.csv
    fields:
      churn_event_id: id
      account_id: {column: sub, lookup: {file: terms.csv, match: sub, take: account}}
      churned_on: day
"""
    rows = "id,sub,day\n1,S,2024-01-01\n2,T,2024-01-01\n"
    root = folder(tmp_path, mapping, churn_csv=rows, terms_csv="sub,account\nS,A\n")
    found, lost = read(root, "churn_events")
    assert isinstance(found, Record)
    assert found.doc["account_id"] == "A"
    assert isinstance(lost, Rejected)
    assert (lost.code, lost.record_id) == ("lookup_failed", "2")


def test_rows_are_filtered_by_value(tmp_path: Path) -> None:
    mapping = ACCOUNTS + "    only: {kind: [customer, partner]}\n    skip: {name: [Test]}\n"
    rows = "id,name,kind\n1,A,customer\n2,B,prospect\n3,Test,customer\n4,D,partner\n"
    docs = documents(folder(tmp_path, mapping, accounts_csv=rows), "accounts")
    assert [doc["account_id"] for doc in docs] == ["1", "4"]


def test_the_last_row_of_a_key_wins_where_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = ACCOUNTS.replace("accounts.csv", "'*.csv'") + "    duplicates: last\n"
    root = folder(tmp_path, mapping, a_csv="id,name\n1,old\n2,x\n", b_csv="id,name\n1,new\n")
    names = {doc["account_id"]: doc["name"] for doc in documents(root, "accounts")}
    assert names == {"1": "new", "2": "x"}


def test_a_change_time_is_taken_from_its_column(tmp_path: Path) -> None:
    mapping = ACCOUNTS + "    updated_at: {column: changed, unit: epoch_seconds}\n"
    root = folder(tmp_path, mapping, accounts_csv="id,name,changed\n1,x,1704067200\n")
    (found,) = read(root, "accounts")
    assert isinstance(found, Record)
    assert found.updated_at is not None
    assert found.updated_at.isoformat() == "2024-01-01T00:00:00+00:00"


def test_csv_json_and_parquet_plain_or_gzip_give_the_same_documents(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    lines = b'{"id": 1, "name": "x"}\n{"id": 2, "name": null}\n'
    rows = b"id,name\n1,x\n2,\n"
    table = pa.table({"id": [1, 2], "name": ["x", None]})
    parquet.write_table(table, tmp_path / "accounts.parquet")
    packed = gzip.compress(rows[:10]) + gzip.compress(rows[10:])
    folder(tmp_path, accounts_csv=rows, accounts_ndjson=lines, accounts_csv_gz=packed)
    folder(tmp_path, accounts_tsv=rows.replace(b",", b"\t"), accounts_jsonl_gz=gzip.compress(lines))
    seen = []
    for suffix in ("csv", "csv.gz", "tsv", "ndjson", "jsonl.gz", "parquet"):
        (tmp_path / "mapping.yml").write_text(
            ACCOUNTS.replace("accounts.csv", f"accounts.{suffix}")
        )
        seen.append(documents(tmp_path, "accounts"))
    assert [doc["name"] for doc in seen[0]] == ["x", None]
    assert all(each == seen[0] for each in seen)


def test_a_stream_the_mapping_does_not_name_has_no_records(tmp_path: Path) -> None:
    assert read(folder(tmp_path, accounts_csv="id,name\n1,x\n"), "tickets") == []


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "missing_file"),
        ({"accounts_csv": "id\n1\n"}, "missing_column"),
        ({"accounts_csv": gzip.compress(b"id,name\n1,x\n")[:-4]}, "truncated_file"),
        ({"accounts_csv": 'id,name\n1,"x\n2,y\n'}, "unclosed_quote"),
    ],
)
def test_a_missing_or_truncated_file_stops_the_load_with_its_name(
    tmp_path: Path, files: dict[str, Any], code: str
) -> None:
    root = folder(tmp_path, **files)
    with pytest.raises(ExtractionError) as caught:
        read(root, "accounts")
    assert (caught.value.code, caught.value.exit_code) == (code, 4)
    assert "accounts.csv" in str(caught.value)
    assert "retention files check" in str(caught.value)


def test_a_broken_mapping_stops_the_load_as_a_configuration_error(tmp_path: Path) -> None:
    root = folder(tmp_path, ACCOUNTS.replace("account_id: id", "acount_id: id"))
    with pytest.raises(ConfigurationError, match="'account_id'"):
        read(root, "accounts")


def test_the_source_declares_its_folder_as_a_complete_listing() -> None:
    listed = [stream for stream in SOURCE.streams if stream.kind == "records"]
    assert len(listed) >= 11
    assert {(stream.deletes, stream.extra["delete_rate"]) for stream in listed} == {
        ("listing", 0.5)
    }
    assert Connection("files_folder", "/data").secret == ""
