"""Strict JSON: exact numbers; duplicate keys and non-numbers are reported, not dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any


class BadDocument(ValueError):
    """The bytes are not one complete JSON document."""


class RepeatedKeys(dict[str, Any]):
    """An object with a duplicate key; ``pairs`` keeps every pair in document order."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class NotANumber(str):
    """A literal outside JSON (``NaN``, ``Infinity``) or outside the range of Decimal."""

    __slots__ = ()


def parse(content: bytes) -> Any:
    """Parse one document; fractions become Decimal, flaws stay in place for ``flaw``.

    Raises BadDocument for anything but one complete JSON document in UTF-8.
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
    """Return the first flaw inside the value as (code, reason), or None."""
    return next(_flaws(value, "$"), None)


def text(value: Any) -> str:
    """Write the value as JSON text with its flaws kept, as quarantine stores it."""
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
        yield "not_a_number", f"{path} is {value[:40]}, which is not a number"
    elif isinstance(value, RepeatedKeys):
        keys = [key for key, _ in value.pairs]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        yield "duplicate_key", f"{path} repeats the key {', '.join(repeated)[:200]}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list | NotANumber):
                yield from _flaws(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _flaws(inner, f"{path}[{index}]")
