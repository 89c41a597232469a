"""A gate fetches counts: the rows that the driver holds in memory do not grow with the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from retention.gates import validation
from retention.warehouse import Warehouse
from tests.gates.gate_inputs import THINGS_SUITE, arrived, built, execute, row
from tests.gates.test_gate_marts import marts
from tests.loading import load, thing

DOCUMENTS, ROWS = 50_000, 200_000
# What a gate of one suite may fetch: the outcomes of its own checks, a row of each statement.
FEW = 100
COPIES = f"""
insert into raw.shop_things
    (record_id, load_id, source_updated_at, loaded_at, content_hash, doc)
select 'copy ' || n, load_id, source_updated_at, loaded_at, content_hash, doc
from raw.shop_things, generate_series(2, {DOCUMENTS}) as n
"""


class Counting(psycopg.Cursor[Any]):
    """A cursor that notes its statements and adds up the rows that its results hold in memory.

    The client holds all rows of a result, whether they are read or not.
    """

    rows: int
    statements: list[str]

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        result = super().execute(query, *args, **kwargs)
        Counting.rows += self.pgresult.ntuples if self.pgresult else 0
        Counting.statements.append(str(query))
        return result


class Counted(Warehouse):
    """A warehouse whose connections count."""

    def connect(self, role: str | None) -> psycopg.Connection:
        conn = super().connect(role)
        conn.cursor_factory = Counting
        return conn


@pytest.fixture
def counted(warehouse: Warehouse) -> Warehouse:
    validation.great_expectations()
    Counting.rows, Counting.statements = 0, []
    return Counted(warehouse.url, warehouse.settings)


def test_rows_of_the_arrived_gate_do_not_grow(counted: Warehouse, folder: Path) -> None:
    load(counted, [thing("a", name="green", score=3)])
    execute(counted, "loader", COPIES)
    execute(counted, "loader", "update ops.loads set versions_written = %s", DOCUMENTS)
    (folder / "raw_shop_things.yml").write_text(
        f"{THINGS_SUITE}  - expect_column_values_to_be_unique: {{column: name}}\n"
        "  - unexpected_rows_expectation:\n"
        "      unexpected_rows_query: select * from {batch} where name = 'green'\n"
        "    name: no_thing_is_green\n"
    )
    Counting.rows = 0
    report = arrived(counted, folder)
    found = {o.expectation: (o.unexpected, o.checked) for o in report.outcomes if not o.success}
    assert found == {
        "expect_column_values_to_be_in_set": (DOCUMENTS, DOCUMENTS),
        "expect_column_values_to_be_unique": (DOCUMENTS, DOCUMENTS),
        "no_thing_is_green": (DOCUMENTS, None),
    }
    assert Counting.rows < FEW


def test_rows_of_the_marts_gate_do_not_grow(counted: Warehouse, folder: Path) -> None:
    built(counted, [row("a")])
    execute(
        counted,
        "transformer",
        "insert into marts.fct_things select 'copy ' || n, currency, mrr, opening, movement,"
        " closing + 1, as_of_date from marts.fct_things, generate_series(2, %s) as n",
        ROWS,
    )
    Counting.rows = 0
    (wrong,) = marts(counted, folder).critical
    assert (wrong.expectation, wrong.unexpected) == ("movements_add_up", ROWS - 1)
    assert Counting.rows < FEW


def test_all_aggregates_of_a_mart_are_one_statement(counted: Warehouse, folder: Path) -> None:
    suite = folder / "marts_fct_things.yml"
    suite.write_text(
        f"{suite.read_text()}"
        "  - unexpected_rows_expectation:\n"
        "      unexpected_rows_query: select currency from {batch} group by 1 having sum(mrr) < 0\n"
        "    name: no_currency_loses\n"
        "  - expect_column_values_to_be_between: {column: mrr, min_value: 0}\n"
        "  - expect_column_values_to_not_be_null: {column: thing}\n"
    )
    built(counted, [row("a"), row("b")])
    Counting.statements.clear()
    assert marts(counted, folder).passed
    batches = [text for text in Counting.statements if "select * from marts.fct_things" in text]
    columns, count, aggregates = batches
    assert "LIMIT" in columns
    assert "closing" not in count
    assert all(part in aggregates for part in ("closing", "sum(mrr) < 0", "mrr <", "thing IS NULL"))


def test_a_row_query_counts_without_a_row_in_the_mart(counted: Warehouse, folder: Path) -> None:
    suite = folder / "marts_fct_things.yml"
    suite.write_text(
        suite.read_text().replace("rows: {min: 2}", "rows: {min: 0}")
        + "  - unexpected_rows_expectation:\n"
        "      unexpected_rows_query: select 1 where not exists (select from {batch})\n"
        "    name: something_is_there\n"
    )
    built(counted, [])
    (wrong,) = marts(counted, folder).critical
    assert (wrong.expectation, wrong.unexpected) == ("something_is_there", 1)


def test_a_broken_check_leaves_the_others_their_results(counted: Warehouse, folder: Path) -> None:
    suite = folder / "marts_fct_things.yml"
    suite.write_text(
        f"{suite.read_text()}"
        "  - unexpected_rows_expectation:\n"
        "      unexpected_rows_query: select * from {batch} where 1 / (mrr - mrr) > 1\n"
        "    name: breaks\n"
        "  - expect_column_values_to_be_between: {column: mrr, max_value: 10}\n"
    )
    built(counted, [row("a"), row("b", mrr=11), row("c", closing=4)])
    found = {o.expectation: o for o in marts(counted, folder).critical}
    assert "DivisionByZero" in found.pop("breaks").notes
    assert {name: o.unexpected for name, o in found.items()} == {
        "movements_add_up": 1,
        "expect_column_values_to_be_between": 1,
    }
