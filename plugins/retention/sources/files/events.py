"""The mapping of usage events as SQL expressions, for the bulk path that never sees a row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from retention.errors import ExtractionError
from retention.source import Connection
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import FieldRule, StreamRule
from retention.sources.files.mapping import Lookup as LookupRule
from retention.sources.files.read import open_folder
from retention.sources.files.rows import BrokenFile, Form
from retention.sources.files.times import MICROSECONDS
from retention.usage.formats import (
    UNREADABLE,
    EventFiles,
    EventFormat,
    Kind,
    Lookup,
    epoch_milliseconds,
    epoch_seconds,
    instant,
)

_EPOCHS: dict[str, Callable[[str], str]] = {
    "epoch_seconds": epoch_seconds,
    "epoch_milliseconds": epoch_milliseconds,
}


def event_files(connection: Connection) -> EventFiles:
    """The usage files of a connection's folder and how they are read.

    No files where the mapping has no usage events. Raises ConfigurationError for a broken mapping
    and ExtractionError for files that did not arrive.
    """
    folder = open_folder(connection)
    rule = folder.mapping.streams.get("usage_events")
    if rule is None:
        return EventFiles(_NOTHING, folder.root, ())
    try:
        files = tuple(folder.root / name for name in folder.files(rule))
        return EventFiles(event_format(folder, rule, files[0]), folder.root, files)
    except BrokenFile as broken:
        raise ExtractionError(
            broken.message,
            code=broken.code,
            where=f"files, usage_events, {broken.file}",
            mend=f"`retention files check {folder.root}` explains every problem.",
        ) from broken


def event_format(folder: Folder, rule: StreamRule, example: Path) -> EventFormat:
    """The same reading of ``usage_events`` that the check makes row by row, as expressions."""
    form = folder.form(rule)
    kind = form.of(example)
    writer = _Writer(folder, rule, kind)
    given = {name: writer.expression(name, origin) for name, origin in rule.fields.items()}
    return EventFormat(
        name=f"{folder.mapping.path.parent.name}_usage_events",
        kind=cast("Kind", kind),
        columns=writer.columns,
        event_id=given["event_id"],
        account=given["account_id"],
        feature=given["feature"],
        occurred_at=given["occurred_at"],
        user=_or_empty(given.get("user_id")),
        subscription=_or_empty(given.get("subscription_id")),
        received_at=given.get("received_at"),
        units=given.get("quantity"),
        lookups=tuple(writer.lookups),
        duplicates=rule.duplicates or "last",
        delimiter=form.delimiter_of(example),
    )


class _Writer:
    """Writes expressions and remembers the columns and look-ups they need."""

    def __init__(self, folder: Folder, rule: StreamRule, kind: str) -> None:
        self.folder, self.rule, self.kind = folder, rule, kind
        self.columns: dict[str, str] = {}
        self.lookups: list[Lookup] = []
        nulls = rule.null_values or folder.mapping.null_values
        self._nulls = ", ".join(_quoted(word) for word in ("", *nulls)) if nulls else ""

    def expression(self, name: str, origin: FieldRule) -> str:
        """The value of one canonical field: text, or timestamptz for the two times."""
        if name.endswith("_at"):
            return self._moment(origin)
        if origin.columns:
            return " || '|' || ".join(_escaped(self._present(each)) for each in origin.columns)
        text = self._text(origin)
        if name == "quantity":
            text = f"replace({text}, {_quoted(origin.thousands)}, '')" if origin.thousands else text
            return f"replace({text}, ',', '.')" if origin.decimal == "," else text
        return text

    def _moment(self, origin: FieldRule) -> str:
        text = self._text(origin)
        zone = origin.time_zone or self.rule.time_zone or self.folder.mapping.time_zone
        if origin.unit:
            moment = _EPOCHS[origin.unit](text)
        elif origin.format:
            moment = _in_form(text, origin.format, zone)
        else:
            moment = instant(text, zone)
        if origin.plus is None:
            return moment
        length = f"try_cast({self._present(origin.plus.column)} as decimal(30, 6))"
        ticks = f"cast({length} * {MICROSECONDS[origin.plus.unit]} as bigint)"
        return f"({moment} + to_microseconds({ticks}))"

    def _text(self, origin: FieldRule) -> str:
        if origin.value is not None:
            return _quoted(origin.value)
        source = found = self._present(origin.column or "")
        if origin.lookup:
            found = self._looked_up(origin.lookup, source)
        elif not origin.map:
            return f"coalesce({source}, {_quoted(origin.if_empty)})" if origin.if_empty else source
        swapped = found
        if origin.map:
            swaps = (f"when {_quoted(word)} then {_quoted(to)}" for word, to in origin.map.items())
            other = _quoted(origin.otherwise) if origin.has_otherwise else found
            swapped = f"case {found} {' '.join(swaps)} else {other} end"
        return (
            f"case when {source} is null then {_quoted(origin.if_empty)}"
            f" when {found} is null then {_quoted(origin.otherwise)} else {swapped} end"
        )

    def _present(self, column: str) -> str:
        """The text of a column, null for what the mapping calls empty."""
        path = column if self.kind != "ndjson" else _json_path(column)
        known = {at: name for name, at in self.columns.items()}
        name = known.get(path, f"c{len(self.columns) + 1}")
        self.columns[name] = path
        if self._nulls:
            return f"case when trim({name}) not in ({self._nulls}) then trim({name}) end"
        return f"nullif(trim({name}), '')"

    def _looked_up(self, rule: LookupRule, text: str) -> str:
        # Reading it here says what is wrong with it in terms of its lines.
        self.folder.table(rule)
        name = f"l{len(self.lookups) + 1}"
        path = self.folder.root / rule.file
        form = self.folder.form(rule)
        relation = _relation(rule, path, form)
        self.lookups.append(Lookup(name, relation, text, (path,)))
        return f"trim({name})"


def _relation(rule: LookupRule, path: Path, form: Form) -> str:
    file, kind = _quoted(str(path)), form.of(path)
    if kind == "ndjson":
        key = f"json_extract_string(json, {_quoted(_json_path(rule.match))})"
        value = f"json_extract_string(json, {_quoted(_json_path(rule.take))})"
        table = f"read_ndjson_objects({file})"
    else:
        key, value = (f'"{each.replace(chr(34), chr(34) * 2)}"' for each in (rule.match, rule.take))
        given = f"header = true, all_varchar = true, delim = {_quoted(form.delimiter_of(path))}"
        table = f"read_parquet({file})" if kind == "parquet" else f"read_csv({file}, {given})"
    # Every part is a literal or a quoted name from the mapping.
    return (
        f"select distinct trim({key}::varchar) as key, {value}::varchar as value"  # noqa: S608
        f" from {table} where {key} is not null"
    )


def _in_form(text: str, form: str, zone: str) -> str:
    local = f"try_strptime({text}, {_quoted(form)})"
    moment = local if "%z" in form else f"timezone({_quoted(zone)}, {local})"
    return f"case when {text} is not null then coalesce({moment}, {UNREADABLE}) end"


def _json_path(column: str) -> str:
    parts = column.split(".")
    plain = all(part.isidentifier() and part.isascii() for part in parts)
    return "$." + (column if plain else ".".join(f'"{part}"' for part in parts))


def _escaped(text: str) -> str:
    return f"replace(replace({text}, '\\', '\\\\'), '|', '\\|')"


def _or_empty(expression: str | None) -> str:
    return f"coalesce({expression}, '')" if expression else "''"


def _quoted(text: str | None) -> str:
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


_NOTHING = EventFormat(
    name="no_usage_events",
    kind="ndjson",
    columns={"id": "$.id"},
    event_id="id",
    account="id",
    feature="id",
    occurred_at=instant("id"),
)
