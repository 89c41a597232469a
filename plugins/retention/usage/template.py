"""A line of JSON as the bytes around its texts: what makes another line the same but for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from retention.jsondoc import BadDocument, flaw, parse
from retention.usage.formats import EventFormat

Path = tuple[str, ...]

_TOKEN = re.compile(rb'"([^"]*)"(\s*:)?|([{}])|[,\s]|(.)', re.DOTALL)
_STEP = r'\.(?:"([^"\\]+)"|([^."*\[\]\\]+))'
_ABSENT = object()


@dataclass(frozen=True)
class Template:
    """A sound line with ``quotes`` quotes: between the ``fixed`` bytes stand its texts.

    Text n begins behind quote ``opens[n]`` of the line. ``texts`` has for each wanted column
    the number of its text, None where the line has no such value.
    """

    fixed: tuple[bytes, ...]
    quotes: int
    opens: tuple[int, ...]
    texts: tuple[int | None, ...]


def learn(line: bytes, form: EventFormat) -> Template | None:
    """The template of a line, None unless it is a sound object of only texts and objects.

    A line without escapes and control characters that has its ``fixed`` bytes is the same
    document with other texts: complete, and with no key repeated.
    """
    paths = [_steps(path) for path in form.columns.values()]
    document, found = _sound(line), _texts(line)
    if document is None or not found or None in paths:
        return None
    values = [_value(document, path or ()) for path in paths]
    if any(not (value is _ABSENT or isinstance(value, str)) for value in values):
        return None
    numbers = {path: number for number, (path, _, _) in enumerate(found)}
    begins = [0, *(end - 1 for _, _, end in found)]
    ends = [*(start + 1 for _, start, _ in found), len(line)]
    fixed = tuple(line[begin:end] for begin, end in zip(begins, ends, strict=True))
    # Each part but the first begins with the quote that closes a text.
    opens = tuple(seen - 1 for seen in accumulate(part.count(b'"') for part in fixed[:-1]))
    return Template(
        fixed, line.count(b'"'), opens, tuple(numbers.get(path or ()) for path in paths)
    )


def _sound(line: bytes) -> dict[str, Any] | None:
    try:
        document = parse(line)
    except BadDocument:
        return None
    sound = isinstance(document, dict) and flaw(document) is None and b"\\" not in line
    return document if sound else None


def _texts(line: bytes) -> list[tuple[Path, int, int]] | None:
    """(path, start, end) of the values, None where one is neither text nor object."""
    path: list[str] = []
    found = []
    for token in _TOKEN.finditer(line):
        text, key, brace, other = token.groups()
        if other or (not path and brace != b"{" and not token[0].isspace()):
            return None
        if brace:
            path = [*path, ""] if brace == b"{" else path[:-1]
        elif key:
            path[-1] = text.decode("utf-8", "replace")
        elif text is not None:
            found.append((tuple(path), *token.span()))
    return found


def _steps(path: str) -> Path | None:
    """``$.a."$b"`` as (a, $b); None for any other kind of path."""
    if not re.fullmatch(rf"\$(?:{_STEP})+", path):
        return None
    return tuple(quoted or plain for quoted, plain in re.findall(_STEP, path))


def _value(document: Any, path: Path) -> Any:
    for step in path:
        document = document.get(step, _ABSENT) if isinstance(document, dict) else _ABSENT
    return document
