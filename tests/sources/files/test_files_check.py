"""Before anything is loaded, every problem of a folder is told with file, line and column."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from retention.sources.files.check import check, has_errors
from retention.sources.files.problems import ERROR, WARNING, Problem
from tests.places import FIXTURES, ROOT
from tests.sources.files.files_folder import ACCOUNTS, folder

UGLY = FIXTURES / "files" / "ugly"

TERMS = """
streams:
  accounts: {file: accounts.csv, fields: {account_id: id}}
  subscriptions:
    file: terms.csv
    fields:
      subscription_id: id
      account_id: account
      starts_on: {value: "2024-01-01"}
      mrr_amount: {value: 1}
      currency: {value: USD}
"""


def places(problems: list[Problem], severity: str = ERROR) -> set[tuple[str, int | None, str]]:
    return {(each.file, each.line, each.code) for each in problems if each.severity == severity}


def codes(root: Path, mapping: Path | None = None) -> list[str]:
    return [each.code for each in check(root, mapping)]


def test_every_invalid_row_is_reported_with_file_and_line() -> None:
    assert places(check(UGLY)) == {
        ("accounts.csv", 6, "bad_encoding"),
        ("accounts.csv", 7, "ragged_row"),
        ("accounts.csv", 8, "missing_key"),
        ("answers.ndjson", 2, "score_off_scale"),
        ("answers.ndjson", 3, "not_a_number"),
        ("answers.ndjson", 4, "duplicate_key"),
        ("answers.ndjson", 5, "unknown_word"),
        ("answers.ndjson", 6, "bad_timestamp"),
        ("answers.ndjson", 7, "bad_json"),
        ("terms.csv", 3, "end_before_start"),
        ("terms.csv", 4, "negative_amount"),
        ("terms.csv", 5, "unknown_currency"),
        ("terms.csv", 6, "number_too_long"),
        ("terms.csv", 7, "not_a_number"),
        ("terms.csv", 9, "duplicate_id"),
        ("terms.csv", 11, "orphan"),
    }


def test_an_unusual_row_that_loads_is_a_warning() -> None:
    assert places(check(UGLY), WARNING) == {
        ("accounts.csv", 1, "byte_order_mark"),
        ("accounts.csv", 1, "crlf"),
        ("accounts.csv", 3, "unknown_country"),
        ("accounts.csv", 3, "bad_timestamp"),
        ("accounts.csv", 9, "bad_timestamp"),
        ("terms.csv", 8, "empty_term"),
        ("terms.csv", 10, "empty_term"),
        ("terms.csv", 10, "repeated_row"),
        ("terms.csv", 11, "not_a_whole_number"),
    }


def test_a_problem_names_the_column_of_the_file_and_not_the_field() -> None:
    found = {(each.line, each.column) for each in check(UGLY) if each.line in {3, 4}}
    assert {(3, "country"), (3, "signed"), (3, "until"), (4, "price")} <= found


def test_a_problem_reads_as_one_line_with_its_place(tmp_path: Path) -> None:
    root = folder(tmp_path, accounts_csv="id,nam\n1,x\n")
    assert [str(each) for each in check(root)] == [
        "accounts.csv:1: name: no column 'name'. Did you mean 'nam'? [missing_column]"
    ]


def test_warnings_alone_are_no_errors(tmp_path: Path) -> None:
    problems = check(folder(tmp_path, accounts_csv="id,name\r\n1,x\r\n"))
    assert [each.code for each in problems] == ["crlf"]
    assert not has_errors(problems)
    assert has_errors(check(UGLY))


def test_a_missing_file_names_the_nearest_one(tmp_path: Path) -> None:
    problems = check(folder(tmp_path, acounts_csv="id,name\n"))
    assert [each.code for each in problems] == ["missing_file"]
    assert "Did you mean 'acounts.csv'?" in problems[0].message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"id,name\n", "no_rows"),
        (b"id,name,id\n1,x,2\n", "repeated_column"),
        (b'id,name\n1,"x\n2,y\n3,z\n', "unclosed_quote"),
        (b'id,name\n1,"x" y\n2,y\n', "bad_csv"),
        ("id,name\n1,x\n".encode("utf-16"), "bad_encoding"),
        (gzip.compress(b"id,name\n" + b"1,x\n" * 9999)[:-9], "truncated_file"),
        (b"\x1f\x8b\x08\x00broken", "truncated_file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_untrustworthy_file_is_reported(tmp_path: Path, content: bytes, code: str) -> None:
    assert code in codes(folder(tmp_path, accounts_csv=content))


def test_a_mapping_problem_does_not_hide_the_other_streams(tmp_path: Path) -> None:
    mapping = TERMS.replace("account_id: id", "acount_id: id")
    root = folder(tmp_path, mapping, accounts_csv="id\n1\n", terms_csv="id,acount\nS,1\n")
    found = {(each.file, each.code) for each in check(root)}
    assert ("mapping.yml", "unknown_field") in found
    assert ("terms.csv", "missing_column") in found


def test_a_folder_without_a_mapping_is_one_problem_that_says_what_to_do(tmp_path: Path) -> None:
    problems = check(tmp_path)
    assert [each.code for each in problems] == ["mapping_missing"]
    assert "demo/mappings/example" in problems[0].message


def test_few_strays_are_a_warning_and_many_are_an_error(tmp_path: Path) -> None:
    sound = "".join(f"S-{n},1\n" for n in range(60))
    few = folder(tmp_path, TERMS, accounts_csv="id\n1\n", terms_csv=f"id,account\n{sound}X,9\n")
    assert [(each.code, each.severity) for each in check(few)] == [("orphan", WARNING)]
    many = folder(tmp_path, TERMS, accounts_csv="id\n2\n", terms_csv=f"id,account\n{sound}")
    assert [(each.code, each.severity) for each in check(many)] == [("orphan", ERROR)]


def test_equal_problems_are_counted_and_hide_no_other(tmp_path: Path) -> None:
    rows = "".join(f"{n},x,too many\n" for n in range(500)) + ",no key\n"
    problems = check(folder(tmp_path, accounts_csv=f"id,name\n{rows}"))
    ragged = [each for each in problems if each.code == "ragged_row"]
    assert len(ragged) < 60
    assert sum(each.count for each in ragged) == 500
    assert "missing_key" in {each.code for each in problems}


def test_a_column_missing_from_json_is_reported_with_the_nearest_name(tmp_path: Path) -> None:
    mapping = ACCOUNTS.replace("accounts.csv", "accounts.ndjson")
    root = folder(tmp_path, mapping, accounts_ndjson='{"id": 1, "nmae": "x"}\n')
    (problem,) = check(root)
    assert (problem.code, problem.severity) == ("missing_column", WARNING)
    assert "'nmae'" in problem.message


def test_a_truncated_last_json_line_rejects_the_file(tmp_path: Path) -> None:
    mapping = ACCOUNTS.replace("accounts.csv", "accounts.ndjson")
    root = folder(tmp_path, mapping, accounts_ndjson='{"id": 1, "name": "x"}\n{"id": 2, "na')
    assert ("accounts.ndjson", 2, "truncated_file") in places(check(root))


def test_columns_declared_unique_are_warned_of_and_not_refused(tmp_path: Path) -> None:
    mapping = ACCOUNTS.replace("    fields", "    unique: [name]\n    fields")
    problems = check(folder(tmp_path, mapping, accounts_csv="id,name\n1,x\n2,x\n"))
    assert [(each.code, each.line) for each in problems] == [("repeated_value", 3)]
    assert not has_errors(problems)


@pytest.mark.parametrize("name", ["example", "hubspot_export", "salesforce"])
def test_the_shipped_examples_are_valid(name: str) -> None:
    example = ROOT / "demo" / "mappings" / name
    assert (example / "mapping.yml").is_file()
    assert check(example) == []
