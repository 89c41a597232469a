"""The kinds of value that contracts are made of."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from retention.sources.extraction import instant
from retention.sources.files.codes import CURRENCIES

_EARLIEST, _AFTER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]|$)")


class Document(BaseModel):
    """A vendor's document: fields that are not declared may be anything."""

    model_config = ConfigDict(extra="allow")


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _moment(value: Any) -> datetime:
    # Text is cast by Postgres later on, which reads a date where `instant` would read a count.
    dated = not isinstance(value, str) or _DATE.match(value.strip())
    moment = instant(value) if dated and not isinstance(value, bool) else None
    if moment is None or not _EARLIEST <= moment < _AFTER:
        # The type begins with "date", by which quarantine knows it for a bad_timestamp.
        raise PydanticCustomError("datetime_unreal", "no moment between 1970 and 2100")
    return moment


def _known_currency(code: str) -> str:
    if code.upper() not in CURRENCIES:
        raise ValueError(f"{code[:10]!r} is no ISO 4217 currency in use")
    return code


def _id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=200, pattern=r"\S")]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Currency = Annotated[str, AfterValidator(_known_currency)]
Number = Annotated[Decimal, Field(allow_inf_nan=False)]
Amount = Annotated[Number, Field(ge=0)]

# HubSpot's word for "no value" is the empty text as often as null.
_BLANK = BeforeValidator(_blank_to_none)
MaybeMoment = Annotated[Moment | None, _BLANK]
MaybeCurrency = Annotated[Currency | None, _BLANK]
MaybeNumber = Annotated[Number | None, _BLANK]
MaybeAmount = Annotated[Amount | None, _BLANK]
MaybeId = Annotated[Id | None, _BLANK]
