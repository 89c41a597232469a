"""Reading a stream of a folder: every row becomes a record or is rejected with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from retention.errors import ExtractionError
from retention.source import Connection, Extracted, Record, Rejected, Stream
from retention.sources.files.document import Maker
from retention.sources.files.fields import key_of
from retention.sources.files.folder import Folder
from retention.sources.files.mapping_file import load_mapping
from retention.sources.files.problem import nearest
from retention.sources.files.rows import BadRow, BrokenFile, Row
from retention.sources.files.rule_columns import missing_columns
from retention.window import Window


def open_folder(connection: Connection) -> Folder:
    """The folder of a connection and its mapping.

    ``extra["mapping"]`` names a mapping that is neither in the folder nor shipped. Raises
    ConfigurationError.
    """
    root = Path(connection.base_url.removeprefix("file://"))
    return Folder(root, load_mapping(root, connection.extra.get("mapping")))


def extract(connection: Connection, stream: Stream, window: Window) -> Extracted:
    """Every record the folder holds: a folder is always read whole, whatever the window.

    A stream that the mapping does not name has no records. Raises ConfigurationError for a
    broken mapping and ExtractionError for a file that is missing, cut off or damaged.
    """
    folder = open_folder(connection)
    if stream.name not in folder.mapping.streams:
        return
    try:
        yield from _records(folder, stream.name)
    except BrokenFile as broken:
        line = f":{broken.line}" if broken.line else ""
        raise ExtractionError(
            broken.message,
            code=broken.code,
            where=f"files, {stream.name}, {window}, {broken.file}{line}",
            mend=f"`retention files check {folder.root}` explains every problem.",
        ) from broken


def _records(folder: Folder, stream: str) -> Extracted:
    maker = Maker(stream, folder.mapping.streams[stream], folder)
    extracted = (_extracted(maker, file, row) for file, row in stream_rows(folder, maker))
    if maker.rule.duplicates == "last":
        return _last_of_each(extracted)
    return extracted


def stream_rows(folder: Folder, maker: Maker) -> Iterator[tuple[str, Row | BadRow]]:
    """The rows of a stream that the mapping wants, with their file; raises BrokenFile."""
    rule = maker.rule
    form = folder.form(rule)
    for file in folder.files(rule):
        columns = folder.header(file, form)
        for column in missing_columns(rule, columns):
            message = f"no column {column!r}. {nearest(column, columns or ())}"
            raise BrokenFile("missing_column", message, 1, file)
        for row in folder.rows(file, form):
            if isinstance(row, BadRow) or maker.wants(row.values):
                yield file, row


def _extracted(maker: Maker, file: str, row: Row | BadRow) -> Record | Rejected:
    position = f"{file} line {row.line}"
    if isinstance(row, BadRow):
        return Rejected(row.code, row.message, position, row.raw)
    made = maker.make(row.values)
    key = made.doc[key_of(maker.stream)]
    if not made.flaws:
        return Record(key, made.doc, made.updated_at, position)
    reason = "; ".join(f"{flaw.column}: {flaw.message}" for flaw in made.flaws)
    return Rejected(made.flaws[0].code, reason, position, as_json(row.values), key)


def as_json(values: dict[str, Any]) -> str:
    """The row as a person would want to see it in the quarantine."""
    return json.dumps(values, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else repr(value)


def _last_of_each(extracted: Extracted) -> Extracted:
    newest: dict[str, Record] = {}
    for each in extracted:
        if isinstance(each, Record):
            newest.pop(each.record_id, None)
            newest[each.record_id] = each
        else:
            yield each
    yield from newest.values()
