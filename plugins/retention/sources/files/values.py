"""Convert one cell of a file to the value of a document, exactly or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from retention.sources.files.codes import COUNTRIES, CURRENCIES, country_named
from retention.sources.files.fields import CanonicalField
from retention.sources.files.mapping import FieldRule
from retention.sources.files.problems import nearest
from retention.sources.files.table import MOST_DIGITS, as_text


class CellError(ValueError):
    """A value that cannot be converted to the type of its field."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
# Groups of three, or of two before the last three as in India.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+|(?:,\d{2})+,\d{3})(?:\.\d*)?", re.ASCII)
_EXACT = Context(prec=80)
# Spreadsheets group digits by an ordinary, a non-breaking, a thin or a narrow space.
_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f", " "))


def number(
    value: Any, *, decimal: str = ".", thousands: str | None = None, remove: tuple[str, ...] = ()
) -> Decimal:
    """Return the exact number.

    Raises CellError for other text, infinity, too many digits or digits grouped otherwise than in
    thousands. ``remove`` lists signs such as "EUR" that are no part of the number.
    """
    if isinstance(value, bool | dict | list):
        raise CellError("not_a_number", f"{as_text(value)!r} is not a number")
    if isinstance(value, float):
        # The shortest text that parses back to this float is the intended number.
        value = repr(value)
    if isinstance(value, str):
        value = _digits(value, decimal, thousands, remove)
    try:
        return _plain(_EXACT.create_decimal(value))
    except InvalidOperation as error:
        raise CellError("not_a_number", f"{value!r} is not a number") from error


def _digits(given: str, decimal: str, thousands: str | None, remove: tuple[str, ...]) -> str:
    text = given.translate(_SPACES).strip()
    for sign in remove:
        text = text.replace(sign.translate(_SPACES), "").strip()
    # A letter each: "." may separate thousands and "," decimals.
    text = "".join(_role(each, decimal, (thousands or "").translate(_SPACES)) for each in text)
    if "T" in text and not re.search(r"[^\dT.+-]", text):
        grouped = text.replace("T", ",")
        if not _GROUPED.fullmatch(grouped):
            message = f"{given!r} does not group its digits in thousands by {thousands!r}"
            raise CellError("not_a_number", f"{message}{_grouping_hint(thousands)}")
        text = text.replace("T", "")
    if not _NUMBER.fullmatch(text):
        hint = _number_hint(given, decimal, thousands)
        raise CellError("not_a_number", f"{given!r} is not a number{hint}")
    return text


def _role(letter: str, decimal: str, thousands: str) -> str:
    """Return "." for the decimal mark, "T" for the separator and other letters as they are."""
    if letter == thousands:
        return "T"
    if letter == decimal:
        return "."
    return "?" if letter in "T." else letter


def _plain(exact: Decimal) -> Decimal:
    if not exact.is_finite():
        raise CellError("not_a_number", f"{exact} is not a number")
    if not exact:
        return Decimal(0)
    short = exact.normalize(_EXACT)
    if short.adjusted() >= MOST_DIGITS or len(short.as_tuple().digits) > MOST_DIGITS:
        raise CellError("number_too_long", f"a number with more than {MOST_DIGITS} digits")
    if int(short.as_tuple().exponent) < -MOST_DIGITS:
        raise CellError("number_too_long", f"a number with more than {MOST_DIGITS} decimals")
    return (
        short if int(short.as_tuple().exponent) <= 0 else short.quantize(Decimal(1), context=_EXACT)
    )


def _grouping_hint(thousands: str | None) -> str:
    if thousands in {",", "."}:
        return f'. Set `decimal: "{thousands}"` if {thousands!r} separates the decimals'
    return ""


def _number_hint(text: str, decimal: str, thousands: str | None) -> str:
    if re.fullmatch(r"\s*\(.*\)\s*", text):
        return ". Parentheses mean a negative amount: export it with a minus sign"
    if signs := re.findall(r"[^\d\s.,+'\u2019-]+", text):
        return f". Set `remove: ['{signs[0]}']` if this sign is no part of the number"
    if "," in text and decimal != "," and thousands != ",":
        return '. Set `decimal: ","` or `thousands: ","` if the comma belongs to the number'
    if "." in text and decimal != "." and thousands != ".":
        return '. Set `decimal: "."` or `thousands: "."` if the point belongs to the number'
    if re.search(r"\d\s\d", text) and thousands is None:
        return '. Set `thousands: " "` if the space belongs to the number'
    return ""


def divide(amount: Decimal, months: Decimal | int) -> Decimal:
    """Return the exact quotient, or round to six decimals where it does not terminate."""
    with localcontext(_EXACT):
        quotient = amount / months
        if quotient * months == amount and abs(int(quotient.as_tuple().exponent)) <= MOST_DIGITS:
            return _plain(quotient)
        return _plain(quotient.quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN))


# The length of each period in months as numerator and denominator. A month has 52/12 weeks and
# 365/12 days, as the policies months_per_week and months_per_day say.
PERIODS = {
    "day": (12, 365),
    "week": (12, 52),
    "month": (1, 1),
    "quarter": (3, 1),
    "half_year": (6, 1),
    "year": (12, 1),
}


def per_month(amount: Decimal, period: str, count: Decimal | int = 1) -> Decimal:
    """Return the amount per month of an amount per ``count`` periods."""
    months, parts = PERIODS[period]
    return divide(amount * parts, months * count)


EPOCHS = {
    "epoch_seconds": Decimal(1),
    "epoch_milliseconds": Decimal(1_000),
    "epoch_microseconds": Decimal(1_000_000),
}
# The day number of a spreadsheet: 46023 is 1 January 2026.
SPREADSHEET_DAYS = "spreadsheet_days"
_SPREADSHEET_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 - the zone is added later
# A count outside these days is in another unit than the one stated: 1973 and 2100.
_FIRST_SECOND, _LAST_SECOND = Decimal(10) ** 8, Decimal(4_102_444_800)
_FIRST_SERIAL, _LAST_SERIAL = 25_569, 73_051
MICROSECONDS = {
    "milliseconds": 1_000,
    "seconds": 1_000_000,
    "minutes": 60_000_000,
    "hours": 3_600_000_000,
    "days": 86_400_000_000,
}
_EARLIEST, _LATEST = 1970, 2100


def instant(value: Any, rule: FieldRule, zone: ZoneInfo) -> datetime:
    """Return the time in UTC; ``zone`` applies to times without one, a date is its midnight."""
    if rule.unit in EPOCHS:
        return _since_epoch(number(value), rule.unit)
    moment = _parsed(value, rule)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return _in_range(moment.astimezone(UTC), value)
    except OverflowError as error:
        raise CellError("bad_timestamp", f"{value!r} is out of range") from error


def utc_text(moment: datetime) -> str:
    """Format as ``2024-05-31T08:00:00Z``, with a fraction only if there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def add(moment: datetime, amount: Decimal, unit: str) -> datetime:
    """Return the time plus ``amount`` units."""
    try:
        return moment + timedelta(microseconds=int(amount * MICROSECONDS[unit]))
    except OverflowError as error:
        raise CellError("bad_timestamp", f"{amount} {unit} is out of range") from error


def _since_epoch(ticks: Decimal, unit: str) -> datetime:
    seconds = ticks / EPOCHS[unit]
    if not _FIRST_SECOND <= seconds < _LAST_SECOND:
        message = f"{ticks} is not a date of 1973 to 2100 in {unit}{unit_hint(ticks)}"
        raise CellError("bad_timestamp", message)
    return add(datetime(1970, 1, 1, tzinfo=UTC), seconds, "seconds")


def unit_hint(ticks: Decimal) -> str:
    """Return the unit in which a number is a plausible date, as a hint."""
    if _FIRST_SERIAL <= ticks < _LAST_SERIAL:
        day = (_SPREADSHEET_DAY_0 + timedelta(days=int(ticks))).date()
        return f". It is {day} as a day number of a spreadsheet: set `unit: {SPREADSHEET_DAYS}`"
    for unit, per_second in EPOCHS.items():
        if _FIRST_SECOND <= ticks / per_second < _LAST_SECOND:
            day = add(datetime(1970, 1, 1, tzinfo=UTC), ticks / per_second, "seconds").date()
            return f". It is {day} in {unit}: set `unit: {unit}`"
    return ""


def day(value: Any, rule: FieldRule, zone: ZoneInfo) -> str:
    """Return the calendar day as written; of a time with an offset, its day in ``zone``.

    An inclusive end becomes the day after, the first one on which the term is over.
    """
    if rule.unit in EPOCHS:
        moment = instant(value, rule, zone).astimezone(zone)
    else:
        moment = _parsed(value, rule)
        moment = moment.astimezone(zone) if moment.tzinfo else moment
    found = _in_range(moment, value).date()
    return (found + timedelta(days=1) if rule.inclusive else found).isoformat()


def _parsed(value: Any, rule: FieldRule) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone is added later
    if rule.unit == SPREADSHEET_DAYS:
        return _spreadsheet_day(number(value))
    text = as_text(value).strip()
    if rule.format:
        return _in_a_format(text, rule.format)
    try:
        if not re.match(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError(text)
        return datetime.fromisoformat(text)
    except ValueError as error:
        wanted = "such as 2024-05-31 or 2024-05-31T08:00:00Z"
        hint = unit_hint(Decimal(text)) if re.fullmatch(r"\d{1,17}(\.\d+)?", text, re.ASCII) else ""
        raise CellError("bad_timestamp", f"{text!r} is not a date {wanted}{hint}") from error


def _in_a_format(text: str, forms: tuple[str, ...]) -> datetime:
    """Parse by the formats; raises CellError if none fits or two give different times."""
    found: dict[datetime, str] = {}
    for form in forms:
        with suppress(ValueError):
            found.setdefault(datetime.strptime(text, form), form)  # noqa: DTZ007 - see instant
    if len(found) > 1:
        listed = " and ".join(repr(form) for form in found.values())
        message = f"{text!r} is a different date in the formats {listed}"
        raise CellError("ambiguous_date", message)
    if not found:
        listed = " or ".join(map(repr, forms))
        digits = re.fullmatch(r"\d{5,17}", text, re.ASCII)
        hint = unit_hint(Decimal(text)) if digits else ""
        raise CellError("bad_timestamp", f"{text!r} is not a date in the format {listed}{hint}")
    return next(iter(found))


def _spreadsheet_day(serial: Decimal) -> datetime:
    if not _FIRST_SERIAL <= serial < _LAST_SERIAL:
        message = f"{serial} is not a day of 1970 to 2099 in {SPREADSHEET_DAYS}{unit_hint(serial)}"
        raise CellError("bad_timestamp", message)
    # Day numbers hold about a microsecond; a whole second is what was meant.
    return _SPREADSHEET_DAY_0 + timedelta(seconds=round(serial * 86_400))


def _in_range(moment: datetime, value: Any) -> datetime:
    if not _EARLIEST <= moment.year < _LATEST:
        message = f"{as_text(value)!r} is not between {_EARLIEST} and {_LATEST}"
        raise CellError("bad_timestamp", message)
    return moment


Convert = Callable[[Any], Any]

_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "on"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "off"), False),
}


def converter(field: CanonicalField, rule: FieldRule, zone: ZoneInfo) -> Convert:
    """Return the function that converts a non-empty raw value to the field's value.

    The result is JSON: text, an ISO date or UTC timestamp, a ``Decimal``, an ``int`` or a bool. The
    function raises CellError.
    """
    if field.kind == "date":
        return lambda value: day(value, rule, zone)
    if field.kind == "timestamp":
        return lambda value: utc_text(instant(value, rule, zone))
    if field.kind in {"decimal", "money", "rate", "integer"}:
        return _number_converter(field.kind, rule)
    if field.kind == "word":
        return lambda value: _word(value, field.words)
    kinds = {"id": id_text, "boolean": _flag, "country": _country, "currency": _currency}
    return kinds.get(field.kind, _text)


def _number_converter(kind: str, rule: FieldRule) -> Convert:
    percent = kind == "rate" and rule.unit == "percent"

    def convert(value: Any) -> Decimal | int:
        exact = number(value, decimal=rule.decimal, thousands=rule.thousands, remove=rule.remove)
        if kind == "integer":
            if exact != exact.to_integral_value():
                raise CellError("not_a_whole_number", f"{exact} is not a whole number")
            return int(exact)
        return divide(exact, 100) if percent else exact

    return convert


def _text(value: Any) -> str:
    return as_text(value).strip()


# A spreadsheet shows 184567123456 as 1.84567E+11 and exports what it shows.
ROUNDED_ID = r"\d([.,]\d+)?[eE]\+\d{2,3}"
_ROUNDED_ID = re.compile(ROUNDED_ID, re.ASCII)
_LARGEST_EXACT_FLOAT = 2.0**53


SPREADSHEET_ERRORS = frozenset(
    ("#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#ERROR!")
)


def id_text(value: Any) -> str:
    """Return the text of an id; raises CellError for a number that has lost digits.

    Two ids that were rounded to the same number would make one record of two.
    """
    text = as_text(value).strip()
    rounded = isinstance(value, float) and abs(value) > _LARGEST_EXACT_FLOAT
    if rounded or _ROUNDED_ID.fullmatch(text):
        message = f"{text!r} is an id rounded by a spreadsheet; export the column as text"
        raise CellError("rounded_id", message)
    return text


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
        raise CellError(
            "unknown_word", f"{text!r} is not allowed; add a `map`. {nearest(text, known)}"
        )
    return text


def country_hint(text: str) -> str | None:
    """Return the ISO code that a text which is none of them stands for, if it is known."""
    return None if text.upper() in COUNTRIES else country_named(text)


def _country(value: Any) -> str:
    given = as_text(value).strip()
    code = given.upper()
    if code in COUNTRIES:
        return code
    right = country_named(given)
    hint = f" Add `map: {{{given}: {right}}}`." if right else ""
    raise CellError("unknown_country", f"{given!r} is not an ISO 3166 country code.{hint}")


def _currency(value: Any) -> str:
    given = as_text(value).strip()
    code = given.upper()
    if code not in CURRENCIES:
        message = f"{given!r} is not an ISO 4217 currency. {nearest(code, CURRENCIES)}"
        raise CellError("unknown_currency", message)
    return code
