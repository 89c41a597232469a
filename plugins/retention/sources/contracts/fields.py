"""Define the value types that contracts use.

Each type that staging casts names the database function of its cast, ``Cast("integer")`` for
``ops.try_integer``, and accepts what that function accepts. A test compares both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from retention.sources.extraction import instant
from retention.sources.files.codes import CURRENCIES


@dataclass(frozen=True)
class Cast:
    """The cast of a field in staging: ``ops.try_<name>`` with these arguments."""

    name: str
    arguments: tuple[int, ...] = ()


_EARLIEST, _AFTER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII
)
# Fewer digits could be a date such as 20260131.
_MILLISECONDS = re.compile(r"\d{12,13}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([eE][+-]?\d{1,2})?", re.ASCII)
# The largest number that numeric(18, 4) holds however it is rounded.
_LARGEST = 10**14 - 1
_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0"), False),
}


class Document(BaseModel):
    """A vendor's document; undeclared fields may hold anything."""

    model_config = ConfigDict(extra="allow")


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _plausible(moment: datetime | None) -> datetime:
    if moment is None or not _EARLIEST <= moment < _AFTER:
        # Landing maps error types that begin with "date" to bad_timestamp.
        raise PydanticCustomError("datetime_unreal", "no moment between 1970 and 2100")
    return moment


def _moment(value: Any) -> datetime:
    text = value.strip() if isinstance(value, str) else ""
    return _plausible(
        instant(text) if _ISO.fullmatch(text) or _MILLISECONDS.fullmatch(text) else None
    )


def _epoch(value: Any) -> datetime:
    try:
        return datetime.fromtimestamp(_whole(value), UTC)
    except (ValueError, OverflowError, OSError):
        return _plausible(None)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _FLAGS.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError("not true or false")
    return found


def _number(value: Any) -> Decimal:
    # Postgres reads the text of a number too, so both forms have one syntax.
    text = "" if isinstance(value, bool) else str(value).strip()
    if not isinstance(value, str | int | float | Decimal) or not _NUMBER.fullmatch(text):
        raise ValueError("not a number")
    return Decimal(text)


def _whole(value: Any) -> int:
    number = _number(value)
    if number != number.to_integral_value():
        raise ValueError("not a whole number")
    return int(number)


def _known_currency(code: str) -> str:
    if code.upper() not in CURRENCIES:
        raise ValueError(f"{code[:10]!r} is not an ISO 4217 currency in use")
    return code


def _id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=200, pattern=r"\S")]
Moment = Annotated[datetime, BeforeValidator(_moment), Cast("moment")]
Epoch = Annotated[datetime, AfterValidator(_plausible), BeforeValidator(_epoch), Cast("epoch")]
Currency = Annotated[str, AfterValidator(_known_currency)]
Flag = Annotated[bool, BeforeValidator(_flag), Cast("boolean")]
Whole = Annotated[int, BeforeValidator(_whole), Field(ge=-(2**31), lt=2**31), Cast("integer")]
Large = Annotated[int, BeforeValidator(_whole), Field(ge=-(2**63), lt=2**63), Cast("bigint")]
# Amounts in minor units and quantities, far below what numeric(18, 4) holds.
Minor = Annotated[Large, Field(ge=-(10**13), le=10**13)]
Quantity = Annotated[Large, Field(ge=0, le=10**13)]
Interval = Annotated[Whole, Field(ge=1, le=1200)]
Number = Annotated[
    Decimal, BeforeValidator(_number), Field(ge=-_LARGEST, le=_LARGEST), Cast("decimal", (18, 4))
]
Percent = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=100), Cast("decimal", (9, 4))]
# A price of a unit in minor units may be a fraction of a cent.
UnitAmount = Annotated[
    Decimal, BeforeValidator(_number), Field(ge=0, le=10**13), Cast("decimal", (24, 6))
]
Score = Annotated[Decimal, BeforeValidator(_number), Field(ge=0, le=10), Cast("decimal", (6, 2))]
Sentiment = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=5), Cast("integer")]

# HubSpot sends "no value" as an empty string or as null.
_BLANK = BeforeValidator(_blank_to_none)
MaybeMoment = Annotated[Moment | None, _BLANK]
MaybeCurrency = Annotated[Currency | None, _BLANK]
MaybeNumber = Annotated[Number | None, _BLANK]
MaybeWhole = Annotated[Whole | None, _BLANK]
MaybeFlag = Annotated[Flag | None, _BLANK]
MaybeSentiment = Annotated[Sentiment | None, _BLANK]
MaybeId = Annotated[Id | None, _BLANK]
