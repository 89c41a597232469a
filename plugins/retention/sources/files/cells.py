"""One value of a file turned into one value of a document, exactly or not at all."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from retention.sources.files.amounts import divide, number
from retention.sources.files.codes import COUNTRIES, COUNTRY_SLIPS, CURRENCIES
from retention.sources.files.fields import CanonicalField
from retention.sources.files.mapping import FieldRule
from retention.sources.files.problem import nearest
from retention.sources.files.times import day, instant, utc_text
from retention.sources.files.value import CellError, as_text

Convert = Callable[[Any], Any]

_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "on"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "off"), False),
}


def converter(field: CanonicalField, rule: FieldRule, zone: ZoneInfo) -> Convert:
    """The function that turns a raw value, never an empty one, into the field's value.

    What it returns is JSON: text, an ISO date or UTC timestamp, a ``Decimal``, an ``int`` or
    a bool. It raises CellError.
    """
    if field.kind == "date":
        return lambda value: day(value, rule)
    if field.kind == "timestamp":
        return lambda value: utc_text(instant(value, rule, zone))
    if field.kind in {"decimal", "money", "rate", "integer"}:
        return _number_converter(field.kind, rule)
    if field.kind == "word":
        return lambda value: _word(value, field.words)
    return {"boolean": _flag, "country": _country, "currency": _currency}.get(field.kind, _text)


def _number_converter(kind: str, rule: FieldRule) -> Convert:
    percent = kind == "rate" and rule.unit == "percent"

    def convert(value: Any) -> Decimal | int:
        exact = number(value, decimal=rule.decimal, thousands=rule.thousands)
        if kind == "integer":
            if exact != exact.to_integral_value():
                raise CellError("not_a_whole_number", f"{exact} is not a whole number")
            return int(exact)
        return divide(exact, 100) if percent else exact

    return convert


def _text(value: Any) -> str:
    return as_text(value).strip()


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = as_text(value).strip().lower()
    if text not in _FLAGS:
        raise CellError("not_a_boolean", f"{as_text(value)!r} is neither true nor false")
    return _FLAGS[text]


def _word(value: Any, known: tuple[str, ...]) -> str:
    text = as_text(value).strip()
    if text not in known:
        raise CellError("unknown_word", f"{text!r} needs a `map`. {nearest(text, known)}")
    return text


def _country(value: Any) -> str:
    code = as_text(value).strip().upper()
    if code in COUNTRIES:
        return code
    right = COUNTRY_SLIPS.get(code)
    mend = f" Add `map: {{{code}: {right}}}`." if right else ""
    raise CellError("unknown_country", f"{code!r} is no ISO 3166 country code.{mend}")


def _currency(value: Any) -> str:
    code = as_text(value).strip().upper()
    if code not in CURRENCIES:
        message = f"{code!r} is no ISO 4217 currency. {nearest(code, CURRENCIES)}"
        raise CellError("unknown_currency", message)
    return code
