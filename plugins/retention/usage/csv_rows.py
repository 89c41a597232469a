"""The rows of CSV files as Arrow batches, with their line numbers and their text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from retention.errors import ExtractionError
from retention.usage.formats import EventFormat
from retention.usage.lines import row_schema
from retention.usage.packed import LONGEST_LINE, Parcel, damaged, text, too_long

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 20_000


def csv_batches(parcels: list[Parcel], form: EventFormat) -> Iterator[pa.RecordBatch]:
    """Batches of (file, line, raw, flaw, one text column per name of the format)."""
    for parcel in parcels:
        yield from _csv_file(parcel, form)


def csv_schema(form: EventFormat) -> pa.Schema:
    import pyarrow as pa

    names = {name: pa.string() for name in form.columns}
    return pa.schema([*row_schema(), *pa.schema(names)])


class _Tape:
    """Lines on their way to the CSV reader, kept until their row is done."""

    def __init__(self, parcel: Parcel) -> None:
        self._blocks = _text_lines(parcel)
        self.held: list[str] = []
        self.sound = True

    def __iter__(self) -> Iterator[str]:
        for line in self._blocks:
            text = line.decode("utf-8", "replace")
            self.sound = self.sound and text.encode() == line
            self.held.append(text)
            yield text

    def take(self) -> tuple[str, bool]:
        raw, sound = "".join(self.held).rstrip("\r\n"), self.sound
        self.held, self.sound = [], True
        return raw, sound


def _text_lines(parcel: Parcel) -> Iterator[bytes]:
    number, rest = 0, b""
    for block in text(parcel):
        *lines, rest = (rest + block).split(b"\n")
        number += len(lines)
        yield from (line + b"\n" for line in lines)
        if len(rest) > LONGEST_LINE:
            raise too_long(parcel, number + 1)
    if rest:
        yield rest


def _csv_file(parcel: Parcel, form: EventFormat) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    tape = _Tape(parcel)
    reader = csv.reader(tape, delimiter=form.delimiter, strict=True)
    header = next(reader, [])
    places = _places(parcel, form, header)
    tape.take()
    rows: list[list[Any]] = []
    for row in _csv_rows(parcel, reader, tape, len(header), places):
        rows.append(row)
        if len(rows) >= BATCH:
            yield pa.RecordBatch.from_arrays(_columns(rows, form), schema=csv_schema(form))
            rows = []
    if rows:
        yield pa.RecordBatch.from_arrays(_columns(rows, form), schema=csv_schema(form))


def _columns(rows: list[list[Any]], form: EventFormat) -> list[Any]:
    import pyarrow as pa

    types = [each.type for each in csv_schema(form)]
    return [
        pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)
    ]


def _places(parcel: Parcel, form: EventFormat, header: list[str]) -> list[int]:
    lacking = [name for name in form.columns.values() if header.count(name) != 1]
    if lacking:
        raise ExtractionError(
            f"the header must name {', '.join(lacking)} once; it is {', '.join(header)[:500]}.",
            code="missing_column",
            where=parcel.name,
        )
    return [header.index(name) for name in form.columns.values()]


def _csv_rows(
    parcel: Parcel, reader: Any, tape: _Tape, width: int, places: list[int]
) -> Iterator[list[Any]]:
    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise damaged(parcel, f"the row of line {begins} breaks off") from error
            row = None
        raw, sound = tape.take()
        if row == []:
            continue
        flaw = None if sound else "bad_encoding"
        if row is None or len(row) != width:
            flaw, row = "malformed", None
        texts = [None] * len(places) if row is None else [row[place] or None for place in places]
        yield [parcel.number, begins, raw, flaw, *texts]
