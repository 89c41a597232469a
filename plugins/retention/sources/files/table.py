"""What reading a file yields: rows, rows that cannot be read, and files that cannot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

MOST_DIGITS = 38


@dataclass(frozen=True)
class Row:
    """A row of a file; ``line`` is the row number in a Parquet file."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read although other rows of the file can."""

    line: int
    code: str
    message: str
    raw: str


class BrokenFile(Exception):
    """A file that cannot be trusted: some of its rows may be missing."""

    def __init__(self, code: str, message: str, line: int | None = None, file: str = "") -> None:
        self.code, self.message, self.line, self.file = code, message, line, file
        super().__init__(message)


def as_text(value: Any) -> str:
    """Return the value as text; whole numbers have no decimals, so ids 7 and "7" are equal."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal):
        whole = value.is_finite() and value == value.to_integral_value()
        return str(int(value)) if whole and value.adjusted() < MOST_DIGITS else str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


@dataclass(frozen=True)
class Failed:
    """Stands for the value of a calculated column that could not be calculated."""

    code: str
    message: str

    def __str__(self) -> str:
        return f"({self.message})"
