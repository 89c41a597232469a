"""Read the files of a folder that a mapping names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention.sources.files.mapping import Lookup, Mapping, StreamRule
from retention.sources.files.problems import nearest
from retention.sources.files.rows import Form, header, read_rows
from retention.sources.files.table import BadRow, BrokenFile, Row, as_text


@dataclass(frozen=True)
class Folder:
    """A folder and its mapping; files are named by their path inside the folder."""

    root: Path
    mapping: Mapping

    def form(self, rule: StreamRule | Lookup) -> Form:
        """Return the format of the files of a stream or a lookup."""
        encoding = rule.encoding or self.mapping.encoding
        delimiter = rule.delimiter or self.mapping.delimiter
        return Form(rule.format, encoding, delimiter, rule.sheet, rule.header_line)

    def files(self, rule: StreamRule) -> list[str]:
        """Return the files of a stream, sorted by name within each pattern.

        Raises BrokenFile for a pattern that matches no file: a missing file must not look like a
        file whose rows were all deleted.
        """
        found: dict[str, None] = {}
        for pattern in rule.files:
            matches = sorted(path for path in self.root.glob(pattern) if path.is_file())
            if not matches:
                there = [p.relative_to(self.root).as_posix() for p in self.root.rglob("*.*")]
                raise BrokenFile(
                    "missing_file", f"no file {pattern!r}. {nearest(pattern, there)}", file=pattern
                )
            found |= {path.relative_to(self.root).as_posix(): None for path in matches}
        return list(found)

    def rows(self, file: str, form: Form) -> Iterator[Row | BadRow]:
        """Yield the rows of one file; raises BrokenFile with the file's name."""
        with _named(file):
            yield from read_rows(self.root / file, form)

    def header(self, file: str, form: Form) -> tuple[str, ...] | None:
        """Return the columns of one file, None for NDJSON; raises BrokenFile with its name."""
        with _named(file):
            return header(self.root / file, form)

    def table(self, lookup: Lookup) -> dict[str, Any]:
        """Return a lookup as a dictionary; raises BrokenFile for an ambiguous key."""
        table: dict[str, Any] = {}
        for row in self.rows(lookup.file, self.form(lookup)):
            if isinstance(row, BadRow):
                raise BrokenFile(row.code, row.message, row.line, lookup.file)
            for column in (lookup.match, lookup.take):
                if column not in row.values:
                    message = f"no column {column!r}. {nearest(column, row.values)}"
                    raise BrokenFile("missing_column", message, 1, lookup.file)
            match, take = as_text(row.values[lookup.match]).strip(), row.values[lookup.take]
            if table.setdefault(match, take) != take:
                message = f"{lookup.match} {match!r} has more than one {lookup.take}"
                raise BrokenFile("ambiguous_lookup", message, row.line, lookup.file)
        return table


@contextmanager
def _named(file: str) -> Iterator[None]:
    try:
        yield
    except BrokenFile as broken:
        broken.file = broken.file or file
        raise
