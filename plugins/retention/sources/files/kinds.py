"""Define the kinds of canonical values as types that pydantic validates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from retention.sources.files.codes import COUNTRIES, CURRENCIES


@dataclass(frozen=True)
class Kind:
    """The representation of a field in a document.

    text, id, country, currency and word are strings. date is ``2024-05-31``; timestamp is
    ``2024-05-31T08:00:00Z``, always UTC. decimal, money, rate and integer are JSON numbers, kept as
    ``Decimal`` or ``int``, never a float. boolean is true or false.
    """

    name: str


@dataclass(frozen=True)
class Refers:
    """Mark a field that holds the key of a record of another stream."""

    stream: str


@dataclass(frozen=True)
class Decisive:
    """Mark an optional field whose loss would change a figure: a wrong value rejects the row.

    A term whose end cannot be read would otherwise run for ever. Any other optional value that is
    wrong is lost alone, and its record is loaded.
    """


@dataclass(frozen=True)
class Words:
    """The allowed values of a field; ``map`` in a mapping translates a company's own values."""

    allowed: tuple[str, ...]


def words(*allowed: str) -> tuple[Kind, Words, AfterValidator]:
    """Return the annotations of a field with a fixed set of values."""

    def known(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"{value!r} is not one of {', '.join(allowed)}")
        return value

    return Kind("word"), Words(allowed), AfterValidator(known)


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError(f"unknown currency {code!r}: ISO 4217 codes such as USD are known")
    return code


def _known_country(code: str) -> str:
    if code not in COUNTRIES:
        raise ValueError(f"unknown country {code!r}: ISO 3166 codes such as GB are known")
    return code


Text = Annotated[str, Kind("text")]
Id = Annotated[str, Kind("id"), Field(min_length=1)]
Country = Annotated[str, Kind("country"), AfterValidator(_known_country)]
Currency = Annotated[str, Kind("currency"), AfterValidator(_known_currency)]
Day = Annotated[date, Kind("date")]
Instant = Annotated[datetime, Kind("timestamp")]
Flag = Annotated[bool, Kind("boolean")]
# The limits are those of the columns in the warehouse, numeric(18, 4) and so on.
_LARGEST = 10**14 - 1
Number = Annotated[Decimal, Kind("decimal"), Field(ge=-_LARGEST, le=_LARGEST)]
Points = Annotated[Decimal, Kind("decimal"), Field(ge=-9999, le=9999)]
Hours = Annotated[Decimal, Kind("decimal"), Field(ge=-(10**10) + 1, le=10**10 - 1)]
Money = Annotated[Decimal, Kind("money"), Field(ge=-_LARGEST, le=_LARGEST)]
Price = Annotated[Decimal, Kind("money"), Field(ge=0, le=_LARGEST)]
Rate = Annotated[Decimal, Kind("rate"), Field(ge=0, le=1)]
Count = Annotated[int, Kind("integer"), Field(ge=0, le=2**31 - 1)]
AccountId = Annotated[str, Kind("id"), Refers("accounts"), Field(min_length=1)]
ContactId = Annotated[str, Kind("id"), Refers("contacts"), Field(min_length=1)]
OwnerId = Annotated[str, Kind("id"), Refers("owners"), Field(min_length=1)]
SubscriptionId = Annotated[str, Kind("id"), Refers("subscriptions"), Field(min_length=1)]

# The lowest and highest score where the file does not state a scale.
SURVEY_SCALES = {
    "nps": (Decimal(0), Decimal(10)),
    "csat": (Decimal(1), Decimal(5)),
    "ces": (Decimal(1), Decimal(7)),
}


Role = Annotated[str, *words("decision_maker", "champion", "economic_buyer", "user", "it")]
MeetingKind = Annotated[
    str, *words("business_review", "check_in", "onboarding", "training", "renewal", "call", "other")
]
Outcome = Annotated[str, *words("scheduled", "completed", "rescheduled", "no_show", "canceled")]
DealKind = Annotated[str, *words("new_business", "expansion", "renewal")]
GoalStatus = Annotated[str, *words("open", "on_track", "at_risk", "met", "missed", "dropped")]
Priority = Annotated[str, *words("low", "medium", "high", "urgent")]
TicketStatus = Annotated[str, *words("open", "pending", "closed")]
InvoiceStatus = Annotated[str, *words("draft", "open", "paid", "void", "uncollectible")]
InvoiceKind = Annotated[str, *words("invoice", "credit_note")]
ActionKind = Annotated[str, *words("task", "call", "email", "meeting", "ticket", "escalation")]
Survey = Annotated[str, *words(*SURVEY_SCALES)]


def within(field: str, score: Decimal, lowest: Decimal | int, highest: Decimal) -> None:
    """Raise a validation error for a score outside its scale."""
    if not lowest <= score <= highest:
        message = f"a score of {score} is not between {lowest} and {highest}"
        raise flawed("score_off_scale", field, message)


def flawed(code: str, field: str, message: str) -> PydanticCustomError:
    """Build the error of contradicting fields; ``field`` is the one to check first."""
    return PydanticCustomError(code, "{message}", {"message": message, "field": field})
