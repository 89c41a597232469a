"""The suites in expectations/ are valid and give a reason for each threshold."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention import suites
from retention.errors import ConfigurationError
from retention.gates import validation

SUITES = suites.load_all()


def written(folder: Path, text: str, name: str = "raw_shop_things") -> Path:
    path = folder / f"{name}.yml"
    path.write_text(text)
    return path


def test_there_are_suites_for_both_boundaries() -> None:
    names = {suite.name for suite in SUITES}
    assert any(name.startswith("raw_") for name in names)
    assert any(name.startswith("marts_") for name in names)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_suite_holds_checks_that_great_expectations_knows(suite: suites.Suite) -> None:
    assert suite.expectations
    made = validation.configurations(
        suite, lambda query: query.replace("{", "{{").replace("}", "}}")
    )
    assert len(made) == len(suite.expectations)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_check_has_notes_and_an_owner(suite: suites.Suite) -> None:
    for entry in suite.expectations:
        assert entry.notes, f"{suite.name}: {entry.label} has no notes"
        assert entry.owner, f"{suite.name}: {entry.label} has no owner"
    for anomaly in suite.anomalies:
        assert len(anomaly.notes.split()) > 3, f"{suite.name}: {anomaly.name} has no reason"


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_names_of_checks_are_unique_within_a_suite(suite: suites.Suite) -> None:
    labels = [(entry.label, entry.column) for entry in suite.expectations]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_check_of_raw_only_names_columns_that_the_suite_declares(suite: suites.Suite) -> None:
    stream_columns = {"event_date", "account_key", "user_key", "feature", "events", "units"}
    known = set(suite.columns) | stream_columns | {"record_id"}
    if suite.table.startswith("raw."):
        named = {entry.column for entry in suite.expectations if entry.column}
        assert named <= known


def test_an_unknown_expectation_is_rejected(tmp_path: Path) -> None:
    text = "table: raw.shop_things\nexpect:\n  - expect_column_values_to_be_nice: {column: id}\n"
    with pytest.raises(ConfigurationError, match="expect_column_values_to_be_nice"):
        validation.configurations(suites.load(written(tmp_path, text)))


def test_an_unknown_argument_is_rejected(tmp_path: Path) -> None:
    text = (
        "table: raw.shop_things\nexpect:\n"
        "  - expect_column_values_to_be_between: {column: id, min_value: 0, max_valu: 9}\n"
    )
    with pytest.raises(ConfigurationError, match="max_valu"):
        validation.configurations(suites.load(written(tmp_path, text)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("table: raw.shop_things\nexpct: []\n", "expct"),
        ("table: raw.shop_things\ntable: raw.shop_things\n", "a key is repeated"),
        ("table: raw.other\nexpect: []\n", "raw_other.yml"),
        ("table: public.things\n", "table"),
        ("table: raw.shop_things\nexpect: [{severity: critical}]\n", "one expectation"),
        ("table: raw.shop_things\nexpect: [expect_x]\n", "mapping"),
        (
            "table: raw.shop_things\nexpect:\n  - expect_x: {column: a}\n    severity: fatal\n",
            "critical, warning, info",
        ),
        ("table: raw.shop_things\ncolumns: {a: {path: a, type: money}}\n", "type is one of"),
        ("table: [", "expected"),
        ("- a\n", "valid dict"),
    ],
)
def test_an_invalid_file_is_rejected_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=r"raw_shop_things\.yml") as raised:
        suites.load(written(tmp_path, text))
    assert message in str(raised.value)


def test_a_mart_has_no_columns_to_declare(tmp_path: Path) -> None:
    text = "table: marts.fct_x\ncolumns: {a: {path: a}}\n"
    with pytest.raises(ConfigurationError, match="columns of its own"):
        suites.load(written(tmp_path, text, "marts_fct_x"))


def test_an_anomaly_needs_a_reason(tmp_path: Path) -> None:
    text = "table: marts.fct_x\nanomalies: [{name: rows, measure: count(*), max_drop: 0.4}]\n"
    with pytest.raises(ConfigurationError, match="notes"):
        suites.load(written(tmp_path, text, "marts_fct_x"))
