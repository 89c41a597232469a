"""Gate 2 on a real Postgres: checks of the marts before a publish."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from retention.errors import ConfigurationError, GateFailed
from retention.gates.gate import GateReport, check, require
from retention.gates.marts import grain_is_unique
from retention.publishing.mart import Mart
from retention.warehouse import Warehouse
from tests import completeness
from tests.gates.gate_inputs import built, execute, failed, published, row
from tests.loading import query
from tests.places import ROOT

# A key of each type; any other type is a number.
KEYS = {"text": "some key", "date": "2026-01-31", "numeric(6, 2)": "1.0"}
# Marts without rows of their own.
VIEWS = {"fct_mrr_daily"}


def marts(wh: Warehouse, folder: Path, **more: Any) -> GateReport:
    return check(wh, "marts", folder=folder, **more)


def test_a_good_build_passes_and_stores_its_checksum(warehouse: Warehouse, folder: Path) -> None:
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


@pytest.mark.parametrize(
    "doubles",
    [[row("a"), row("a")], [row("a"), row("a", mrr=11)], [row("a"), row("a"), row("a")]],
    ids=["equal", "different", "three"],
)
def test_two_rows_of_one_grain_stop_the_gate(
    warehouse: Warehouse, folder: Path, doubles: list[Any]
) -> None:
    built(warehouse, [row("b"), *doubles])
    rows = len(doubles) + 1
    named = rf"marts_fct_things: grain_is_unique\(thing\): 1 of {rows} unexpected, .* thing = a"
    with pytest.raises(GateFailed, match=named):
        require(marts(warehouse, folder))
    assert failed(marts(warehouse, folder, accept="it is fine")) == {"grain_is_unique"}


def test_a_repeated_key_is_named_for_every_mart(warehouse: Warehouse) -> None:
    """Each mart with the columns of its contract, and nothing else than two rows of one key."""
    names = [name for name in completeness.marts(ROOT) if name not in VIEWS]
    assert len(names) > 40
    with warehouse.connect("transformer") as conn:
        for name in names:
            model, _ = completeness.found_model(ROOT / completeness.MODELS / "marts", name)
            meta = model["config"]["meta"]
            mart = Mart(name, meta["publish"], tuple(meta["grain"]))
            types = {column["name"]: column["data_type"] for column in model["columns"]}
            columns = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
            conn.execute(f"create table marts.{name} ({columns})".encode())
            key = {column: KEYS.get(types[column], "1") for column in mart.grain}
            insert = sql.SQL("insert into {} ({}) values ({})").format(
                mart.built, sql.SQL(", ").join(map(sql.Identifier, key)),
                sql.SQL(", ").join(map(sql.Literal, key.values())),
            )  # fmt: skip
            conn.execute(insert)
            assert grain_is_unique(conn, mart, 1).success
            conn.execute(insert)
            found = grain_is_unique(conn, mart, 2)
            assert found.stops
            shown = ", ".join(f"{column} = {value}" for column, value in key.items())
            example = f", for example {shown}" if mart.audience == "publish" else ""
            check_of = f"marts_{name}: grain_is_unique({', '.join(mart.grain)})"
            assert str(found) == f"{check_of}: 1 of 2 unexpected{example}"
        conn.rollback()


def test_two_rows_without_a_key_stop_the_gate(warehouse: Warehouse, folder: Path) -> None:
    """Unlike in SQL's `unique`, two nulls are one key."""
    built(warehouse, [row("a"), (None, *row("b")[1:]), (None, *row("c")[1:])])
    assert failed(marts(warehouse, folder)) == {"grain_is_unique"}


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
    with pytest.raises(ConfigurationError, match="the marts are not those of build"):
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


def test_a_failed_identity_cannot_be_accepted(warehouse: Warehouse, folder: Path) -> None:
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
