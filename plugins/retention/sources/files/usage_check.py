"""Check usage events by the same reading that loads them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from retention.errors import ExtractionError
from retention.sources.files.document import cell
from retention.sources.files.events import event_format
from retention.sources.files.folder import Folder
from retention.sources.files.problems import (
    ERROR,
    WARNING,
    Findings,
    Place,
    Problem,
    References,
    nearest,
)
from retention.sources.files.table import BrokenFile, Row
from retention.sources.files.validate import check_bytes, has_columns, paths
from retention.usage.compressed import EventFile
from retention.usage.lake import session, write_part
from retention.usage.parse import REASONS

if TYPE_CHECKING:
    import duckdb

_SAMPLE = 200
_BLAMED = {
    "missing_event_id": "event_id",
    "missing_account": "account_id",
    "missing_feature": "feature",
    "bad_timestamp": "occurred_at",
    "bad_number": "quantity",
    "duplicate_id": "event_id",
}
_COLUMNS = {
    "event_id": "event_id",
    "account_id": "account_key",
    "feature": "feature",
    "user_id": "nullif(user_key, '')",
    "subscription_id": "nullif(subscription_key, '')",
    "quantity": "coalesce(units::varchar, raw)",
}


class UsageCheck:
    """Read all event files at once, as the load does, and query the result for problems."""

    def __init__(self, folder: Folder, stream: str, findings: Findings) -> None:
        self.folder, self.findings = folder, findings
        self.rule = folder.mapping.streams[stream]
        self.form = folder.form(self.rule)
        self.keys: dict[str, Place] = {}
        self.rejected_keys: dict[str, Place] = {}
        self.references: dict[str, References] = {}
        self._files = folder.files(self.rule)
        self._columns = {
            name: origin.column or "+".join(origin.columns) or name
            for name, origin in self.rule.fields.items()
        }

    def run(self) -> None:
        """Check every file; stop after the headers if one file cannot be read."""
        import duckdb

        sound = [file for file in self._files if self._is_sound(file)]
        if len(sound) < len(self._files):
            return
        event_files = [EventFile(n, file, self.folder.root / file) for n, file in enumerate(sound)]
        form = event_format(self.folder, self.rule, event_files[0].path)
        with TemporaryDirectory(prefix="retention-check-") as scratch:
            db = session(Path(scratch) / "spill")
            try:
                part = write_part(db, form, event_files, Path(scratch) / "part", lambda: None)
            except ExtractionError as error:
                self.findings.error(error.where, None, None, error.code, error.message)
                return
            except duckdb.Error as error:
                message = str(error).splitlines()[0]
                self.findings.error(self._files[0], None, None, "unreadable_file", message)
                return
            db.execute(f"create view events as from read_parquet('{part.events}')")
            self._ask(db, part.seen)
        for column in self.rule.unique:
            self._unique(column)

    def _is_sound(self, file: str) -> bool:
        check_bytes(self.folder, file, self.form, self.findings)
        try:
            header = self.folder.header(file, self.form)
        except BrokenFile as flaw:
            self.findings.error(file, flaw.line, None, flaw.code, flaw.message)
            return False
        return has_columns(self.rule, file, header, self.findings)

    def _ask(self, db: duckdb.DuckDBPyConnection, rows: int) -> None:
        if not rows:
            self.findings.warn(self._files[0], None, None, "no_rows", "the files have no rows")
            return
        self._flaws(db)
        self._repeats(db)
        for field, stream in (("account_id", "accounts"), ("subscription_id", "subscriptions")):
            if field in self.rule.fields:
                self.references[field] = self._references(db, field, stream)
        for field in self.rule.fields:
            if field in _COLUMNS and self.rule.fields[field].value is None:
                self._never_seen(db, field)

    def _flaws(self, db: duckdb.DuckDBPyConnection) -> None:
        query = (
            "select file, line, problem, raw from events where problem is not null order by 1, 2"
        )
        for file, line, problem, raw in self._rows(db, query):
            column = self._columns.get(_BLAMED.get(problem, ""))
            if problem in {"missing_event_id", "missing_account"} and "E+" in (raw or ""):
                message = f"no id, or one rounded by a spreadsheet; export it as text: {raw[:120]}"
                self.findings.error(self._files[file], line, column, "rounded_id", message)
                continue
            message = f"{REASONS[problem]}: {(raw or '')[:120]}"
            self.findings.error(self._files[file], line, column, problem, message)

    def _repeats(self, db: duckdb.DuckDBPyConnection) -> None:
        if self.rule.duplicates == "keep":
            return
        query = """
            with valid as (
                select *, row(account_key, user_key, feature, occurred_at, units) as content
                from events where problem is null
            )
            select
                file, line, event_id, content != first(content) over same,
                first(file) over same, first(line) over same
            from valid
            window same as (partition by event_id order by file, line)
            qualify row_number() over same > 1
            order by file, line
        """
        refused = self.rule.duplicates == "reject"
        for file, line, event_id, differs, first_file, first_line in self._rows(db, query):
            message = f"{event_id!r} is already in {self._files[first_file]} line {first_line}"
            code = "duplicate_id" if differs else "repeated_row"
            severity = ERROR if refused and differs else WARNING
            place = (self._files[file], line, self._columns["event_id"])
            self.findings.add(Problem(*place, code, message, severity))

    def _references(self, db: duckdb.DuckDBPyConnection, field: str, stream: str) -> References:
        found = References(self._columns[field], stream)
        query = f"""
            select {_COLUMNS[field]} as key, count(*), arg_min(file, (file, line)),
                arg_min(line, (file, line))
            from events where problem is null and key is not null group by key
        """  # noqa: S608 - a fixed column name
        for key, times, file, line in self._rows(db, query):
            found.add(key, (self._files[file], line), times)
        return found

    def _never_seen(self, db: duckdb.DuckDBPyConnection, field: str) -> None:
        """Report columns without any value: the name in the mapping is probably wrong."""
        query = f"select count({_COLUMNS[field]}) from events"  # noqa: S608 - a fixed column name
        [(given,)] = self._rows(db, query)
        if given:
            return
        names = {name for row in self._sample() for name in paths(row)}
        for column in self.rule.fields[field].origins:
            if column not in names:
                message = f"no row has {column!r}. {nearest(column, names)}"
                required = field in {"event_id", "account_id", "feature"}
                severity = ERROR if required else WARNING
                place = (self._files[0], None, column)
                self.findings.add(Problem(*place, "missing_column", message, severity))

    def _sample(self) -> Iterator[dict[str, Any]]:
        for row in islice(self.folder.rows(self._files[0], self.form), _SAMPLE):
            if isinstance(row, Row):
                yield row.values

    def _unique(self, column: str) -> None:
        seen: dict[str, Place] = {}
        for file in self._files:
            for row in self.folder.rows(file, self.form):
                if not isinstance(row, Row):
                    continue
                value = str(cell(row.values, column))
                first = seen.setdefault(value, (file, row.line))
                if first != (file, row.line):
                    message = f"{value!r} is already in {first[0]} line {first[1]}"
                    self.findings.warn(file, row.line, column, "repeated_value", message)

    @staticmethod
    def _rows(db: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
        return db.execute(query).fetchall()
