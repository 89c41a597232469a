"""Read the rows of a CSV, NDJSON, Parquet or workbook file with their line numbers."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from retention import jsondoc
from retention.sources.files.table import BadRow, BrokenFile, Row, as_text
from retention.sources.files.workbook import SUFFIXES, sheet_rows

_LONGEST_LINE = 8 * 1024 * 1024
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".parquet": "parquet",
    **dict.fromkeys(SUFFIXES, "workbook"),
}
# Excel writes this line before the header where its delimiter is not the usual one.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """The format of a stream's files; None means to derive it from the file name.

    ``header_line`` is the line of the column names, for a file with a title above its table.
    """

    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str | None = None
    header_line: int = 1

    def of(self, path: Path) -> str:
        """Return csv, ndjson, parquet or workbook; raises BrokenFile for another name."""
        suffix = next((s for s in reversed(path.suffixes) if s not in {".gz", ".gzip"}), "")
        found = self.format or FORMATS.get(suffix.lower())
        if found is None:
            raise BrokenFile(
                "unknown_format",
                "unknown file type. Set `format` to csv, ndjson, parquet or workbook",
            )
        return found

    def delimiter_of(self, path: Path) -> str:
        """Return the delimiter of a CSV file; the default of a .tsv file is the tab."""
        return "\t" if ".tsv" in path.suffixes and self.delimiter == "," else self.delimiter

    def label(self, file: str) -> str:
        """Return the name of the file, with the sheet that is read."""
        return f"{file}, sheet {self.sheet}" if self.sheet else file


def read_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    """Yield every row in order; raises BrokenFile instead of ending early."""
    readers = {
        "csv": _csv_rows,
        "ndjson": _ndjson_rows,
        "parquet": _parquet_rows,
        "workbook": _workbook_rows,
    }
    with _only_broken_files(path):
        yield from readers[form.of(path)](path, form)


def header(path: Path, form: Form) -> tuple[str, ...] | None:
    """Return the columns of the file, or None where every row may have its own."""
    with _only_broken_files(path):
        kind = form.of(path)
        if kind == "csv":
            return _Csv(path, form).names
        if kind == "parquet":
            return tuple(_parquet(path).schema_arrow.names)
        return _workbook(path, form)[0] if kind == "workbook" else None


@contextmanager
def _only_broken_files(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise BrokenFile("missing_file", f"there is no file {path.name}") from error
    except EOFError as error:
        raise BrokenFile("truncated_file", "the gzip data is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BrokenFile("broken_gzip", f"the gzip data is damaged: {error}") from error
    except UnicodeError as error:
        raise BrokenFile(
            "bad_encoding", f"cannot be decoded with this encoding: {error}"
        ) from error
    except OSError as error:
        raise BrokenFile("unreadable_file", str(error.strerror or error)) from error


def text_lines(path: Path, encoding: str) -> Iterator[str]:
    """Yield the lines with their line ends; invalid bytes become lone surrogates.

    The first bytes decide whether the file is gzip, not its name.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    # This codec reads files with and without a byte order mark.
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
    r"""Return the text without lone surrogates: an invalid byte becomes ``\\xff``."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class _Csv:
    """A CSV file: the columns of its header and, while iterating, its rows."""

    def __init__(self, path: Path, form: Form) -> None:
        self.form = form
        self.delimiter = form.delimiter_of(path)
        lines = text_lines(path, form.encoding)
        # The number of lines that the reader does not see.
        self.above = form.header_line - 1
        skipped = list(islice(lines, self.above))
        first = next(lines, "")
        if separator := _SEPARATOR_LINE.fullmatch(first):
            self.delimiter, self.above, first = separator[1], self.above + 1, next(lines, "")
        given = chain([first], lines) if first else iter(())
        self._reader: Any = csv.reader(given, delimiter=self.delimiter, strict=True)
        self.names = self._header(skipped)

    def _header(self, skipped: list[str]) -> tuple[str, ...]:
        line = self.above + 1
        try:
            names = next(self._reader)
        except StopIteration as error:
            where = f"; `header_line` is {self.form.header_line}" if skipped else ""
            message = f"the file is empty and has no header{where}"
            raise BrokenFile("empty_file", message) from error
        except csv.Error as error:
            raise BrokenFile("bad_csv", f"the header is not CSV: {error}", line) from error
        if names and names[0].startswith(("\udcff\udcfe", "\udcfe\udcff")):
            raise BrokenFile("bad_encoding", "the file is UTF-16; set `encoding: utf-16`", 1)
        return columns_named(names, line)

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield every row; raises BrokenFile for a quote that is never closed."""
        while True:
            line = self.above + self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if self.above + self._reader.line_num > line or "end of data" in str(error):
                    # The open quote hides whole rows, which must not look deleted.
                    message = f"the quote opened here is never closed ({error})"
                    raise BrokenFile("unclosed_quote", message, line) from error
                yield BadRow(line, "bad_csv", f"not CSV: {error}", "")
                continue
            if cells and (len(cells) > 1 or cells[0].strip() or len(self.names) == 1):
                yield _csv_row(line, self.names, cells, self.form)


def columns_named(cells: Sequence[str], line: int) -> tuple[str, ...]:
    """Return the names of a header; raises BrokenFile if one repeats."""
    names = tuple(name.strip() for name in cells)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        shown_names = ", ".join(name or "(empty)" for name in repeated)
        raise BrokenFile("repeated_column", f"the header repeats {shown_names}", line)
    return names


def _csv_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    yield from _Csv(path, form).rows()


def _csv_row(line: int, names: tuple[str, ...], cells: list[str], form: Form) -> Row | BadRow:
    raw = form.delimiter.join(cells)
    if not raw.isascii() and any("\ud800" <= character <= "\udfff" for character in raw):
        return BadRow(line, "bad_encoding", f"bytes that are not {form.encoding}", shown(raw))
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
        raise BrokenFile("broken_parquet", f"not a readable Parquet file: {error}") from error


def _parquet_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    number = 0
    for batch in _parquet(path).iter_batches():
        for values in batch.to_pylist():
            number += 1
            yield Row(number, values)


def _workbook(path: Path, form: Form) -> tuple[tuple[str, ...], Iterator[tuple[int, list[Any]]]]:
    """Return the columns of a sheet and its further rows with their numbers."""
    rows = sheet_rows(path, form.sheet, form.header_line)
    line, cells = next(rows, (form.header_line, []))
    while cells and cells[-1] == "":
        cells = cells[:-1]
    if not cells:
        raise BrokenFile("empty_file", f"row {form.header_line} has no column names", line)
    return columns_named([as_text(each) for each in cells], line), rows


def _workbook_rows(path: Path, form: Form) -> Iterator[Row | BadRow]:
    names, rows = _workbook(path, form)
    for line, cells in rows:
        beyond = [each for each in cells[len(names) :] if each != ""]
        if beyond:
            message = f"a cell right of the last column name: {as_text(beyond[0])!r}"
            yield BadRow(line, "ragged_row", message, repr(cells))
        elif any(each != "" for each in cells):
            padded = [*cells, *[""] * (len(names) - len(cells))]
            yield Row(line, dict(zip(names, padded, strict=False)))
