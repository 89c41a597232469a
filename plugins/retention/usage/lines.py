"""Read the lines of NDJSON files as Arrow batches with line numbers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.jsondoc import BadDocument, parse
from retention.usage.compressed import LONGEST_LINE, EventFile, damaged, is_gzip, text, too_long

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Only a line up to this length may be blank; a longer line of spaces is malformed.
SHORTEST_EVENT = 16


def whole_lines(event_file: EventFile) -> Iterator[tuple[int, bytes, np.ndarray[Any, Any]]]:
    """Yield (number of the first line, complete lines, end offsets), without byte order mark.

    Raises ExtractionError: truncated_body when the last line is incomplete,
    payload_too_large for a line longer than LONGEST_LINE.
    """
    number, rest = 1, b""
    for block in text(event_file):
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
            raise too_long(event_file, number)
    if rest.strip():
        _require_complete(event_file, number, rest)
        yield number, rest + b"\n", _ends(rest + b"\n")


def _ends(lines: bytes) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1


def _require_complete(event_file: EventFile, number: int, line: bytes) -> None:
    try:
        parse(line)
    except BadDocument as error:
        raise damaged(event_file, f"line {number}, the last, is incomplete") from error


def json_batches(event_files: list[EventFile]) -> Iterator[pa.RecordBatch]:
    """Yield batches of (file, line, raw, flaw); ``flaw`` is set for a line that is not UTF-8."""
    for event_file in event_files:
        for number, block, ends in whole_lines(event_file):
            yield _batch_of_lines(event_file.number, number, block, ends)


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
    batch = pa.RecordBatch.from_arrays([files, lines, raw, flaw], schema=row_schema())
    blank = _blank(block, offsets)
    return batch.filter(pa.array(~blank)) if blank.any() else batch


def _blank(block: bytes, offsets: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return which lines are blank; they are neither events nor rejects."""
    import numpy as np

    blank = np.zeros(len(offsets) - 1, bool)
    for place in np.flatnonzero(np.diff(offsets) <= SHORTEST_EVENT):
        blank[place] = not block[offsets[place] : offsets[place + 1]].strip()
    return blank


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


def row_schema() -> pa.Schema:
    """Return the columns of every row; ``flaw`` is the rejection code or null."""
    import pyarrow as pa

    return pa.schema(
        {"file": pa.int32(), "line": pa.int64(), "raw": pa.string(), "flaw": pa.string()}
    )


def raw_lines(path: Path, wanted: set[int]) -> dict[int, str]:
    """Return the text of the lines with these numbers, for quarantine."""
    opener = gzip.open if is_gzip(path) else open
    with opener(path, "rb") as source:
        last = max(wanted, default=0)
        found = {}
        for number, line in enumerate(source, start=1):
            if number in wanted:
                found[number] = line.decode("utf-8-sig", "replace").rstrip("\r\n")
            if number >= last:
                break
        return found
