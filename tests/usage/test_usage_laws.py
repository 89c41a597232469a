"""Property tests of usage loads: independent of order and parts; binary COPY is exact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.usage.binary import binary_copy
from retention.warehouse import Warehouse
from retention.window import Window
from tests.usage.usage_product import DAY, LINES, Product, event

moments = st.integers(0, 2 * 24).map(
    lambda hour: datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hour)
)
some_events = st.lists(
    st.builds(
        lambda number, at, late, who, what, n: event(
            number, at.isoformat(), got=(at + late).isoformat(), who=who, what=what, n=n
        ),
        st.integers(1, 12),
        moments,
        st.sampled_from([timedelta(0), timedelta(hours=5), timedelta(days=1)]),
        st.sampled_from(["u1", "u2"]),
        st.sampled_from(["f", "g"]),
        st.sampled_from([None, 1, 2.5]),
    ),
    min_size=1,
    max_size=14,
)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=some_events, split=st.integers(0, 14), days=st.permutations(range(4)))
@pytest.mark.parametrize("duplicates", ["last", "reject"])
def test_day_by_day_file_by_file_or_at_once_ends_in_the_same_days(
    module_warehouse: Warehouse,
    tmp_path: Path,
    duplicates: Any,
    rows: list[dict[str, Any]],
    split: int,
    days: list[int],
) -> None:
    form = replace(LINES, duplicates=duplicates)
    at_once = Product(module_warehouse, tmp_path, form)
    at_once.extra = {"quarantine_rate": 1}
    at_once.put("all.ndjson", *rows)
    at_once.load()

    by_day = Product(module_warehouse, tmp_path, form)
    by_day.extra = {"quarantine_rate": 1}
    by_day.put("all.ndjson", *rows)
    for day in sorted(days):
        by_day.load(Window.of_day(DAY + timedelta(days=day)))
    assert by_day.days() == at_once.days()

    scattered = Product(module_warehouse, tmp_path, form)
    scattered.extra = {"quarantine_rate": 1}
    for place, part in enumerate((rows[:split], rows[split:])):
        if part:
            scattered.put(f"{place}.ndjson", *part)
        scattered.load(Window.of_day(DAY + timedelta(days=days[place])))
    scattered.load()
    assert scattered.days() == at_once.days()


@given(
    st.lists(
        st.tuples(
            st.dates(date(1970, 1, 1), date(2099, 12, 31)),
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6),
            st.one_of(
                st.none(),
                st.decimals(-(10**11), 10**11, places=18, allow_nan=False, allow_infinity=False),
            ),
            st.integers(-(2**63), 2**63 - 1),
            st.timedeltas(timedelta(0), timedelta(days=47_000)).map(
                lambda age: datetime(1970, 1, 1, tzinfo=UTC) + age
            ),
        ),
        max_size=30,
    )
)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_binary_copy_round_trips_through_postgres(
    module_warehouse: Warehouse, rows: list[tuple[Any, ...]]
) -> None:
    import pyarrow as pa

    kinds = [
        pa.date32(), pa.string(), pa.decimal128(38, 18), pa.int64(), pa.timestamp("us", "UTC"),
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], []]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    batch = pa.RecordBatch.from_arrays(arrays, names=list("abcde"))
    with module_warehouse.connect("loader") as conn:
        conn.execute(
            "create temporary table t (a date, b text, c numeric, d bigint, e timestamptz)"
        )
        with conn.cursor().copy("copy t from stdin (format binary)") as copy:
            for block in binary_copy([batch]):
                copy.write(block)
        found = conn.execute("select * from t").fetchall()
        conn.rollback()
    assert sorted(map(_plain, found)) == sorted(map(_plain, rows))


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    day, text, number, whole, at = row
    return (day, text, number is None, number or Decimal(0), whole, at)


def test_the_rollup_is_sql_that_spark_reads_too() -> None:
    from sqlfluff.core import Linter

    from retention.usage.rollup import SQL

    for dialect in ("sparksql", "duckdb"):
        parsed = Linter(dialect=dialect).parse_string(SQL.read_text())
        assert parsed.tree is not None
        assert not parsed.violations, dialect
        assert "unparsable" not in parsed.tree.type_set(), dialect
