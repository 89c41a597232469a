"""Values of any file as the text that stands for them, and what to say of a bad one."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

_MOST_DIGITS = 38


class CellError(ValueError):
    """A value that cannot become what its field needs."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


def as_text(value: Any) -> str:
    """The value as text; a whole number has no decimals, so that the ids 7 and "7" are one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Decimal):
        whole = value.is_finite() and value == value.to_integral_value()
        return str(int(value)) if whole and value.adjusted() < _MOST_DIGITS else str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
