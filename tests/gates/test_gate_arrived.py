"""Gate 1 on a real Postgres: checks of the raw data before a build."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from retention.errors import ConfigurationError, GateFailed
from retention.gates.gate import GateReport, require
from retention.gates.validation import may_be_chance
from retention.warehouse import Warehouse
from tests.gates.gate_inputs import (
    AS_OF,
    CANARY,
    LOOSE,
    THINGS_SUITE,
    arrived,
    built,
    execute,
    failed,
    published,
    row,
)
from tests.loading import LISTED, load, query, thing, window


def test_good_rows_pass_and_every_check_is_stored(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red", score=3), thing("b", name="blue", score=4)])
    report = arrived(warehouse, folder)
    assert report.passed, report.summary()
    require(report)
    kept = query(
        warehouse,
        "select suite, expectation, column_name, severity, success from ops.gate_results"
        f" where gate_run_id = {report.gate_run_id}",
    )
    assert len(kept) == len(report.outcomes) > 10
    assert {r[4] for r in kept} == {True}


def test_a_bad_value_stops_the_run_and_names_suite_check_column_and_count(
    warehouse: Warehouse, folder: Path
) -> None:
    load(warehouse, [thing("a", name="red"), thing("b", name=""), thing("c", name=None)])
    report = arrived(warehouse, folder)
    with pytest.raises(GateFailed) as raised:
        require(report)
    said = str(raised.value)
    assert raised.value.exit_code == 6
    assert "raw_shop_things: expect_column_values_to_not_be_null(name): 2 of 3 unexpected" in said


def test_a_warning_is_reported_and_does_not_stop_the_run(
    warehouse: Warehouse, folder: Path
) -> None:
    load(warehouse, [thing("a", name="green")])
    report = arrived(warehouse, folder)
    assert report.passed
    (warning,) = report.warnings
    assert (warning.expectation, warning.unexpected, warning.checked) == (
        "expect_column_values_to_be_in_set",
        1,
        1,
    )


@pytest.mark.parametrize(("odd", "rows", "stops"), [(1, 3, False), (3, 3, True), (9, 30, True)])
def test_a_rate_on_a_day_of_few_rows_stops_only_beyond_chance(
    warehouse: Warehouse, folder: Path, odd: int, rows: int, stops: bool
) -> None:
    text = THINGS_SUITE.replace("{column: name}\n", "{column: name, mostly: 0.95}\n")
    (folder / "raw_shop_things.yml").write_text(text)
    names = [None] * odd + ["red"] * (rows - odd)
    load(warehouse, [thing(str(n), name=name) for n, name in enumerate(names)])
    report = arrived(warehouse, folder)
    assert report.passed is not stops
    assert len(report.critical) + len(report.warnings) == 1


def test_chance_is_the_binomial_tail() -> None:
    assert may_be_chance(0.9, 2, 3)
    assert not may_be_chance(0.9, 30, 100)
    assert may_be_chance(0.9, 19, 100)
    assert not may_be_chance(0.9, 21, 100)
    assert not may_be_chance(0.95, 60_000, 1_000_000)
    assert not may_be_chance(None, 1, 3)


def test_only_records_since_the_last_publish_are_checked(
    warehouse: Warehouse, folder: Path
) -> None:
    load(warehouse, [thing("a", name=None)], window(0))
    assert not arrived(warehouse, folder).passed
    published(warehouse, built(warehouse, [row("x"), row("y")]))
    load(warehouse, [thing("b", 1, name="red")], window(1))
    assert arrived(warehouse, folder, AS_OF + timedelta(days=1)).passed


def test_a_repaired_record_no_longer_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name=None)], window(0))
    assert not arrived(warehouse, folder).passed
    load(warehouse, [thing("a", 0.5, name="red")], window(0))
    assert arrived(warehouse, folder).passed


def test_a_day_without_new_records_passes(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")], window(0))
    published(warehouse, built(warehouse, [row("x"), row("y")]))
    load(warehouse, [], window(1))
    report = arrived(warehouse, folder, AS_OF + timedelta(days=1))
    assert report.passed, report.critical


def test_a_gate_without_loads_fails(warehouse: Warehouse, folder: Path) -> None:
    report = arrived(warehouse, folder)
    assert failed(report) == {"something_arrived"}
    with pytest.raises(GateFailed):
        require(GateReport("arrived", (), 0.0))


def test_a_missing_suite_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")])
    (folder / "raw_shop_things.yml").unlink()
    assert failed(arrived(warehouse, folder)) == {"suite_has_checks"}


def test_an_empty_suite_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")])
    (folder / "raw_shop_things.yml").write_text("table: raw.shop_things\nexpect: []\n")
    assert failed(arrived(warehouse, folder)) == {"suite_has_checks"}


def test_a_misspelt_check_raises_even_on_a_day_without_rows(
    warehouse: Warehouse, folder: Path
) -> None:
    load(warehouse, [], window(0))
    (folder / "raw_shop_things.yml").write_text(
        "table: raw.shop_things\nexpect: [{expect_column_values_to_be_nice: {column: record_id}}]\n"
    )
    with pytest.raises(ConfigurationError, match="expect_column_values_to_be_nice"):
        arrived(warehouse, folder)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("expect_column_values_to_not_be_null: {column: nowhere}", "nowhere"),
        ("expect_column_values_to_be_between: {column: nowhere, min_value: 1}", "nowhere"),
        (
            "unexpected_rows_expectation: {unexpected_rows_query: "
            "'select * from {batch} where 1 / (score - score) > 1'}",
            "DivisionByZero",
        ),
        (
            "unexpected_rows_expectation: {unexpected_rows_query: "
            "'with gone as (delete from raw.shop_things returning *) select * from gone {batch}'}",
            "could not be evaluated",
        ),
    ],
)
def test_a_check_that_cannot_be_evaluated_is_critical(
    warehouse: Warehouse, folder: Path, entry: str, reason: str
) -> None:
    load(warehouse, [thing("a", name="red", score=1)])
    (folder / "raw_shop_things.yml").write_text(
        f"{THINGS_SUITE}  - {entry}\n    severity: info\n    name: odd\n"
    )
    (outcome,) = arrived(warehouse, folder).critical
    assert outcome.expectation == "odd"
    assert reason in outcome.notes
    assert query(warehouse, "select count(*) from raw.shop_things") == [(1,)]


def test_a_suite_cannot_write(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")])
    execute(warehouse, "transformer", "create table staging.mine (id int)")
    (folder / "raw_shop_things.yml").write_text(
        "table: raw.shop_things\nexpect:\n  - unexpected_rows_expectation:\n"
        "      unexpected_rows_query: with x as (select * from {batch}) select * from x,"
        " query_to_xml('insert into staging.mine values (1)', true, true, '')\n"
    )
    assert not arrived(warehouse, folder).passed
    assert query(warehouse, "select count(*) from staging.mine", "transformer") == [(0,)]


def test_rows_missing_from_raw_fail_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red"), thing("b", name="red")])
    execute(warehouse, "loader", "update ops.loads set versions_written = 5")
    report = arrived(warehouse, folder)
    assert failed(report) == {"rows_match_the_load_log"}
    assert report.critical[0].unexpected == 3


def test_texts_that_are_not_of_their_type_are_counted(warehouse: Warehouse, folder: Path) -> None:
    load(
        warehouse,
        [
            thing("a", name="red", score="many", born_at="2026-02-30"),
            thing("b", name="red", score="7", born_at="2026-02-28"),
        ],
        stream=LOOSE,
    )
    report = arrived(warehouse, folder)
    found = {(o.expectation, o.column): o.unexpected for o in report.critical}
    assert found == {
        ("values_read_as_their_type", "score"): 1,
        ("values_read_as_their_type", "born_at"): 1,
    }


def test_a_stream_that_vanished_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")])
    load(warehouse, [])  # a full load without records
    assert failed(arrived(warehouse, folder)) == {"stream_has_not_vanished"}


def test_a_stream_whose_last_record_was_deleted_stops_the_gate(
    warehouse: Warehouse, folder: Path
) -> None:
    load(warehouse, [thing("a", name="red")], window(0), LISTED)
    load(warehouse, [thing("a", 1, deleted=True)], window(1), LISTED)
    assert "stream_has_not_vanished" in failed(arrived(warehouse, folder))


def test_a_required_field_that_is_gone_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")], window(0))
    execute(
        warehouse,
        "loader",
        "insert into ops.drift (load_id, source, stream, path, kind, detail, seen_at)"
        " select load_id, source, stream, path, 'gone', '', loaded_at from ops.loads,"
        " (values ('name'), ('colour')) as lost (path)",
    )
    report = arrived(warehouse, folder)
    assert [(o.expectation, o.column) for o in report.critical] == [
        ("documented_fields_arrived", "name")
    ]


def test_a_cursor_in_the_future_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")], window(0))
    execute(
        warehouse,
        "loader",
        "insert into ops.cursors (source, stream, cursor_at)"
        " values ('shop', 'things', '2999-01-01')"
        " on conflict (source, stream) do update set cursor_at = excluded.cursor_at",
    )
    assert failed(arrived(warehouse, folder)) == {"cursor_is_not_ahead"}


def test_a_stale_stream_is_a_warning(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")], window(0))
    report = arrived(warehouse, folder, AS_OF + timedelta(days=3))
    assert report.passed
    assert [o.expectation for o in report.warnings] == ["stream_is_fresh"]
    assert not arrived(warehouse, folder, AS_OF + timedelta(days=1)).warnings


def test_too_much_in_quarantine_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing(str(n), name="red") for n in range(30)])
    for expected in (set(), {"quarantine_is_small"}):
        execute(
            warehouse,
            "loader",
            "insert into ops.quarantine (load_id, source, stream, position, code, reason, raw,"
            " loaded_at) select load_id, source, stream, 'row', 'x', 'x', %s, loaded_at"
            " from ops.loads",
            CANARY,
        )
        assert failed(arrived(warehouse, folder)) == expected
