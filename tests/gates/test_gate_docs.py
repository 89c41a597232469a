"""Reports and data docs of the gates contain counts and no values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.errors import GateFailed
from retention.gates.gate import GateReport, require
from retention.warehouse import Warehouse
from tests.gates.gate_inputs import CANARY, LOOSE, THINGS_SUITE, arrived
from tests.loading import load, query, thing

SCRIPT = "<script>alert('XSS1')</script>"


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


def test_the_docs_load_no_remote_content(warehouse: Warehouse, folder: Path) -> None:
    load(warehouse, [thing("a", name="green")])
    for page in pages(arrived(warehouse, folder)):
        assert "Content-Security-Policy" in page
        for place in ('src="http', 'href="http', "src='http", "url('http", "url(http", 'src="//'):
            assert place not in page


def test_a_failure_to_write_docs_does_not_fail_the_gate(warehouse: Warehouse, folder: Path) -> None:
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
