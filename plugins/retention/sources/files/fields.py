"""Derive the canonical fields from their records: kind, required, reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from retention.sources.files.kinds import Decisive, Kind, Refers, Words
from retention.sources.files.records import RECORDS


@dataclass(frozen=True)
class CanonicalField:
    """One field of a stream.

    ``refers`` is the stream whose key the field holds; ``words`` are the allowed values. A wrong
    value of a ``decisive`` field rejects its row; of another field, it is lost alone.
    """

    name: str
    kind: str
    required: bool
    refers: str | None = None
    words: tuple[str, ...] = ()
    note: str = ""
    decisive: bool = True


@cache
def fields_of(stream: str) -> dict[str, CanonicalField]:
    """Return the fields of a stream in the order of its documents; the first is the key."""
    record = RECORDS[stream]
    hints = get_type_hints(record, include_extras=True)
    return {
        name: _field(name, hints[name], required=info.is_required(), note=info.description or "")
        for name, info in record.model_fields.items()
    }


def key_of(stream: str) -> str:
    """Return the key field of a stream."""
    return next(iter(fields_of(stream)))


def _field(name: str, hint: Any, *, required: bool, note: str) -> CanonicalField:
    marks = list(_marks(hint))
    return CanonicalField(
        name=name,
        kind=next(mark.name for mark in marks if isinstance(mark, Kind)),
        required=required,
        refers=next((mark.stream for mark in marks if isinstance(mark, Refers)), None),
        words=next((mark.allowed for mark in marks if isinstance(mark, Words)), ()),
        note=note,
        decisive=required or any(isinstance(mark, Decisive) for mark in marks),
    )


def _marks(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
    for part in get_args(hint):
        yield from _marks(part)


def field_table(*streams: str) -> str:
    """Return the fields of the streams, by default of all, as Markdown tables."""
    return "\n".join(line for stream in streams or RECORDS for line in _stream_lines(stream))


def _stream_lines(stream: str) -> Iterator[str]:
    yield from (f"### {stream}", "", "| field | kind | required | notes |", "|---|---|---|---|")
    for field in fields_of(stream).values():
        notes = [f"-> {field.refers}"] if field.refers else []
        notes += [", ".join(field.words)] if field.words else []
        notes += [field.note] if field.note else []
        notes += ["a wrong value rejects the row"] if field.decisive and not field.required else []
        required = "yes" if field.required else ""
        yield f"| {field.name} | {field.kind} | {required} | {'; '.join(notes)} |"
    yield ""
