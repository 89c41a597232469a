"""The rows of event files as Arrow batches, with their line numbers, read and checked once."""

from __future__ import annotations

import csv
import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from retention.errors import ExtractionError
from retention.jsondoc import BadDocument, parse
from retention.usage.formats import EventFormat

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

CHUNK = 1 << 18
BLOCK = 1 << 22
WORTHWHILE = 1 << 20
# A longer line is no event; what holds it may be a bomb.
LONGEST_LINE = 1 << 24
CSV_BATCH = 20_000
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Parcel:
    """One file to read: ``number`` stands for it in the batches, ``name`` in errors."""

    number: int
    name: str
    path: Path


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 and length of the bytes as they lie there."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest(), path.stat().st_size


def is_gzip(path: Path) -> bool:
    with path.open("rb") as source:
        return source.read(2) == GZIP


def text_blocks(parcel: Parcel) -> Iterator[bytes]:
    """The file's bytes, decompressed when it is gzip of one or more members.

    Raises ExtractionError truncated_body unless every member ends with its checksum: a
    file cut or damaged anywhere is never read in part.
    """
    with parcel.path.open("rb") as source:
        packed = source.read(2) == GZIP
        source.seek(0)
        if packed:
            yield from _inflate(parcel, source)
        else:
            yield from iter(lambda: source.read(BLOCK), b"")


def _inflate(parcel: Parcel, source: BinaryIO) -> Iterator[bytes]:
    """The members one after the other; zeros behind the last are padding some tools write."""
    member: Any = None
    try:
        for chunk in iter(lambda: source.read(CHUNK), b""):
            while chunk := chunk if member else chunk.lstrip(b"\0"):
                member = member or zlib.decompressobj(31)
                # The cap keeps a chunk of a bomb from unfolding at once.
                yield member.decompress(chunk, BLOCK)
                chunk = member.unused_data if member.eof else member.unconsumed_tail
                member = None if member.eof else member
        while member and (block := member.decompress(b"", BLOCK)):
            yield block
            member = None if member.eof else member
    except zlib.error as error:
        raise damaged(parcel, str(error)) from error
    if member and not member.eof:
        raise damaged(parcel, "it ends within a gzip member")


def damaged(parcel: Parcel, why: str) -> ExtractionError:
    return ExtractionError(
        f"the file is incomplete or damaged: {why}.",
        code="truncated_body",
        where=parcel.name,
        mend="Nothing of it was loaded; deliver the file again.",
    )


def whole_lines(parcel: Parcel) -> Iterator[tuple[int, bytes, np.ndarray[Any, Any]]]:
    """(number of the first line, whole lines, where each ends), without a byte order mark.

    Raises truncated_body when the last line has no end and is not complete by itself, and
    payload_too_large for a line beyond any event.
    """
    number, rest = 1, b""
    for block in _without_mark(_regular(text_blocks(parcel))):
        end = block.rfind(b"\n") + 1
        if not end:
            rest += block
        else:
            lines = b"".join((rest, memoryview(block)[:end]))
            ends = _ends(lines)
            yield number, lines, ends
            number += len(ends)
            rest = block[end:]
        if len(rest) > LONGEST_LINE:
            raise ExtractionError(
                f"line {number} is longer than {LONGEST_LINE:,} bytes.",
                code="payload_too_large",
                where=parcel.name,
            )
    if rest.strip():
        _require_complete(parcel, number, rest)
        yield number, rest + b"\n", _ends(rest + b"\n")


def _ends(lines: bytes) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1


def _without_mark(blocks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(blocks, b"")
    yield first.removeprefix(b"\xef\xbb\xbf")
    yield from blocks


def _regular(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that are worth the overhead of a batch."""
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= WORTHWHILE:
            yield b"".join(held) if len(held) > 1 else block
            held, size = [], 0
    if held:
        yield b"".join(held)


def _require_complete(parcel: Parcel, number: int, line: bytes) -> None:
    try:
        parse(line)
    except BadDocument as error:
        raise damaged(parcel, f"line {number}, the last, breaks off") from error


def json_batches(parcels: list[Parcel]) -> Iterator[pa.RecordBatch]:
    """Batches of (file, line, raw, flaw); ``flaw`` is set where a line is not UTF-8."""
    for parcel in parcels:
        for number, block, ends in whole_lines(parcel):
            yield _batch_of_lines(parcel.number, number, block, ends)


def _batch_of_lines(
    file: int, number: int, block: bytes, ends: np.ndarray[Any, Any]
) -> pa.RecordBatch:
    import numpy as np
    import pyarrow as pa

    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    raw = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block))
    flaw = pa.nulls(len(ends), pa.string())
    if not block.isascii():
        raw, flaw = _checked_encoding(raw, block, flaw)
    lines = pa.array(np.arange(number, number + len(ends), dtype=np.int64))
    files = pa.array(np.full(len(ends), file, np.int32))
    return pa.RecordBatch.from_arrays([files, lines, raw, flaw], schema=json_schema())


def _checked_encoding(
    raw: pa.StringArray, block: bytes, flaw: pa.Array
) -> tuple[pa.StringArray, pa.Array]:
    import pyarrow as pa

    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        texts = [line.decode("utf-8", "replace") for line in block.split(b"\n")[:-1]]
        sound = [
            text.encode() == line for text, line in zip(texts, block.split(b"\n"), strict=False)
        ]
        flaw = pa.array([None if each else "bad_encoding" for each in sound], pa.string())
        return pa.array(texts, pa.string()), flaw
    return raw, flaw


def json_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        {"file": pa.int32(), "line": pa.int64(), "raw": pa.string(), "flaw": pa.string()}
    )


def csv_batches(parcels: list[Parcel], form: EventFormat) -> Iterator[pa.RecordBatch]:
    """Batches of (file, line, raw, flaw, one text column per name of the format)."""
    for parcel in parcels:
        yield from _csv_file(parcel, form)


def csv_schema(form: EventFormat) -> pa.Schema:
    import pyarrow as pa

    names = {name: pa.string() for name in form.columns}
    return pa.schema([*json_schema(), *pa.schema(names)])


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
    rest = b""
    for block in _without_mark(_regular(text_blocks(parcel))):
        *lines, rest = (rest + block).split(b"\n")
        yield from (line + b"\n" for line in lines)
        if len(rest) > LONGEST_LINE:
            raise ExtractionError("a line has no end.", code="payload_too_large", where=parcel.name)
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
        if len(rows) >= CSV_BATCH:
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


def unpacked(parcel: Parcel, folder: Path) -> Path:
    """The file itself, or a plain copy of it where it is gzip, for readers that must seek."""
    if not is_gzip(parcel.path):
        return parcel.path
    target = folder / f"{parcel.number}.plain"
    with target.open("wb") as plain:
        plain.writelines(text_blocks(parcel))
    return target


def raw_lines(path: Path, wanted: set[int]) -> dict[int, str]:
    """The text of some lines of a file of lines, for people to read in quarantine."""
    opener = gzip.open if is_gzip(path) else open
    with opener(path, "rb") as source:
        last = max(wanted, default=0)
        found = {}
        for number, line in enumerate(source, start=1):
            if number in wanted:
                found[number] = line.decode("utf-8", "replace").rstrip("\r\n")
            if number >= last:
                break
        return found
