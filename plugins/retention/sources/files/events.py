"""Translate the mapping of usage events to SQL expressions for the bulk path."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

from retention.errors import ExtractionError
from retention.source import Connection
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import FieldRule, StreamRule
from retention.sources.files.mapping import Lookup as LookupRule
from retention.sources.files.read import open_folder
from retention.sources.files.rows import Form
from retention.sources.files.table import BrokenFile
from retention.sources.files.values import MICROSECONDS, ROUNDED_ID, SPREADSHEET_DAYS
from retention.usage.formats import (
    UNREADABLE,
    EventFiles,
    EventFormat,
    Kind,
    Lookup,
    epoch_microseconds,
    epoch_milliseconds,
    epoch_seconds,
    instant,
)

_EPOCHS: dict[str, Callable[[str], str]] = {
    "epoch_seconds": epoch_seconds,
    "epoch_milliseconds": epoch_milliseconds,
    "epoch_microseconds": epoch_microseconds,
}


def event_files(connection: Connection) -> EventFiles:
    """Return the usage files of a connection's folder and how to read them.

    There are no files if the mapping has no usage events. Raises ConfigurationError for an invalid
    mapping and ExtractionError for missing files.
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
            hint=f"`retention files check {folder.root}` lists every problem.",
        ) from broken


def event_format(folder: Folder, rule: StreamRule, example: Path) -> EventFormat:
    """Return the mapping of ``usage_events`` as expressions; the check reads the same way."""
    form = folder.form(rule)
    kind = form.of(example)
    if kind == "workbook" or form.header_line > 1:
        message = "usage events take the bulk path; save the sheet as CSV with its header first"
        raise BrokenFile("unknown_format", message, file=example.name)
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


# Ids whose rounding by a spreadsheet would merge customers or events.
_IDS = {"event_id", "account_id"}


class _Writer:
    """Write expressions and collect the columns and lookups that they need."""

    def __init__(self, folder: Folder, rule: StreamRule, kind: str) -> None:
        self.folder, self.rule, self.kind = folder, rule, kind
        self.columns: dict[str, str] = {}
        self.lookups: list[Lookup] = []
        nulls = rule.null_values or folder.mapping.null_values
        self._nulls = ", ".join(_quoted(word) for word in ("", *nulls)) if nulls else ""

    def expression(self, name: str, origin: FieldRule) -> str:
        """Return the value of one canonical field: text, or timestamptz for the two times."""
        if name.endswith("_at"):
            return self._moment(origin)
        if origin.columns:
            return " || '|' || ".join(_escaped(self._present(each)) for each in origin.columns)
        text = self._text(origin)
        if name == "quantity":
            return _number(text, origin)
        if name in _IDS and self.kind == "csv" and origin.value is None:
            return _exact_id(text)
        return text

    def _moment(self, origin: FieldRule) -> str:
        text = self._text(origin)
        zone = origin.time_zone or self.rule.time_zone or self.folder.mapping.time_zone
        if origin.unit == SPREADSHEET_DAYS:
            moment = _spreadsheet_days(text, zone)
        elif origin.unit:
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
        if origin.separator:
            first = f"split_part({source}, {_quoted(origin.separator)}, 1)"
            source = found = f"nullif(trim({first}), '')"
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
        """Return the text of a column; null for values that the mapping calls empty."""
        path = column if self.kind != "ndjson" else _json_path(column)
        known = {at: name for name, at in self.columns.items()}
        name = known.get(path, f"c{len(self.columns) + 1}")
        self.columns[name] = path
        if self._nulls:
            return f"case when trim({name}) not in ({self._nulls}) then trim({name}) end"
        return f"nullif(trim({name}), '')"

    def _looked_up(self, rule: LookupRule, text: str) -> str:
        # Reading the lookup here reports its errors by line.
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
    # Every part is a literal or a quoted name of the mapping.
    return (
        f"select distinct trim({key}::varchar) as key, {value}::varchar as value"  # noqa: S608
        f" from {table} where {key} is not null"
    )


def _in_form(text: str, forms: tuple[str, ...], zone: str) -> str:
    moments = [_by_form(text, form, zone) for form in forms]
    first = f"coalesce({', '.join(moments)}, {UNREADABLE})"
    # A text that is two different times in two formats is unreadable.
    differ = " or ".join(f"{each} != {first}" for each in moments[1:]) or "false"
    given = f"case when {differ} then {UNREADABLE} else {first} end"
    return f"case when {text} is not null then {given} end"


def _by_form(text: str, form: str, zone: str) -> str:
    local = f"try_strptime({text}, {_quoted(form)})"
    return local if "%z" in form else f"timezone({_quoted(zone)}, {local})"


def _spreadsheet_days(text: str, zone: str) -> str:
    serial = f"try_cast({text} as double)"
    micros = f"cast(round({serial} * 86400) * 1000000 as bigint)"
    local = f"timestamp '1899-12-30 00:00:00' + to_microseconds({micros})"
    plausible = f"case when {serial} >= 25569 and {serial} < 73051 then"
    moment = f"{plausible} timezone({_quoted(zone)}, {local}) end"
    return f"case when {text} is not null then coalesce({moment}, {UNREADABLE}) end"


def _json_path(column: str) -> str:
    parts = column.split(".")
    plain = all(part.isidentifier() and part.isascii() for part in parts)
    return "$." + (column if plain else ".".join(f'"{part}"' for part in parts))


def _number(text: str, origin: FieldRule) -> str:
    """Return SQL for the digits; text that is no number, or is not grouped in thousands, stays."""
    for sign in origin.remove:
        text = f"trim(replace({text}, {_quoted(sign)}, ''))"
    if origin.thousands:
        mark = re.escape(origin.thousands)
        grouped = rf"[+-]?\d{{1,3}}((?:{mark}\d{{3}})+|(?:{mark}\d{{2}})+{mark}\d{{3}})?(\D\d*)?"
        digits = f"replace({text}, {_quoted(origin.thousands)}, '')"
        split = f"contains({text}, {_quoted(origin.thousands)})"
        matches = f"regexp_full_match({text}, {_quoted(grouped)})"
        text = f"case when {split} and not {matches} then 'x' || {text} else {digits} end"
    return f"replace({text}, ',', '.')" if origin.decimal == "," else text


def _exact_id(text: str) -> str:
    """Return SQL for an id; null, which is rejected, for a number that has lost digits."""
    rounded = f"contains({text}, 'E+') and regexp_full_match({text}, {_quoted(ROUNDED_ID)})"
    return f"case when {rounded} then null else {text} end"


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
