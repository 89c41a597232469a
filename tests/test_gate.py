"""Both gates on a real Postgres: they fail closed, keep counts and never a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from retention.builds.build import manifest_path
from retention.errors import ConfigurationError, GateFailed
from retention.quality.gate import GateReport, check, require
from retention.quality.validation import may_be_chance
from retention.warehouse import Warehouse
from tests.loading import LISTED, SHOP, THINGS, load, query, thing, window

CANARY = "ada.canary@example.com"
SCRIPT = "<script>alert('XSS1')</script>"
AS_OF = date(2026, 3, 1)


class Loose(BaseModel):
    """A contract that lets everything through, so that the gate is what finds it."""

    id: str


LOOSE = replace(THINGS, record=Loose)
THINGS_SUITE = """
table: raw.shop_things
columns:
  name: {path: name, required: true}
  score: {path: score, type: integer}
  born_at: {path: born_at, type: timestamp}
expect:
  - expect_column_values_to_not_be_null: {column: name}
  - expect_column_values_to_be_in_set: {column: name, value_set: [red, blue]}
    severity: warning
  - expect_column_values_to_be_between: {column: score, min_value: 0, max_value: 10}
"""
MART_SUITE = """
table: marts.fct_things
rows: {min: 2}
as_of: {column: as_of_date, rule: all}
anomalies:
  - {name: rows, measure: count(*), max_drop: 0.4, notes: A lost source loses rows.}
  - {name: mrr, measure: sum(mrr), by: currency, max_drop: 0.3, notes: A lost price loses revenue.}
expect:
  - unexpected_rows_expectation:
      unexpected_rows_query: select * from {batch} where opening + movement != closing
    name: movements_add_up
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw_shop_things.yml").write_text(THINGS_SUITE)
    (tmp_path / "marts_fct_things.yml").write_text(MART_SUITE)
    return tmp_path


def arrived(wh: Warehouse, folder: Path, as_of: date | None = AS_OF) -> GateReport:
    return check(wh, "arrived", sources=[SHOP], as_of=as_of, folder=folder)


def failed(report: GateReport) -> set[str]:
    return {outcome.expectation for outcome in report.critical}


def execute(wh: Warehouse, role: str, text: str, *values: Any) -> None:
    with wh.connect(role) as conn:
        conn.execute(text, values)


def built(wh: Warehouse, rows: list[tuple[Any, ...]], as_of: date = AS_OF) -> int:
    """A finished build whose one mart holds these rows."""
    with wh.connect("transformer") as conn:
        conn.execute("drop table if exists marts.fct_things")
        conn.execute(
            "create table marts.fct_things (thing text, currency text, mrr numeric(12, 2),"
            " opening int, movement int, closing int, as_of_date date)"
        )
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into marts.fct_things values (%s, %s, %s, %s, %s, %s, %s)", rows
            )
        models = [{"name": "fct_things", "kind": "model", "status": "success"}]
        row = conn.execute(
            "insert into ops.builds (as_of, known_at, status, models)"
            " values (%s, clock_timestamp(), 'done', %s) returning build_id",
            [as_of, Jsonb(models)],
        ).fetchone()
    assert wh.settings is not None
    path = manifest_path(wh.settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = {"publish": "publish", "grain": ["thing"]}
    node = {"name": "fct_things", "resource_type": "model", "config": {"meta": meta}}
    path.write_text(json.dumps({"nodes": {"model.fct_things": node}}))
    assert row is not None
    return int(row[0])


def row(
    name: str, mrr: float = 10, closing: int = 3, currency: str = "USD", on: date = AS_OF
) -> Any:
    return (name, currency, mrr, 1, 2, closing, on)


def published(wh: Warehouse, build_id: int, as_of: date = AS_OF) -> None:
    execute(
        wh,
        "publisher",
        "insert into ops.publishes (build_id, as_of, known_at, status, published_at, actor, reason)"
        " select build_id, %s, known_at, 'published', clock_timestamp(), 'test', ''"
        " from ops.builds where build_id = %s",
        as_of,
        build_id,
    )


def marts(wh: Warehouse, folder: Path, **more: Any) -> GateReport:
    return check(wh, "marts", folder=folder, **more)


# What arrived


def test_good_rows_pass_and_every_check_is_kept(warehouse: Warehouse, folder: Path) -> None:
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


def test_a_warning_is_told_and_stops_nothing(warehouse: Warehouse, folder: Path) -> None:
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


def test_only_what_readers_have_not_seen_is_examined(warehouse: Warehouse, folder: Path) -> None:
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


def test_a_day_without_news_passes(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")], window(0))
    published(warehouse, built(warehouse, [row("x"), row("y")]))
    load(warehouse, [], window(1))
    report = arrived(warehouse, folder, AS_OF + timedelta(days=1))
    assert report.passed, report.critical


def test_a_gate_over_nothing_stops(warehouse: Warehouse, folder: Path) -> None:
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


def test_a_suite_reads_and_never_writes(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")])
    execute(warehouse, "transformer", "create table staging.mine (id int)")
    (folder / "raw_shop_things.yml").write_text(
        "table: raw.shop_things\nexpect:\n  - unexpected_rows_expectation:\n"
        "      unexpected_rows_query: with x as (select * from {batch}) select * from x,"
        " query_to_xml('insert into staging.mine values (1)', true, true, '')\n"
    )
    assert not arrived(warehouse, folder).passed
    assert query(warehouse, "select count(*) from staging.mine", "transformer") == [(0,)]


def test_rows_that_left_raw_behind_the_ledgers_back_stop_the_gate(
    warehouse: Warehouse, folder: Path
) -> None:
    load(warehouse, [thing("a", name="red"), thing("b", name="red")])
    execute(warehouse, "loader", "update ops.loads set versions_written = 5")
    report = arrived(warehouse, folder)
    assert failed(report) == {"rows_match_the_ledger"}
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
    load(warehouse, [])  # all of history again, and it is empty
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


# What would be published


def test_a_good_build_passes_and_leaves_its_checksum(warehouse: Warehouse, folder: Path) -> None:
    build_id = built(warehouse, [row("a"), row("b")])
    report = marts(warehouse, folder, build_id=build_id)
    assert report.passed, report.critical
    kept = query(warehouse, "select build_id, mart, rows, checksum from ops.mart_checksums")
    assert [r[:3] for r in kept] == [(build_id, "fct_things", 2)]
    assert marts(warehouse, folder).passed
    assert query(warehouse, "select build_id, mart, rows, checksum from ops.mart_checksums") == kept


def test_a_changed_row_changes_the_checksum_and_the_order_does_not(
    warehouse: Warehouse, folder: Path
) -> None:
    sums = []
    for rows in ([row("a"), row("b")], [row("b"), row("a")], [row("a"), row("b", mrr=11)]):
        build_id = built(warehouse, rows)
        marts(warehouse, folder)
        found = query(
            warehouse, f"select checksum from ops.mart_checksums where build_id = {build_id}"
        )
        sums.append(found[0][0])
    assert sums[0] == sums[1] != sums[2]


def test_a_mart_without_a_suite_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    built(warehouse, [row("a"), row("b")])
    (folder / "marts_fct_things.yml").unlink()
    assert failed(marts(warehouse, folder)) == {"suite_has_checks"}


def test_an_empty_mart_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    built(warehouse, [])
    assert "rows_are_there" in failed(marts(warehouse, folder))


def test_rows_of_another_day_stop_the_gate(warehouse: Warehouse, folder: Path) -> None:
    built(warehouse, [row("a"), row("b", on=date(2026, 2, 28))])
    assert failed(marts(warehouse, folder)) == {"day_is_the_builds"}


def test_sums_that_do_not_add_up_stop_the_gate(warehouse: Warehouse, folder: Path) -> None:
    built(warehouse, [row("a"), row("b", closing=4)])
    with pytest.raises(GateFailed, match="marts_fct_things: movements_add_up: 1 unexpected"):
        require(marts(warehouse, folder))


def test_a_mart_that_the_build_did_not_write_stops_the_gate(
    warehouse: Warehouse, folder: Path
) -> None:
    built(warehouse, [row("a"), row("b")])
    execute(warehouse, "transformer", "update ops.builds set models = '[]'")
    assert failed(marts(warehouse, folder)) == {"mart_is_from_this_build"}


def test_a_mart_that_is_gone_stops_the_gate(warehouse: Warehouse, folder: Path) -> None:
    built(warehouse, [row("a"), row("b")])
    execute(warehouse, "transformer", "drop table marts.fct_things")
    assert "checks_can_run" in failed(marts(warehouse, folder))


@pytest.mark.parametrize("status", ["failed", "running"])
def test_a_build_that_did_not_finish_is_refused(
    warehouse: Warehouse, folder: Path, status: str
) -> None:
    built(warehouse, [row("a"), row("b")])
    execute(warehouse, "transformer", "update ops.builds set status = %s", status)
    with pytest.raises(ConfigurationError, match="not done"):
        marts(warehouse, folder)


def test_an_older_build_is_refused_because_its_tables_are_gone(
    warehouse: Warehouse, folder: Path
) -> None:
    older = built(warehouse, [row("a"), row("b")])
    built(warehouse, [row("a"), row("b")])
    with pytest.raises(ConfigurationError, match="not what the marts hold"):
        marts(warehouse, folder, build_id=older)


def test_a_jump_against_the_last_publish_stops_unless_a_person_accepts_it(
    warehouse: Warehouse, folder: Path
) -> None:
    first = built(
        warehouse, [row("a"), row("b"), row("c", currency="EUR"), row("d", currency="EUR")]
    )
    assert marts(warehouse, folder).passed
    published(warehouse, first)
    built(warehouse, [row("a"), row("b", mrr=11)])
    report = marts(warehouse, folder)
    assert failed(report) == {"rows_like_last_publish", "mrr_like_last_publish"}
    accepted = marts(warehouse, folder, accept="a plant was sold", actor="ops lead")
    assert accepted.passed
    assert {o.expectation for o in accepted.warnings} == failed(report)
    assert all("ops lead: a plant was sold" in o.notes for o in accepted.warnings)


def test_nobody_can_accept_sums_that_do_not_add_up(warehouse: Warehouse, folder: Path) -> None:
    built(warehouse, [row("a"), row("b", closing=4)])
    assert failed(marts(warehouse, folder, accept="it is fine")) == {"movements_add_up"}


def test_a_build_of_an_older_day_is_not_compared_with_a_newer_publish(
    warehouse: Warehouse, folder: Path
) -> None:
    newer = built(warehouse, [row(str(n), on=date(2026, 3, 5)) for n in range(9)], date(2026, 3, 5))
    assert marts(warehouse, folder).passed
    published(warehouse, newer, date(2026, 3, 5))
    built(warehouse, [row("a"), row("b")])
    assert marts(warehouse, folder).passed


# What people read


def pages(report: GateReport) -> Iterator[str]:
    assert report.docs is not None, report.docs_error
    for path in report.docs.parent.rglob("*"):
        if path.is_file():
            yield path.read_text("utf-8")


def test_no_value_of_the_data_reaches_results_docs_or_errors(
    warehouse: Warehouse, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "raw_shop_things.yml").write_text(
        f"{THINGS_SUITE}"
        "  - expect_column_distinct_values_to_be_in_set: {column: name, value_set: [red]}\n"
        "  - expect_column_most_common_value_to_be_in_set: {column: name, value_set: [red]}\n"
        "  - unexpected_rows_expectation:\n"
        "      unexpected_rows_query: select name::int from {batch}\n"
        "    name: breaks\n"
        "  - unexpected_rows_expectation: {unexpected_rows_query: 'select * from {batch}'}\n"
    )
    rows = [thing("a", name=SCRIPT, score=99), thing("b", name=CANARY, score=CANARY)]
    load(warehouse, rows, stream=LOOSE)
    report = arrived(warehouse, folder)
    shown = [str(report), str(report.outcomes), *pages(report)]
    shown.append(str(query(warehouse, "select gate_results::text from ops.gate_results")))
    with pytest.raises(GateFailed) as raised:
        require(report)
    out = capsys.readouterr()
    shown += [str(raised.value), out.out, out.err]
    assert len(list(pages(report))) == 2
    for text in shown:
        assert CANARY not in text
        assert "XSS1" not in text


def test_a_tag_in_a_name_is_text_in_the_docs(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="red")])
    (folder / "raw_shop_things.yml").write_text(
        THINGS_SUITE.replace("name: {path: name, required: true}", f'name: {{path: ["{SCRIPT}"]}}')
        + f'  - expect_column_values_to_not_be_null: {{column: "{SCRIPT}"}}\n'
        + f'    name: "{SCRIPT}"\n    notes: "{SCRIPT}"\n'
    )
    report = arrived(warehouse, folder)
    text = "".join(pages(report))
    assert "alert(" in text
    assert "<script" not in text


def test_the_docs_load_nothing_from_anywhere(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="green")])
    for page in pages(arrived(warehouse, folder)):
        assert "Content-Security-Policy" in page
        for place in ('src="http', 'href="http', "src='http", "url('http", "url(http", 'src="//'):
            assert place not in page


def test_docs_that_cannot_be_written_change_no_verdict(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name=None)])
    assert warehouse.settings is not None
    place = warehouse.settings.docs
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file where the folder belongs")
    try:
        report = arrived(warehouse, folder)
    finally:
        place.unlink()
    assert not report.passed
    assert report.docs is None
    assert report.docs_error


def test_the_report_prints_names_as_text(warehouse: Warehouse, folder: Path) -> None:
    from rich.console import Console

    load(warehouse, [thing("a", name="green")])
    console = Console(width=200, record=True)
    console.print(arrived(warehouse, folder))
    text = console.export_text()
    assert "gate arrived passed" in text
    assert "expect_column_values_to_be_in_set" in text
