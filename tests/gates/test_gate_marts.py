"""Gate 2 on a real Postgres: nothing is published that looks wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ConfigurationError, GateFailed
from retention.quality.gate import GateReport, check, require
from retention.warehouse import Warehouse
from tests.gates.gate_inputs import built, execute, failed, published, row
from tests.loading import query


def marts(wh: Warehouse, folder: Path, **more: Any) -> GateReport:
    return check(wh, "marts", folder=folder, **more)


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
