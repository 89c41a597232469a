"""A mapping is read as it is written, and a wrong one says where and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention.errors import ConfigurationError
from retention.sources.files.fields import CanonicalField, fields_of
from retention.sources.files.mapping_file import SHIPPED, find_mapping, load_mapping, read_mapping
from retention.sources.files.problems import Problem
from retention.sources.files.records import RECORDS

GOOD = """\
streams:
  accounts:
    file: accounts.csv
    fields:
      account_id: id
      country: {column: land, map: {UK: GB}}
"""


def problems(tmp_path: Path, text: str) -> list[Problem]:
    path = tmp_path / "mapping.yml"
    path.write_text(text)
    return read_mapping(path)[1]


def only(tmp_path: Path, text: str) -> Problem:
    found = problems(tmp_path, text)
    assert len(found) == 1, found
    return found[0]


def test_a_valid_mapping_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


def test_a_bare_word_is_a_column_and_a_file_is_a_list_of_one(tmp_path: Path) -> None:
    (tmp_path / "mapping.yml").write_text(GOOD)
    rule = load_mapping(tmp_path).streams["accounts"]
    assert rule.files == ("accounts.csv",)
    assert rule.fields["account_id"].column == "id"


def test_strings_are_not_converted_so_norway_is_not_false(tmp_path: Path) -> None:
    (tmp_path / "mapping.yml").write_text(GOOD.replace("UK: GB", "NO: NO, 007: US, 2024-01-01: FR"))
    rule = load_mapping(tmp_path).streams["accounts"].fields["country"]
    assert rule.map == {"NO": "NO", "007": "US", "2024-01-01": "FR"}


@pytest.mark.parametrize(
    ("was", "becomes", "line", "code", "says"),
    [
        ("  accounts:", "  acounts:", 2, "unknown_stream", "Did you mean 'accounts'?"),
        ("account_id: id", "acount_id: id", 5, "unknown_field", "Did you mean 'account_id'?"),
        ("    file:", "    flie:", 3, "mapping_unknown_key", "Did you mean 'file'?"),
        ("{column: land", "{colum: land", 6, "mapping_unknown_key", "Did you mean 'column'?"),
        ("UK: GB", "UK: UK", 6, "unknown_country", "UK"),
        ("map: {UK: GB}", "unit: minor", 6, "unknown_unit", "does not apply to a country"),
        ("map: {UK: GB}", "per: yaer", 6, "mapping_value", "'month'"),
        ("map: {UK: GB}", "per: year", 6, "option_not_for_field", "applies to money"),
        (
            "column: land, map: {UK: GB}",
            "map: {UK: GB}",
            6,
            "mapping_value",
            "set exactly one of column",
        ),
        ("map: {UK: GB}", "otherwise: GB", 6, "mapping_value", "`otherwise` needs a map"),
        ("accounts.csv", "../accounts.csv", 3, "file_outside_folder", "inside the folder"),
        ("accounts.csv", "/etc/passwd", 3, "file_outside_folder", "inside the folder"),
        ("streams:", "time_zone: Europe/Berln\nstreams:", 1, "unknown_time_zone", "Europe/Berlin"),
        ("streams:", "encoding: utf-9\nstreams:", 1, "unknown_encoding", "utf-9"),
        ("account_id: id", "name: id", 4, "missing_field", "accounts needs account_id"),
        ("file: accounts.csv", "duplicates: keep\n    file: a.csv", 3, "option_not_for_stream", ""),
    ],
)
def test_an_unknown_key_is_reported_with_line_and_suggestion(
    tmp_path: Path, was: str, becomes: str, line: int, code: str, says: str
) -> None:
    assert was in GOOD
    found = problems(tmp_path, GOOD.replace(was, becomes))
    right = [each for each in found if (each.code, each.line) == (code, line)]
    assert right, found
    assert says in right[0].message


@pytest.mark.parametrize("form", ["%d.%Q", "dd.mm.yyyy"])
def test_an_invalid_date_format_is_reported(tmp_path: Path, form: str) -> None:
    rule = f"signed_up_on: {{column: since, format: '{form}'}}"
    problem = only(tmp_path, GOOD.replace("country: {column: land, map: {UK: GB}}", rule))
    assert (problem.line, problem.code) == (6, "unknown_form")
    assert "%d.%m.%Y" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "code"),
    [
        ("streams:\n  accounts: [\n", 3, "yaml_syntax"),
        ("streams:\n\taccounts:\n", 2, "yaml_syntax"),
        ("", 1, "mapping_empty"),
        ("time_zone: UTC\ntime_zone: UTC\n", 2, "yaml_repeated_key"),
        ("a: &x [1]\nb: *x\n", 2, "yaml_alias"),
        ("- a\n", 1, "mapping_value"),
        ("streams:\n  accounts:\n    file: *.csv\n", 3, "yaml_syntax"),
    ],
)
def test_an_invalid_mapping_is_reported_with_its_line(
    tmp_path: Path, text: str, line: int, code: str
) -> None:
    problem = only(tmp_path, text)
    assert (problem.line, problem.code) == (line, code)


def test_a_mapping_in_another_encoding_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yml"
    path.write_bytes("streams:\n  # Größe\n".encode("latin-1"))
    assert [(each.code, each.line) for each in read_mapping(path)[1]] == [("bad_encoding", 2)]


def test_loading_a_broken_mapping_stops_with_file_line_and_the_right_name(tmp_path: Path) -> None:
    (tmp_path / "mapping.yml").write_text(GOOD.replace("  accounts:", "  acounts:"))
    with pytest.raises(ConfigurationError) as caught:
        load_mapping(tmp_path)
    assert caught.value.exit_code == 3
    assert "mapping.yml:2" in str(caught.value)
    assert "'accounts'" in str(caught.value)


def test_a_given_mapping_takes_precedence_over_folder_and_shipped_mappings(
    tmp_path: Path,
) -> None:
    inside, given = tmp_path / "ravenstack", tmp_path / "other.yml"
    inside.mkdir()
    assert find_mapping(inside) == SHIPPED / "ravenstack" / "mapping.yml"
    (inside / "mapping.yml").write_text(GOOD)
    assert find_mapping(inside) == inside / "mapping.yml"
    given.write_text(GOOD)
    assert find_mapping(inside, given) == given


@pytest.mark.parametrize(
    ("name", "message"), [("here", "has no mapping"), ("missing", "there is no")]
)
def test_without_a_folder_or_a_mapping_the_error_says_what_to_do(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(ConfigurationError, match=message):
        find_mapping(tmp_path / name)


def test_every_shipped_mapping_is_valid() -> None:
    shipped = sorted(SHIPPED.glob("*/mapping.yml"))
    assert len(shipped) >= 3
    assert [problem for path in shipped for problem in read_mapping(path)[1]] == []


def test_every_canonical_stream_has_a_required_key_and_refers_to_streams_there_are() -> None:
    assert RECORDS
    for stream in RECORDS:
        fields = list(fields_of(stream).values())
        assert fields[0].required
        assert {field.refers for field in fields if field.refers} <= set(RECORDS)


def test_a_field_carries_kind_words_and_reference() -> None:
    fields = fields_of("survey_responses")
    assert fields["survey"].words == ("nps", "csat", "ces")
    assert fields["account_id"] == CanonicalField("account_id", "id", True, refers="accounts")
