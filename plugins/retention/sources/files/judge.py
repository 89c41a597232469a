"""What is wrong or odd about one document, once each of its values could be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from retention.sources.files.codes import US_STATES
from retention.sources.files.document import Flaw
from retention.sources.files.fields import fields_of
from retention.sources.files.records import RECORDS

_STATE = re.compile("[A-Z]{2}")


def contract_flaws(stream: str, doc: dict[str, Any]) -> list[Flaw]:
    """Where the document breaks the contract of its stream: it would be quarantined."""
    try:
        RECORDS[stream].model_validate(doc)
    except ValidationError as error:
        return [_flaw(stream, each) for each in error.errors(include_url=False)]
    return []


def _flaw(stream: str, error: Any) -> Flaw:
    field = str(error["loc"][0]) if error["loc"] else str(error["ctx"]["field"])
    code, message = error["type"], error["msg"].removeprefix("Value error, ")
    if code == "greater_than_equal":
        money = fields_of(stream)[field].kind == "money"
        code = "negative_amount" if money else "out_of_range"
        message = f"{field} {error['input']} is below {error['ctx']['ge']}"
    elif code == "less_than_equal":
        code, message = "out_of_range", f"{field} {error['input']} is above {error['ctx']['le']}"
    return Flaw(field, code, message)


def oddities(stream: str, doc: dict[str, Any]) -> Iterator[Flaw]:
    """What is loaded as it stands and yet worth a look."""
    if stream == "accounts":
        yield from _account(doc)
    elif stream == "subscriptions" and doc["ends_on"] == doc["starts_on"]:
        yield Flaw("ends_on", "empty_term", f"it starts and ends on {doc['starts_on']}")
    elif stream == "tickets" and _later(doc["first_reply_at"], doc["closed_at"]):
        said = f"the first reply at {doc['first_reply_at']}, closed at {doc['closed_at']} already"
        yield Flaw("first_reply_at", "reply_after_close", said)


def _account(doc: dict[str, Any]) -> Iterator[Flaw]:
    region = doc["region"] or ""
    if doc["country"] == "US" and _STATE.fullmatch(region) and region not in US_STATES:
        yield Flaw("region", "unknown_region", f"{region!r} is no state of the USA")
    if doc["parent_account_id"] == doc["account_id"]:
        yield Flaw("parent_account_id", "own_parent", "the account is its own parent")


def _later(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)
