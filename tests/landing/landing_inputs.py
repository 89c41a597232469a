"""Rejected rows and values for the landing tests, each with its expected code."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from retention import jsondoc
from retention.source import Record, Rejected
from tests.loading import day

BAD = [
    (Record("x", jsondoc.parse(b'{"id": "x", "n": NaN}'), day(0), "row"), "not_a_number"),
    (Record("x", jsondoc.parse(b'{"id": "x", "n": -Infinity}'), day(0), "row"), "not_a_number"),
    (Record("x", {"id": "x", "n": float("inf")}, day(0), "row"), "not_a_number"),
    (Record("x", {"id": "x", "n": Decimal("NaN")}, day(0), "row"), "not_a_number"),
    (Record("x", jsondoc.parse(b'{"id": "x", "n": 1e400}'), day(0), "row"), "number_out_of_range"),
    (Record("x", jsondoc.parse(b'{"id": "x", "n": 1, "n": 2}'), day(0), "row"), "duplicate_key"),
    (Record("x", {"id": "x", "k\0": 1, "k\ufffd": 2}, day(0), "row"), "duplicate_key"),
    (Record("", {"id": ""}, day(0), "row"), "missing_key"),
    (Record(" \t", {"id": "x"}, day(0), "row"), "missing_key"),
    (Record("x" * 1001, {"id": "x"}, day(0), "row"), "bad_key"),
    (Record("x", {"id": "x"}, datetime(1969, 12, 31, tzinfo=UTC), "row"), "bad_timestamp"),
    (Record("x", {"name": "no id"}, day(0), "row"), "contract"),
    (Record("x", {"id": "x", "text": "y" * (17 << 20)}, day(0), "row"), "too_large"),
    (Rejected("bad_row", "7 fields of 8", "a.csv line 3", 'a\\b\t"c"\n\0\ud800'), "bad_row"),
]

# A value that breaks the contract costs itself, not its row.
BAD_VALUES = [
    (Record("x", {"id": "x", "born_at": "0000-01-01"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "2024-02-30T00:00:00Z"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "infinity"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "12026-01-01T00:00:00Z"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "born_at": "1899-12-31T00:00:00Z"}, day(0), "row"), "bad_timestamp"),
    (Record("x", {"id": "x", "score": 11}, day(0), "row"), "contract"),
]
