"""Fit a document to its contract by setting aside the smallest part that breaks it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from pydantic import BaseModel, ValidationError

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)

Place = tuple[str | int, ...]


class Unfit(Exception):
    """The reason why a record cannot be stored at all."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class SetAside:
    """A part of a document that breaks the contract, without its value."""

    path: str
    code: str
    reason: str


@dataclass(frozen=True)
class _Violation:
    place: Place
    code: str
    message: str

    @property
    def reason(self) -> str:
        return f"{_path(self.place)}: {self.message}"


def fit(doc: dict[str, Any], contract: type[BaseModel]) -> tuple[dict[str, Any], list[SetAside]]:
    """Return the document as its contract allows it, and the parts that were set aside.

    An optional value becomes null. A required value costs what contains it: the item of a list
    is dropped, an optional object becomes null. Raises Unfit if that is the record itself. The
    document passed in stays unchanged.
    """
    found = _violations(doc, contract)
    if not found:
        return doc, []
    fitted = copy.deepcopy(doc)
    causes: dict[Place, _Violation] = {}
    while found:
        for violation in _parts(found, causes):
            _clear(fitted, violation)
        found = [each for each in _violations(fitted, contract) if not _is_dropped(each, causes)]
    set_aside = [
        SetAside(_named(doc, place), cause.code, cause.reason) for place, cause in causes.items()
    ]
    _drop_items(fitted, causes)
    return fitted, set_aside


def _parts(found: list[_Violation], causes: dict[Place, _Violation]) -> list[Place]:
    """Add the next larger part of each violation to ``causes`` and return the new parts."""
    fresh: list[Place] = []
    for each in found:
        if any(each.place[: len(place)] == place for place in fresh):
            continue
        place, cause = each.place, each
        while place in causes:
            cause = causes.pop(place)
            place = place[:-1]
        if not place:
            raise Unfit(cause.code, cause.reason)
        for inner in [each for each in causes if each[: len(place)] == place]:
            del causes[inner]
        causes[place] = cause
        fresh.append(place)
    return fresh


def _is_dropped(violation: _Violation, causes: dict[Place, _Violation]) -> bool:
    """Return whether the violation is the gap that a dropped list item leaves for now."""
    place = violation.place
    return bool(place) and isinstance(place[-1], int) and place in causes


def _violations(doc: dict[str, Any], contract: type[BaseModel]) -> list[_Violation]:
    try:
        parsed = contract.model_validate(doc)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return [
            _Violation(each["loc"], _code(each["type"]), each["msg"].removeprefix("Value error, "))
            for each in found
        ]
    return list(_implausible(parsed, ()))


def _code(kind: str) -> str:
    return "bad_timestamp" if kind.startswith(("date", "time")) else "contract"


def _implausible(value: Any, place: Place) -> Iterator[_Violation]:
    """Yield the dates outside 1970 to 2100: a wrong unit or a placeholder."""
    if isinstance(value, date):
        if not is_plausible(value):
            yield _Violation(place, "bad_timestamp", "no date between 1970 and 2100")
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _implausible(getattr(value, name), (*place, info.alias or name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _implausible(item, (*place, index))


def is_plausible(value: date) -> bool:
    """Return whether a date lies in the years 1970 to 2100."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return EARLIEST <= moment < LATEST
    return EARLIEST.date() <= value < LATEST.date()


def _clear(doc: Any, place: Place) -> None:
    for part in place[:-1]:
        doc = doc[part]
    doc[place[-1]] = None


def _drop_items(doc: Any, causes: dict[Place, _Violation]) -> None:
    # From the last item on, so that the earlier indexes stay right.
    dropped = [(place[:-1], last) for place in causes if isinstance(last := place[-1], int)]
    for place, index in sorted(dropped, reverse=True):
        items: Any = doc
        for part in place:
            items = items[part]
        del items[index]


def _path(place: Place) -> str:
    return ".".join(str(part) for part in place) or "$"


def _named(doc: Any, place: Place) -> str:
    """Return the path of a part; a list item that has an id is named by it."""
    for part in place:
        # A missing field has no value.
        doc = doc.get(part) if isinstance(doc, dict) else doc[int(part)]
    key = doc.get("id") if isinstance(place[-1], int) and isinstance(doc, dict) else None
    return f"{_path(place)} ({key})" if isinstance(key, str | int) else _path(place)
