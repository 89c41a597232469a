"""Strict JSON: exact numbers, and no flaw of a document passes unseen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any


class BadDocument(ValueError):
    """The bytes are not one complete JSON document."""


class RepeatedKeys(dict[str, Any]):
    """An object that named a key twice; ``pairs`` keeps what the last one overwrote."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class NotANumber(str):
    """A number JSON does not have (``NaN``, ``Infinity``) or that no decimal can hold."""

    __slots__ = ()


def parse(content: bytes) -> Any:
    """The document; fractions are Decimal, flaws are left in place for ``flaw`` to find.

    Raises BadDocument for anything but one complete document in UTF-8.
    """
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_float=_decimal,
            parse_constant=NotANumber,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise BadDocument(f"not a JSON document: {type(error).__name__}") from error


def flaw(value: Any) -> tuple[str, str] | None:
    """The first flaw inside the value as (code, reason), or None for a sound one."""
    return next(_flaws(value, "$"), None)


def text(value: Any) -> str:
    """The value as JSON text with its flaws kept, for people to read in quarantine."""
    if isinstance(value, RepeatedKeys):
        return _braces((key, text(inner)) for key, inner in value.pairs)
    if isinstance(value, dict):
        return _braces((key, text(inner)) for key, inner in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, NotANumber | Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _braces(pairs: Iterator[tuple[str, str]]) -> str:
    body = ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {inner}" for key, inner in pairs)
    return "{" + body + "}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else RepeatedKeys(pairs)


def _decimal(literal: str) -> Decimal | NotANumber:
    try:
        return Decimal(literal)
    except InvalidOperation:
        return NotANumber(literal)


def _flaws(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, NotANumber):
        yield "not_a_number", f"{path} is {value[:40]}, which is no number"
    elif isinstance(value, RepeatedKeys):
        keys = [key for key, _ in value.pairs]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        yield "duplicate_key", f"{path} names {', '.join(twice)[:200]} more than once"
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list | NotANumber):
                yield from _flaws(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flaws(inner, f"{path}[{index}]")
