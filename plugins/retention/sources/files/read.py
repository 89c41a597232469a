"""Read a stream of a folder: every row becomes a record or a rejected row with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from retention.errors import ExtractionError
from retention.source import Connection, Extracted, Record, Rejected, Stream
from retention.sources.files.document import Maker, cell
from retention.sources.files.fields import key_of
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import missing_columns
from retention.sources.files.mapping_file import load_mapping
from retention.sources.files.problems import nearest
from retention.sources.files.table import BadRow, BrokenFile, Failed, Row
from retention.sources.files.validate import settle
from retention.window import Window


def open_folder(connection: Connection) -> Folder:
    """Return the folder of a connection with its mapping.

    ``extra["mapping"]`` names a mapping that is neither in the folder nor shipped. Raises
    ConfigurationError.
    """
    root = Path(connection.base_url.removeprefix("file://"))
    return Folder(root, load_mapping(root, connection.extra.get("mapping")))


def extract(connection: Connection, stream: Stream, window: Window) -> Extracted:
    """Yield every record of the folder; the window is ignored, a folder is always read whole.

    A stream without a rule in the mapping has no records. Raises ConfigurationError for an invalid
    mapping and ExtractionError for a missing, truncated or damaged file.
    """
    folder = open_folder(connection)
    if stream.name not in folder.mapping.streams:
        return
    try:
        yield from records(folder, stream.name)
    except BrokenFile as broken:
        line = f":{broken.line}" if broken.line else ""
        raise ExtractionError(
            broken.message,
            code=broken.code,
            where=f"files, {stream.name}, {window}, {broken.file}{line}",
            hint=f"`retention files check {folder.root}` lists every problem.",
        ) from broken


def records(folder: Folder, stream: str) -> Extracted:
    """Yield the records of a stream, lost values and rejected rows; raises BrokenFile."""
    makers = [Maker(stream, rule, folder) for _, rule in folder.mapping.rules(stream)]
    extracted = (
        each
        for maker in makers
        for file, row in stream_rows(folder, maker)
        for each in _extracted(maker, file, row)
    )
    if makers[0].rule.duplicates == "last":
        return _last_of_each(extracted)
    return extracted


def stream_rows(folder: Folder, maker: Maker) -> Iterator[tuple[str, Row | BadRow]]:
    """Yield the selected rows of a stream with their file; raises BrokenFile."""
    rule = maker.rule
    form = folder.form(rule)
    for path in folder.files(rule):
        columns, file = folder.header(path, form), form.label(path)
        for column in missing_columns(rule, columns):
            message = f"no column {column!r}. {nearest(column, columns or ())}"
            raise BrokenFile("missing_column", message, 1, file)
        for row in maker.rows(folder.rows(path, form)):
            if isinstance(row, BadRow) or maker.wants(row.values):
                yield file, row


def _extracted(maker: Maker, file: str, row: Row | BadRow) -> Extracted:
    """Yield the record of a row and each value that it lost, or the rejected row."""
    position = f"{file} line {row.line}"
    if isinstance(row, BadRow):
        yield Rejected(row.code, row.message, position, row.raw)
        return
    made = maker.make(row.values)
    settle(maker.stream, made)
    key = made.doc[key_of(maker.stream)]
    if made.is_lost:
        reason = "; ".join(f"{flaw.column}: {flaw.message}" for flaw in made.flaws)
        code = next(flaw.code for flaw in made.flaws if flaw.fatal)
        yield Rejected(code, reason, position, as_json(row.values), key)
        return
    for flaw in made.flaws:
        column = maker.columns.get(flaw.column, flaw.column)
        lost = as_json({column: cell(row.values, column)})
        reason = f"{column}: {flaw.message}; the record is loaded without this value"
        yield Rejected(flaw.code, reason, position, lost, key, path=column)
    yield Record(key, made.doc, made.updated_at, position)


def as_json(values: dict[str, Any]) -> str:
    """Return the row as JSON for the quarantine."""
    return json.dumps(values, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | date | Failed) else repr(value)


def _last_of_each(extracted: Extracted) -> Extracted:
    newest: dict[str, Record] = {}
    for each in extracted:
        if isinstance(each, Record):
            newest.pop(each.record_id, None)
            newest[each.record_id] = each
        else:
            yield each
    yield from newest.values()
