"""Check a mapping against the canonical streams before any data is read."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from retention.sources.files.fields import CanonicalField, fields_of
from retention.sources.files.mapping import FieldRule, Mapping, StreamRule
from retention.sources.files.problems import Problem, nearest
from retention.sources.files.records import RECORDS
from retention.sources.files.values import EPOCHS, SPREADSHEET_DAYS, CellError, converter

_UNITS = {
    "money": ("major", "minor"),
    "rate": ("fraction", "percent"),
    "timestamp": (*EPOCHS, SPREADSHEET_DAYS),
    "date": (*EPOCHS, SPREADSHEET_DAYS),
}
# The kinds of field that each option of a rule applies to.
_MEANT_FOR = {
    "format": ("date", "timestamp"),
    "time_zone": ("timestamp", "date"),
    "inclusive": ("date",),
    "interval": ("money",),
    "separator": ("id",),
    "per": ("money",),
    "thousands": ("decimal", "money", "rate", "integer"),
    "decimal": ("decimal", "money", "rate", "integer"),
    "remove": ("decimal", "money", "rate", "integer"),
    "plus": ("timestamp",),
    "columns": ("id",),
}
_UPDATED_AT = CanonicalField("updated_at", "timestamp", required=False)


def mapping_problems(mapping: Mapping) -> list[Problem]:
    """Return every problem that makes the mapping unusable, whatever the files contain."""
    return list(_problems(mapping))


def _problems(mapping: Mapping) -> Iterator[Problem]:
    yield from _setting(mapping, ("time_zone",), mapping.time_zone)
    yield from _setting(mapping, ("encoding",), mapping.encoding)
    for name in mapping.streams:
        if name not in RECORDS:
            message = f"unknown stream {name!r}. {nearest(name, RECORDS)}"
            yield _problem(mapping, ("streams", name), "unknown_stream", message)
            continue
        for at, rule in mapping.rules(name):
            yield from _stream(mapping, at, name, rule)


def _stream(
    mapping: Mapping, at: tuple[str, ...], name: str, rule: StreamRule
) -> Iterator[Problem]:
    for pattern in rule.files:
        yield from _inside(mapping, (*at, "files"), pattern)
    yield from _setting(mapping, (*at, "time_zone"), rule.time_zone)
    yield from _setting(mapping, (*at, "encoding"), rule.encoding)
    known = fields_of(name)
    for field, origin in rule.fields.items():
        where = (*at, "fields", field)
        if field in known:
            yield from _field(mapping, where, known[field], origin)
        else:
            message = f"{name} has no field {field!r}. {nearest(field, known)}"
            yield _problem(mapping, where, "unknown_field", message)
    yield from _stream_options(mapping, at, name, rule)
    for column, text in rule.calculate.items():
        yield from _expression(mapping, (*at, "calculate", column), text)
    missing = [
        each.name for each in known.values() if each.required and each.name not in rule.fields
    ]
    if missing:
        message = f"{name} needs {', '.join(missing)}; set a column or a value for each"
        yield _problem(mapping, (*at, "fields"), "missing_field", message)
    if rule.updated_at:
        yield from _field(mapping, (*at, "updated_at"), _UPDATED_AT, rule.updated_at)


def _stream_options(
    mapping: Mapping, at: tuple[str, ...], name: str, rule: StreamRule
) -> Iterator[Problem]:
    bulk = name == "usage_events"
    # Python does not read bulk files row by row.
    for option in ("only", "skip", "calculate", "also", "sheet", "header_line"):
        if bulk and option in rule.model_fields_set:
            message = f"`{option}` does not apply to usage_events, which take the bulk path"
            yield _problem(mapping, (*at, option), "option_not_for_stream", message)
    encoding = rule.encoding or mapping.encoding
    if bulk and encoding.lower().replace("_", "-") not in {"utf-8", "utf8"}:
        message = f"usage_events take the bulk path, which reads utf-8, not {encoding}"
        yield _problem(mapping, (*at, "encoding"), "option_not_for_stream", message)
    if rule.duplicates == "keep" and not bulk:
        message = "`duplicates: keep` applies to usage_events only; a record has one row per key"
        yield _problem(mapping, (*at, "duplicates"), "option_not_for_stream", message)
    for field, origin in rule.fields.items():
        if origin.per == "billing_period" and "billing_period_months" not in rule.fields:
            message = "`per: billing_period` needs the field billing_period_months"
            yield _problem(mapping, (*at, "fields", field, "per"), "missing_field", message)


def _field(
    mapping: Mapping, at: tuple[str, ...], field: CanonicalField, rule: FieldRule
) -> Iterator[Problem]:
    for option, kinds in _MEANT_FOR.items():
        if option in rule.model_fields_set and field.kind not in kinds:
            message = (
                f"`{option}` does not apply to a {field.kind}; it applies to {', '.join(kinds)}"
            )
            yield _problem(mapping, (*at, option), "option_not_for_field", message)
    units = _UNITS.get(field.kind, ())
    if rule.unit is not None and rule.unit not in units:
        message = (
            f"unit {rule.unit!r} does not apply to a {field.kind}. {nearest(rule.unit, units)}"
        )
        yield _problem(mapping, (*at, "unit"), "unknown_unit", message)
    yield from _setting(mapping, (*at, "time_zone"), rule.time_zone)
    if wrong := next((form for form in rule.format if not _is_format(form)), None):
        message = f"{wrong!r} is not a date format; 31.05.2024 is %d.%m.%Y"
        yield _problem(mapping, (*at, "format"), "unknown_form", message)
        return
    if rule.lookup:
        yield from _inside(mapping, (*at, "lookup"), rule.lookup.file)
        yield from _setting(mapping, (*at, "lookup", "encoding"), rule.lookup.encoding)
    yield from _values(mapping, at, field, rule)


def _expression(mapping: Mapping, at: tuple[str, ...], text: str) -> Iterator[Problem]:
    from retention.sources.files.calculate import BadExpression, parsed

    try:
        parsed(text)
    except BadExpression as error:
        yield _problem(mapping, at, "bad_expression", str(error))


def _is_format(form: str) -> bool:
    example = datetime(2024, 5, 31, 8, 30, tzinfo=UTC)
    try:
        datetime.strptime(example.strftime(form), form)  # noqa: DTZ007 - only tests the format
    except ValueError:
        return False
    return example.strftime(form) != form


def _values(
    mapping: Mapping, at: tuple[str, ...], field: CanonicalField, rule: FieldRule
) -> Iterator[Problem]:
    """Check that every value written in the mapping is allowed for its field."""
    convert = converter(field, rule, ZoneInfo("UTC"))
    given: list[tuple[tuple[str, ...], str | None]] = [
        (("value",), rule.value),
        (("otherwise",), rule.otherwise),
        (("if_empty",), rule.if_empty),
    ]
    given += [(("map", word), result) for word, result in rule.map.items()]
    for place, word in given:
        if word is None:
            continue
        try:
            convert(word)
        except CellError as error:
            yield _problem(mapping, (*at, *place), error.code, f"{field.name}: {error}")


def _inside(mapping: Mapping, at: tuple[str, ...], pattern: str) -> Iterator[Problem]:
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts or not pattern.strip():
        message = f"{pattern!r} is not a path inside the folder"
        yield _problem(mapping, at, "file_outside_folder", message)


def _setting(mapping: Mapping, at: tuple[str, ...], given: str | None) -> Iterator[Problem]:
    if given is None:
        return
    if at[-1] == "time_zone":
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            message = f"unknown time zone {given!r}. {nearest(given, available_timezones())}"
            yield _problem(mapping, at, "unknown_time_zone", message)
    else:
        try:
            codecs.lookup(given)
        except LookupError:
            message = f"unknown encoding {given!r}; utf-8, utf-16, latin-1 and cp1252 are common"
            yield _problem(mapping, at, "unknown_encoding", message)


def _problem(mapping: Mapping, at: tuple[str, ...], code: str, message: str) -> Problem:
    return Problem(mapping.path.name, mapping.line(*at), ".".join(at), code, message)
