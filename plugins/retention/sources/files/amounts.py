"""Numbers, exact to the last digit or refused."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from typing import Any

from retention.sources.files.value import CellError, as_text

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_MOST_DIGITS = 38
_EXACT = Context(prec=80)


def number(value: Any, *, decimal: str = ".", thousands: str | None = None) -> Decimal:
    """The exact number; raises CellError for text that is none, infinities and absurd sizes."""
    if isinstance(value, bool | dict | list):
        raise CellError("not_a_number", f"{as_text(value)!r} is not a number")
    if isinstance(value, float):
        # The shortest text that reads back as this float is the number that was meant.
        value = repr(value)
    if isinstance(value, str):
        text = value.strip()
        text = text.replace(thousands, "") if thousands else text
        text = text.replace(decimal, ".") if decimal != "." else text
        if not _NUMBER.fullmatch(text):
            raise CellError("not_a_number", f"{value!r} is not a number{_number_hint(value)}")
        value = text
    try:
        return _plain(_EXACT.create_decimal(value))
    except InvalidOperation as error:
        raise CellError("not_a_number", f"{value!r} is not a number") from error


def _plain(exact: Decimal) -> Decimal:
    if not exact.is_finite():
        raise CellError("not_a_number", f"{exact} is not a number")
    if not exact:
        return Decimal(0)
    short = exact.normalize(_EXACT)
    if short.adjusted() >= _MOST_DIGITS or len(short.as_tuple().digits) > _MOST_DIGITS:
        raise CellError("number_too_long", f"a number with more than {_MOST_DIGITS} digits")
    if int(short.as_tuple().exponent) < -_MOST_DIGITS:
        raise CellError("number_too_long", f"a number with more than {_MOST_DIGITS} decimals")
    return (
        short if int(short.as_tuple().exponent) <= 0 else short.quantize(Decimal(1), context=_EXACT)
    )


def _number_hint(text: str) -> str:
    if "," in text:
        return '. Set `decimal: ","` or `thousands: ","` if the comma belongs to the number'
    return ""


def divide(amount: Decimal, months: Decimal | int) -> Decimal:
    """The exact quotient, or the nearest with six decimals where it never ends."""
    with localcontext(_EXACT):
        quotient = amount / months
        if quotient * months == amount and abs(int(quotient.as_tuple().exponent)) <= _MOST_DIGITS:
            return _plain(quotient)
        return _plain(quotient.quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN))
