"""The rows of one CSV, NDJSON or Parquet file, each with the line it stands on."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention import jsondoc

_LONGEST_LINE = 8 * 1024 * 1024
_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
}


@dataclass(frozen=True)
class Row:
    """A row as the file has it; ``line`` counts rows in a Parquet file."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be read while its neighbours can."""

    line: int
    code: str
    message: str
    raw: str


class BrokenFile(Exception):
    """A file that cannot be trusted as a whole: rows of it may be missing."""

    def __init__(self, code: str, message: str, line: int | None = None, file: str = "") -> None:
        self.code, self.message, self.line, self.file = code, message, line, file
        super().__init__(message)


@dataclass(frozen=True)
class Form:
    """How the files of a stream are written; the format None follows the file's name."""

    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","

    def of(self, path: Path) -> str:
        """csv, ndjson or parquet; raises BrokenFile for a name that tells neither."""
        suffix = next((s for s in reversed(path.suffixes) if s not in {".gz", ".gzip"}), "")
        found = self.format or _FORMATS.get(suffix.lower())
        if found is None:
            raise BrokenFile("unknown_format", "give `format: csv`, ndjson or parquet")
        return found

    def delimiter_of(self, path: Path) -> str:
        """The delimiter of a CSV file; a .tsv has tabs unless another is given."""
        return "\t" if ".tsv" in path.suffixes and self.delimiter == "," else self.delimiter


def read_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    """Every row of the file, in order; raises BrokenFile rather than end early."""
    readers = {"csv": _csv_rows, "ndjson": _ndjson_rows, "parquet": _parquet_rows}
    with _only_broken_files(path):
        yield from readers[form.of(path)](path, form)


def header(path: Path, form: Form) -> tuple[str, ...] | None:
    """The columns of the file, or None where every row may have its own."""
    with _only_broken_files(path):
        if form.of(path) == "csv":
            return _header(_csv_reader(text_lines(path, form.encoding), path, form))
        if form.of(path) == "parquet":
            return tuple(_parquet(path).schema_arrow.names)
    return None


@contextmanager
def _only_broken_files(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BrokenFile("missing_file", f"there is no file {path.name}") from error
    except EOFError as error:
        raise BrokenFile("truncated_file", "the gzip data ends too early") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BrokenFile("broken_gzip", f"the gzip data is damaged: {error}") from error
    except UnicodeError as error:
        raise BrokenFile("bad_encoding", f"not readable in this encoding: {error}") from error
    except OSError as error:
        raise BrokenFile("unreadable_file", str(error.strerror or error)) from error


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines with their ends; bytes that are no text stay in as lone surrogates.

    Whether the file is gzip is told by its first bytes, not by its name.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    # The variant with a signature reads files with and without one.
    known = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    opened: Any = gzip.open if packed else open
    with opened(path, "rt", encoding=known, errors="surrogateescape", newline="") as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE):
            number += 1
            if len(line) >= _LONGEST_LINE:
                raise BrokenFile("line_too_long", "a line of more than 8 MiB", number)
            yield line


def shown(text: str) -> str:
    r"""The text without lone surrogates: a byte that is no text shows as ``\\xff``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _csv_reader(lines: Iterable[str], path: Path, form: Form) -> Any:
    return csv.reader(lines, delimiter=form.delimiter_of(path), strict=True)


def _header(reader: Any) -> tuple[str, ...]:
    try:
        names = tuple(name.strip() for name in next(reader))
    except StopIteration as error:
        raise BrokenFile("empty_file", "the file is empty, not even a header") from error
    except csv.Error as error:
        raise BrokenFile("bad_csv", f"the header is no CSV: {error}", 1) from error
    if names and names[0].startswith(("\udcff\udcfe", "\udcfe\udcff")):
        raise BrokenFile("bad_encoding", "this is UTF-16; set `encoding: utf-16`", 1)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise BrokenFile("repeated_column", f"the header repeats {', '.join(repeated)}", 1)
    return names


def _csv_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    reader = _csv_reader(text_lines(path, form.encoding), path, form)
    names = _header(reader)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if reader.line_num > line or "end of data" in str(error):
                # The quote swallowed whole rows: none of them must pass for deleted.
                message = f"a quote that opens here never closes ({error})"
                raise BrokenFile("unclosed_quote", message, line) from error
            yield BadRow(line, "bad_csv", f"not CSV: {error}", "")
            continue
        if cells and (len(cells) > 1 or cells[0].strip() or len(names) == 1):
            yield _csv_row(line, names, cells, form)


def _csv_row(line: int, names: tuple[str, ...], cells: list[str], form: Form) -> Row | BadRow:
    raw = form.delimiter.join(cells)
    if not raw.isascii() and any("\ud800" <= character <= "\udfff" for character in raw):
        return BadRow(line, "bad_encoding", f"bytes that are no {form.encoding}", shown(raw))
    if len(cells) != len(names):
        message = f"{len(cells)} cells, the header has {len(names)}"
        return BadRow(line, "ragged_row", message, raw)
    return Row(line, dict(zip(names, cells, strict=True)))


def _ndjson_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    for number, line in enumerate(text_lines(path, form.encoding), start=1):
        if line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: str) -> Row | BadRow:
    try:
        value = jsondoc.parse(line.encode("utf-8", "surrogateescape"))
    except jsondoc.BadDocument as error:
        if not line.endswith(("\n", "\r")):
            raise BrokenFile("truncated_file", "the last line is cut off", number) from error
        return BadRow(number, "bad_json", "not one JSON object", shown(line.rstrip()))
    if not isinstance(value, dict):
        return BadRow(number, "bad_json", "not a JSON object", shown(line.rstrip()))
    flaw = jsondoc.flaw(value)
    return BadRow(number, *flaw, shown(line.rstrip())) if flaw else Row(number, value)


def _parquet(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise BrokenFile("broken_parquet", f"no readable Parquet file: {error}") from error


def _parquet_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    number = 0
    for batch in _parquet(path).iter_batches():
        for values in batch.to_pylist():
            number += 1
            yield Row(number, values)
