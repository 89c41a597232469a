"""Profile the tables of a folder: format, delimiter, columns and a sample of their values."""

from __future__ import annotations

import contextlib
import csv
import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from retention.sources.files.folder import Folder
from retention.sources.files.rows import FORMATS, Form, header, read_rows
from retention.sources.files.table import BrokenFile, Row, as_text
from retention.sources.files.workbook import sheet_names

_SAMPLE = 500
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Table:
    """A table of a folder; ``problem`` says why it cannot be read."""

    file: str
    form: Form
    samples: dict[str, list[str]] = field(default_factory=dict)
    pattern: str = ""
    problem: str = ""

    @property
    def name(self) -> str:
        """Return the name of the sheet, or the file's name without its suffixes."""
        return self.form.sheet or Path(self.file).name.split(".")[0]


def data_files(root: Path) -> list[str]:
    """Return the files of a folder that can hold a table, by their path inside it."""
    found = (path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file())
    return [
        path.as_posix()
        for path in found
        if path.suffixes
        and not any(part.startswith((".", "~$")) for part in path.parts)
        and _suffix(path) in FORMATS
    ]


def grouped(found: Iterable[Table]) -> list[Table]:
    """Return the tables, with files that differ only in a number or date as one with a pattern."""
    groups: dict[tuple[str, Form, bool], Table] = {}
    for table in found:
        # A plain digit of a name such as q1.csv is part of it; a date or a counter is not.
        pattern = re.sub(r"\d[\d_-]*\d|(?<=[_-])\d+(?=\.)", "*", table.file)
        key = (pattern, table.form, bool(table.problem))
        first = groups.get(key)
        if first is None:
            groups[key] = replace(table, pattern=table.file)
        elif set(table.samples) & set(first.samples) or table.problem:
            groups[key] = replace(first, pattern=pattern, samples=table.samples | first.samples)
        else:
            groups[(table.file, table.form, False)] = replace(table, pattern=table.file)
    return list(groups.values())


def _suffix(path: Path) -> str:
    packed = path.suffix.lower() in {".gz", ".gzip"} and len(path.suffixes) > 1
    return (path.suffixes[-2] if packed else path.suffix).lower()


def tables(root: Path) -> Iterator[Table]:
    """Yield every table of a folder, one per sheet of a workbook."""
    for file in data_files(root):
        form = Form()
        try:
            kind = form.of(root / file)
            if kind == "workbook":
                names = sheet_names(root / file)
                many = len(names) > 1
                for name in names:
                    yield _table(root, file, replace(form, sheet=name if many else None))
                continue
            if kind == "csv":
                encoding = _encoding(root / file)
                form = replace(form, encoding=encoding)
                form = replace(form, delimiter=_delimiter(root / file, form))
        except BrokenFile as broken:
            yield Table(file, form, problem=broken.message)
            continue
        yield _table(root, file, form)


def _table(root: Path, file: str, form: Form) -> Table:
    path = root / file
    try:
        names = header(path, form)
        rows = [
            each.values for each in islice(read_rows(path, form), _SAMPLE) if isinstance(each, Row)
        ]
    except BrokenFile as broken:
        return Table(file, form, problem=broken.message)
    if names is None:
        names = tuple(dict.fromkeys(name for row in rows for name in _names(row)))
    if form.of(path) == "csv" and len(names) < 2:
        return Table(file, form, problem=f"only one column: {names[0]!r}")
    return Table(file, form, {name: _values(rows, name) for name in names})


def _names(values: dict[str, Any], under: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _names(value, f"{under}{name}.")
        else:
            yield under + name


def _values(rows: list[dict[str, Any]], column: str) -> list[str]:
    from retention.sources.files.document import cell

    found = (cell(row, column) for row in rows)
    texts = (as_text(value).strip() for value in found if value is not None)
    return [text for text in texts if text]


def _start(path: Path) -> bytes:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    opened: Any = gzip.open if packed else open
    try:
        with opened(path, "rb") as stream:
            return bytes(stream.read(1 << 16))
    except (OSError, EOFError) as error:
        raise BrokenFile("unreadable_file", f"cannot be read: {error}") from error


def _encoding(path: Path) -> str:
    start = _start(path)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    # A character may be cut at the end of the sample.
    for cut in range(4):
        try:
            start[: len(start) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return "utf-8"
    return "cp1252"


def _delimiter(path: Path, form: Form) -> str:
    """Return the delimiter that divides the most lines into the same number of cells."""
    lines = _start(path).decode(form.encoding, "replace").splitlines()[:50]

    def evenness(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
        except csv.Error:
            return 0, 0
        width = widths[0] if widths else 0
        return (widths.count(width), width) if width > 1 else (0, 0)

    return max(_DELIMITERS, key=evenness)


def unread_files(folder: Folder) -> list[str]:
    """Return the data files of the folder that no stream and no lookup reads.

    A pattern that matches no file is a finding of its stream and none of this.
    """
    read: set[str] = set()
    for stream in folder.mapping.streams:
        for _, rule in folder.mapping.rules(stream):
            with contextlib.suppress(BrokenFile):
                read |= set(folder.files(rule))
            read |= {origin.lookup.file for origin in rule.fields.values() if origin.lookup}
    ignored = {
        path.relative_to(folder.root).as_posix()
        for pattern in folder.mapping.ignore
        for path in folder.root.glob(pattern)
    }
    return [file for file in data_files(folder.root) if file not in read | ignored]
