"""Check a folder and its mapping without loading anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.errors import ConfigurationError
from retention.sources.files.document import Flaw, Maker, cell
from retention.sources.files.fields import fields_of, key_of
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import Mapping, columns_of
from retention.sources.files.mapping_file import find_mapping, read_mapping
from retention.sources.files.problems import (
    ERROR,
    WARNING,
    Findings,
    Place,
    Problem,
    References,
    has_errors,
    nearest,
)
from retention.sources.files.profile import unread_files
from retention.sources.files.table import BadRow, BrokenFile, Row
from retention.sources.files.validate import (
    check_bytes,
    has_columns,
    paths,
    settle,
    unusual_values,
)

if TYPE_CHECKING:
    from retention.sources.files.usage_check import UsageCheck

__all__ = ["Problem", "check", "has_errors"]


class StreamCheck:
    """Check the rows of one stream and report problems; keep keys for reference checks."""

    def __init__(self, folder: Folder, stream: str, findings: Findings) -> None:
        self.folder, self.stream, self.findings = folder, stream, findings
        self.keys: dict[str, Place] = {}
        self.rejected_keys: dict[str, Place] = {}
        self.references: dict[str, References] = {}
        self._hashes: dict[str, int] = {}

    def run(self) -> None:
        """Check the files of every rule of the stream."""
        for _, rule in self.folder.mapping.rules(self.stream):
            self._use(Maker(self.stream, rule, self.folder))
            self._rule()

    def _use(self, maker: Maker) -> None:
        self.maker, self.rule = maker, maker.rule
        self.form = self.folder.form(self.rule)
        self.columns = maker.columns
        for field in fields_of(self.stream).values():
            if field.refers and field.name in self.columns:
                found = References(self.columns[field.name], field.refers)
                self.references.setdefault(field.name, found)
        self._unique: dict[tuple[str, str], Place] = {}
        # NDJSON has no header: a name that any row uses counts as a column.
        self._seen: set[str] = set()
        self._lost: dict[str, Findings] = {}
        self._read: Counter[str] = Counter()

    def _rule(self) -> None:
        """Check every file; an unreadable file does not stop the check of the next one."""
        files = self.folder.files(self.rule)
        for file in files:
            try:
                self._file(file)
            except BrokenFile as flaw:
                self.findings.error(file, flaw.line, None, flaw.code, flaw.message)
        if self._seen:
            self._never_seen(files[0])
        for field, lost in self._lost.items():
            # A column of which no value can be read is a mistake of the mapping.
            severity = WARNING if self._read[field] else ERROR
            for problem in lost.unfolded():
                self.findings.add(replace(problem, severity=severity))

    def _file(self, path: str) -> None:
        check_bytes(self.folder, path, self.form, self.findings)
        header, file = self.folder.header(path, self.form), self.form.label(path)
        if not has_columns(self.rule, file, header, self.findings):
            return
        rows = 0
        for row in self.maker.rows(self.folder.rows(path, self.form)):
            rows += 1
            if isinstance(row, BadRow):
                self.findings.error(file, row.line, None, row.code, row.message)
                continue
            if header is None:
                self._seen.update(paths(row.values))
            if self.maker.wants(row.values):
                self._row(file, row)
        if not rows:
            self.findings.warn(file, None, None, "no_rows", "the file has no rows")

    def _never_seen(self, file: str) -> None:
        required = {
            self.columns[field.name]
            for field in fields_of(self.stream).values()
            if field.required and field.name in self.columns
        }
        for column in columns_of(self.rule):
            if column not in self._seen:
                message = f"no row has {column!r}. {nearest(column, self._seen)}"
                severity = ERROR if column in required else WARNING
                problem = Problem(file, None, column, "missing_column", message, severity)
                self.findings.add(problem)

    def _row(self, file: str, row: Row) -> None:
        made = self.maker.make(row.values)
        settle(self.stream, made)
        for flaw in made.flaws:
            column = self.columns.get(flaw.column, flaw.column)
            problem = Problem(file, row.line, column, flaw.code, flaw.message)
            if flaw.fatal:
                self.findings.add(problem)
            else:
                self._lost.setdefault(column, Findings()).add(problem)
        for name, column in self.columns.items():
            self._read[column] += made.doc[name] is not None
        self._repeats(file, row)
        if made.is_lost and (key := made.doc[key_of(self.stream)]) is not None:
            self.rejected_keys.setdefault(key, (file, row.line))
        if not made.is_lost:
            self._sound(file, row.line, made.doc)

    def _sound(self, file: str, line: int, doc: dict[str, Any]) -> None:
        self._key(file, line, doc)
        for name, references in self.references.items():
            if doc[name] is not None:
                references.add(doc[name], (file, line))
        for flaw in unusual_values(self.stream, doc):
            self._warn(file, line, flaw)

    def _warn(self, file: str, line: int, flaw: Flaw) -> None:
        column = self.columns.get(flaw.column, flaw.column)
        self.findings.warn(file, line, column, flaw.code, flaw.message)

    def _key(self, file: str, line: int, doc: dict[str, Any]) -> None:
        field = key_of(self.stream)
        key, content = doc[field], hash(tuple(doc.values()))
        first = self.keys.setdefault(key, (file, line))
        if first == (file, line):
            self._hashes[key] = content
            return
        stands = f"{key!r} is already in {first[0]} line {first[1]}"
        if self._hashes[key] == content:
            message = f"{stands}, with equal values"
            self._warn(file, line, Flaw(field, "repeated_row", message))
        elif self.stream == "usage_events" or self.rule.duplicates == "last":
            message = f"{stands} with other values; the last one is used"
            self._warn(file, line, Flaw(field, "repeated_id", message))
        else:
            message = f"{stands} with other values"
            self.findings.error(file, line, self.columns[field], "duplicate_id", message)

    def _repeats(self, file: str, row: Row) -> None:
        for column in self.rule.unique:
            value = cell(row.values, column)
            first = self._unique.setdefault((column, str(value)), (file, row.line))
            if first != (file, row.line):
                message = f"{value!r} is already in {first[0]} line {first[1]}"
                self.findings.warn(file, row.line, column, "repeated_value", message)


def check(folder: str | Path, mapping: str | Path | None = None) -> list[Problem]:
    """Return all problems of the folder, errors first; nothing is loaded.

    Never raises for the contents of the folder or the mapping. An error means that a row, a file or
    the whole mapping would be refused; see ``has_errors``.
    """
    root = Path(folder)
    try:
        path = find_mapping(root, mapping)
    except ConfigurationError as error:
        message = f"{error.message} {error.hint}".strip()
        return [Problem(str(mapping or root), None, None, error.code, message)]
    read, problems = read_mapping(path)
    findings = Findings()
    for problem in problems:
        findings.add(problem)
    if read is not None:
        _check_files(Folder(root, read), _broken_streams(read, problems), findings)
    return findings.problems()


def _broken_streams(mapping: Mapping, problems: list[Problem]) -> set[str]:
    """Return the streams that cannot be read; all of them if the mapping's head is invalid."""
    places = [(problem.column or "").split(".") for problem in problems]
    if any(place[0] != "streams" for place in places):
        return set(mapping.streams)
    return {place[1] for place in places}


def _check_files(folder: Folder, broken: set[str], findings: Findings) -> None:
    keys: dict[str, dict[str, Place]] = {}
    lost: dict[str, dict[str, Place]] = {}
    references: list[References] = []
    for stream in folder.mapping.streams:
        if stream in broken:
            continue
        try:
            checked = _checker(stream)(folder, stream, findings)
            checked.run()
        except BrokenFile as flaw:
            findings.error(flaw.file, flaw.line, None, flaw.code, flaw.message)
            continue
        keys[stream] = checked.keys
        lost[stream] = checked.rejected_keys
        references += checked.references.values()
    for each in references:
        if each.stream in keys:
            each.report(keys[each.stream], findings, lost.get(each.stream, {}))
    # A missing file is named with the file that is probably meant.
    if not findings.has("missing_file"):
        for file in unread_files(folder):
            message = "no stream reads this file; add a stream, or list it under `ignore`"
            findings.warn(file, None, None, "unread_file", message)


def _checker(stream: str) -> type[StreamCheck] | type[UsageCheck]:
    if stream == "usage_events":
        # The bulk path imports DuckDB, which a folder without events does not need.
        from retention.sources.files.usage_check import UsageCheck

        return UsageCheck
    return StreamCheck
