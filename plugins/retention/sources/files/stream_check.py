"""Every problem of the files of one stream."""

from __future__ import annotations

from typing import Any

from retention.sources.files.document import Flaw, Maker, cell
from retention.sources.files.fields import fields_of, key_of
from retention.sources.files.findings import Findings
from retention.sources.files.folder import Folder
from retention.sources.files.judge import contract_flaws, oddities
from retention.sources.files.looks import has_columns, look, paths
from retention.sources.files.problem import ERROR, WARNING, Problem, nearest
from retention.sources.files.references import Place, References
from retention.sources.files.rows import BadRow, BrokenFile, Row
from retention.sources.files.rule_columns import columns_of


class StreamCheck:
    """Reads the rows of one stream and reports what it finds; remembers keys for the others."""

    def __init__(self, folder: Folder, stream: str, findings: Findings) -> None:
        self.folder, self.stream, self.findings = folder, stream, findings
        self.maker = Maker(stream, folder.mapping.streams[stream], folder)
        self.rule = self.maker.rule
        self.form = folder.form(self.rule)
        self.keys: dict[str, Place] = {}
        self.columns = {
            name: origin.column or "+".join(origin.columns) or name
            for name, origin in self.rule.fields.items()
        }
        self.references = {
            field.name: References(self.columns[field.name], field.refers)
            for field in fields_of(stream).values()
            if field.refers and field.name in self.rule.fields
        }
        self._hashes: dict[str, int] = {}
        self._unique: dict[tuple[str, str], Place] = {}
        # Rows of NDJSON have no header: what any of them names counts as a column.
        self._seen: set[str] = set()

    def run(self) -> None:
        """Check every file; a file that cannot be read does not hide the next one."""
        files = self.folder.files(self.rule)
        for file in files:
            try:
                self._file(file)
            except BrokenFile as flaw:
                self.findings.error(file, flaw.line, None, flaw.code, flaw.message)
        if self._seen:
            self._never_seen(files[0])

    def _file(self, file: str) -> None:
        look(self.folder, file, self.form, self.findings)
        header = self.folder.header(file, self.form)
        if not has_columns(self.rule, file, header, self.findings):
            return
        rows = 0
        for row in self.folder.rows(file, self.form):
            rows += 1
            if isinstance(row, BadRow):
                self.findings.error(file, row.line, None, row.code, row.message)
                continue
            if header is None:
                self._seen.update(paths(row.values))
            if self.maker.wants(row.values):
                self._row(file, row)
        if not rows:
            self.findings.warn(file, None, None, "no_rows", "the file holds no rows")

    def _never_seen(self, file: str) -> None:
        required = {
            self.columns[field.name]
            for field in fields_of(self.stream).values()
            if field.required and field.name in self.columns
        }
        for column in columns_of(self.rule):
            if column not in self._seen:
                said = f"no row has {column!r}. {nearest(column, self._seen)}"
                severity = ERROR if column in required else WARNING
                problem = Problem(file, None, column, "missing_column", said, severity)
                self.findings.add(problem)

    def _row(self, file: str, row: Row) -> None:
        made = self.maker.make(row.values)
        flaws = made.flaws or contract_flaws(self.stream, made.doc)
        for flaw in flaws:
            column = self.columns.get(flaw.column, flaw.column)
            self.findings.error(file, row.line, column, flaw.code, flaw.message)
        self._repeats(file, row)
        if not flaws:
            self._sound(file, row.line, made.doc)

    def _sound(self, file: str, line: int, doc: dict[str, Any]) -> None:
        self._key(file, line, doc)
        for name, references in self.references.items():
            if doc[name] is not None:
                references.add(doc[name], (file, line))
        for flaw in oddities(self.stream, doc):
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
        stands = f"{key!r} stands in {first[0]} line {first[1]} already"
        if self._hashes[key] == content:
            said = f"{stands}, the same in every field"
            self._warn(file, line, Flaw(field, "repeated_row", said))
        elif self.stream == "usage_events" or self.rule.duplicates == "last":
            said = f"{stands} with other values; the last one counts"
            self._warn(file, line, Flaw(field, "repeated_id", said))
        else:
            said = f"{stands} with other values"
            self.findings.error(file, line, self.columns[field], "duplicate_id", said)

    def _repeats(self, file: str, row: Row) -> None:
        for column in self.rule.unique:
            value = cell(row.values, column)
            first = self._unique.setdefault((column, str(value)), (file, row.line))
            if first != (file, row.line):
                said = f"{value!r} stands in {first[0]} line {first[1]} already"
                self.findings.warn(file, row.line, column, "repeated_value", said)
