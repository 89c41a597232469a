"""Read the rows of CSV files as Arrow batches, with line numbers and raw text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from retention.errors import ExtractionError
from retention.usage.compressed import LONGEST_LINE, EventFile, damaged, text, too_long
from retention.usage.formats import EventFormat
from retention.usage.lines import row_schema

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 20_000


def csv_batches(event_files: list[EventFile], form: EventFormat) -> Iterator[pa.RecordBatch]:
    """Yield batches of (file, line, raw, flaw, one text column per name of the format)."""
    for event_file in event_files:
        yield from _csv_file(event_file, form)


def csv_schema(form: EventFormat) -> pa.Schema:
    """Return ``row_schema`` plus one text column per name of the format."""
    import pyarrow as pa

    names = {name: pa.string() for name in form.columns}
    return pa.schema([*row_schema(), *pa.schema(names)])


class _LineRecorder:
    """Lines passed to the CSV reader, kept until their row is complete."""

    def __init__(self, event_file: EventFile) -> None:
        self._blocks = _text_lines(event_file)
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


def _text_lines(event_file: EventFile) -> Iterator[bytes]:
    number, rest = 0, b""
    for block in text(event_file):
        *lines, rest = (rest + block).split(b"\n")
        number += len(lines)
        yield from (line + b"\n" for line in lines)
        if len(rest) > LONGEST_LINE:
            raise too_long(event_file, number + 1)
    if rest:
        yield rest


def _csv_file(event_file: EventFile, form: EventFormat) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    recorder = _LineRecorder(event_file)
    reader = csv.reader(recorder, delimiter=form.delimiter, strict=True)
    header = next(reader, [])
    if header == ["sep=", ""]:
        # Excel states its delimiter in a line above the header; here it is the expected one.
        header = next(reader, [])
    places = _places(event_file, form, header)
    recorder.take()
    rows: list[list[Any]] = []
    for row in _csv_rows(event_file, reader, recorder, len(header), places):
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


def _places(event_file: EventFile, form: EventFormat, header: list[str]) -> list[int]:
    lacking = [name for name in form.columns.values() if header.count(name) != 1]
    if lacking:
        raise ExtractionError(
            f"the header must name {', '.join(lacking)} once; it is {', '.join(header)[:500]}.",
            code="missing_column",
            where=event_file.name,
            hint="Add the column to the file, or correct the columns of the event format.",
        )
    return [header.index(name) for name in form.columns.values()]


def _csv_rows(
    event_file: EventFile, reader: Any, recorder: _LineRecorder, width: int, places: list[int]
) -> Iterator[list[Any]]:
    while True:
        begins = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise damaged(event_file, f"the row of line {begins} is incomplete") from error
            row = None
        raw, sound = recorder.take()
        if row == []:
            continue
        flaw = None if sound else "bad_encoding"
        if row is None or len(row) != width:
            flaw, row = "malformed", None
        texts = [None] * len(places) if row is None else [row[place] or None for place in places]
        yield [event_file.number, begins, raw, flaw, *texts]
