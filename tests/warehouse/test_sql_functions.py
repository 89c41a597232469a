"""SQL functions of the warehouse: pseudonyms and safe casts."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest

from retention.warehouse import Warehouse

KEY = "0123456789abcdef" * 4


def ask(wh: Warehouse, expression: str, *values: Any, key: str | None = KEY) -> Any:
    with wh.connect("transformer") as conn:
        if key is not None:
            conn.execute("select set_config('retention.pseudonym_key', %s, false)", [key])
        row = conn.execute(f"select {expression}".encode(), values).fetchone()
    assert row
    return row[0]


@pytest.mark.parametrize("plain", ["ann@example.com", "", "é\U0001f600", "x" * 500])
def test_a_pseudonym_is_hmac_sha256(module_warehouse: Warehouse, plain: str) -> None:
    expected = hmac.new(bytes.fromhex(KEY), plain.encode(), hashlib.sha256).hexdigest()
    assert ask(module_warehouse, "ops.pseudonym(%s)", plain) == expected


def test_null_has_no_pseudonym(module_warehouse: Warehouse) -> None:
    assert ask(module_warehouse, "ops.pseudonym(null)") is None


@pytest.mark.parametrize("key", [None, "", "00ff", "zz" * 32])
def test_without_its_key_there_is_no_pseudonym(
    module_warehouse: Warehouse, key: str | None
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="pseudonym_key"):
        ask(module_warehouse, "ops.pseudonym('a')", key=key)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("ops.try_numeric(' -1.50e2 ')", -150),
        ("ops.try_numeric('1e400')", None),
        ("ops.try_numeric('NaN')", None),
        ("ops.try_numeric('1,5')", None),
        ("ops.try_numeric('')", None),
        ("ops.try_boolean('Yes')", True),
        ("ops.try_boolean('0')", False),
        ("ops.try_boolean('maybe')", None),
        ("ops.try_date('2024-02-29')", date(2024, 2, 29)),
        ("ops.try_date('2023-02-29')", None),
        ("ops.try_date('0000-01-01')", None),
        ("ops.try_date('today')", None),
        ("ops.try_date('2101-01-01')", None),
        ("ops.try_timestamptz('2024-02-29T23:30-01')", datetime(2024, 3, 1, 0, 30, tzinfo=UTC)),
        ("ops.try_timestamptz('2024-01-01 10:00')", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("ops.try_timestamptz('2024-02-30T00:00:00Z')", None),
        ("ops.try_timestamptz('infinity')", None),
        ("ops.try_timestamptz('1717171717')", None),
        ("ops.try_timestamptz(null)", None),
    ],
)  # fmt: skip
def test_safe_casts_return_null_for_invalid_text(
    module_warehouse: Warehouse, call: str, expected: Any
) -> None:
    assert ask(module_warehouse, call) == expected
