"""Staging casts only what a contract covers, and requests the properties that it reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from retention import jsondoc, migration
from retention.source import Stream
from retention.sources import SOURCES
from retention.sources.contracts import fields
from retention.sources.contracts.fields import Cast
from retention.sources.files.kinds import Kind
from retention.sources.hubspot import SOURCE as HUBSPOT
from retention.warehouse import Warehouse
from tests.places import ROOT

MODELS = ROOT / "dbt_project" / "models"
# Models besides staging that read documents, with the place of the elements they unnest.
ELEMENTS = {
    "line": ("lines", "data"),
    "discount": ("lines", "data", "discount_amounts"),
    "tax": ("lines", "data", "tax_amounts"),
}
DOC = r"(?:(?P<alias>\w+)\.)?doc\s*(?:->>|#>>)\s*'(?P<path>[^']*)'"
CASTS = (
    re.compile(rf"ops\.try_(?P<name>\w+)\(\s*{DOC}\s*\)"),
    re.compile(rf'decimal\(\s*"{DOC}", (?P<digits>\d+), (?P<decimals>\d+)\)'),
    re.compile(r"(?P<name>moment)\('(?P<property>\w+)'\)"),
)
UNSAFE = re.compile(
    r"doc\s*(?:->>|#>>)\s*'[^']*'(?:\s*,\s*'')?\)*\s*::\s*(?!text\b|regclass\b)\w+"
    r"|to_timestamp\([^)]*doc"
)
SAFE = re.compile(r"ops\.try_\w+\([^()]*\)")
STREAMS = {(source.name, stream.name): stream for source in SOURCES for stream in source.streams}
OBJECTS = [stream for stream in HUBSPOT.streams if "properties" in stream.extra]


@dataclass(frozen=True)
class Used:
    """A cast of a value of a document in a model."""

    where: str
    streams: tuple[tuple[str, str], ...]
    path: tuple[str, ...]
    cast: Cast


def reading_models() -> list[Path]:
    return [path for path in sorted(MODELS.rglob("*.sql")) if streams_of(path)]


@cache
def streams_of(path: Path) -> tuple[tuple[str, str], ...]:
    """Return the streams whose documents a model reads, by its name or what it refers to."""
    text = path.read_text()
    named = re.findall(r"^stg_([a-z]+)__(\w+)$", path.stem)
    named += re.findall(r"\b(?:newest_version|record_versions|source)\(\s*'(\w+)', '(\w+)'", text)
    named += re.findall(r"ref\('stg_([a-z]+)__(\w+)'\)", text) if "doc " in text else []
    return tuple(dict.fromkeys(pair for pair in named if pair in STREAMS))


def casts_of(path: Path) -> Iterator[Used]:
    text = path.read_text()
    for pattern in CASTS:
        for found in pattern.finditer(text):
            given = found.groupdict()
            where = f"{path.name}:{text.count(chr(10), 0, found.start()) + 1}"
            place = given.get("path") or f"{{properties,{given.get('property')}}}"
            prefix = ELEMENTS.get(given.get("alias") or "", ())
            yield Used(
                where,
                streams_of(path),
                (*prefix, *place.strip("{}").split(",")),
                Cast(given["name"])
                if given.get("name")
                else Cast("decimal", (int(given["digits"]), int(given["decimals"]))),
            )


def declared(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> Iterator[Any]:
    """Yield the path of every field of a contract with the marks of its type."""
    hints = get_type_hints(model, include_extras=True)
    for name, info in model.model_fields.items():
        path = (*prefix, info.alias or name)
        marks = list(_marks(hints[name]))
        yield path, marks
        for mark in marks:
            if isinstance(mark, type) and issubclass(mark, BaseModel):
                yield from declared(mark, path)


def _marks(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type):
        yield hint
    if get_origin(hint) is Annotated:
        yield from hint.__metadata__
    for part in get_args(hint):
        yield from _marks(part)


def covers(marks: list[Any], cast: Cast) -> bool:
    """Return whether a contract field of these marks accepts only what the cast accepts."""
    kinds = [mark.name for mark in marks if isinstance(mark, Kind)]
    if not kinds:
        return cast in marks
    if kinds[0] in {"decimal", "money", "rate", "integer"}:
        limits = [
            limit.le
            for mark in marks
            if isinstance(mark, FieldInfo)
            for limit in mark.metadata
            if hasattr(limit, "le")
        ]
        digits = {"integer": 9, "bigint": 18}.get(cast.name)
        if digits:
            return kinds[0] == "integer" and limits[0] < 10 ** (digits + 1)
        return cast.name == "decimal" and limits[0] < 10 ** (cast.arguments[0] - cast.arguments[1])
    return cast.name == {"date": "date", "timestamp": "timestamptz", "boolean": "boolean"}[kinds[0]]


ALL_CASTS = [used for path in reading_models() for used in casts_of(path)]


@pytest.mark.parametrize("used", ALL_CASTS, ids=lambda used: f"{used.where} {used.path[-1]}")
def test_every_cast_of_a_document_has_a_contract_field(used: Used) -> None:
    """A value that the cast cannot read must be reported when it is loaded, by its field."""
    found = [
        marks
        for stream in used.streams
        for path, marks in declared(STREAMS[stream].record)
        if path == used.path
    ]
    names = ", ".join(".".join(stream) for stream in used.streams)
    assert found, f"{used.where}: the contract of {names} has no field {'.'.join(used.path)}"
    assert any(covers(marks, used.cast) for marks in found), (
        f"{used.where}: the contract of {names} accepts values of {'.'.join(used.path)} that"
        f" {used.cast} does not"
    )


def test_casts_are_found() -> None:
    assert len(ALL_CASTS) > 100
    assert {used.streams[0][0] for used in ALL_CASTS} == {"hubspot", "stripe", "typeform", "files"}


@pytest.mark.parametrize("path", reading_models(), ids=lambda path: path.stem)
def test_no_cast_of_a_document_can_fail(path: Path) -> None:
    """A cast by ``::`` stops every mart at the first value that does not fit."""
    text = SAFE.sub(lambda safe: "\n" * safe.group(0).count("\n"), path.read_text())
    found = [text.count("\n", 0, bad.start()) + 1 for bad in UNSAFE.finditer(text)]
    assert not found, f"{path.name}: use ops.try_... in lines {found}"


@pytest.mark.parametrize(
    "sql",
    [
        "(doc ->> 'seats')::bigint",
        "nullif(doc #>> '{properties,days}', '')::int",
        "(nullif(doc #>> '{properties,won}', ''))::boolean",
        "to_timestamp((doc ->> 'created')::bigint)",
    ],
)
def test_an_unsafe_cast_is_found(sql: str) -> None:
    assert UNSAFE.search(sql)


def properties_read(stream: Stream) -> set[str]:
    """Return the properties of a HubSpot stream that models read."""
    read: set[str] = set()
    for path in reading_models():
        text = path.read_text()
        if ("hubspot", stream.name) in streams_of(path):
            read |= set(re.findall(r"\{properties,(\w+)\}", text))
            read |= set(re.findall(r"\bmoment\('(\w+)'\)", text))
    return read


@pytest.mark.parametrize("stream", OBJECTS, ids=lambda stream: stream.name)
def test_requested_properties_are_those_that_models_read(stream: Stream) -> None:
    requested = set(stream.extra["properties"]) - {stream.extra["changed"]}
    read = properties_read(stream)
    assert not read - requested, "read but not requested: NULL for ever"
    assert not requested - read, "requested but not read"


@pytest.mark.parametrize("stream", OBJECTS, ids=lambda stream: stream.name)
def test_checks_and_contracts_name_requested_properties(stream: Stream) -> None:
    requested = set(stream.extra["properties"])
    suite = (ROOT / "expectations" / f"raw_hubspot_{stream.name}.yml").read_text()
    named = set(re.findall(r"\bproperties\.(\w+)", suite))
    named |= {
        path[1] for path, _ in declared(stream.record) if path[0] == "properties" and path[1:]
    }
    assert not named - requested


VALUES: list[Any] = [
    *(30, 30.5, -30, 0, True, False, None, 2**31, 2**63, 10**13, 10**14, 10**30, 1e2),
    *("30", " 30 ", "30.0", "30.5", "+30", "-0", "1e3", "1e99", "0x1F", "1_000", "1,000", "NaN"),
    *("Infinity", "", " ", ".5", "5.", "true", "TRUE", " yes ", "on", "1", "nope", "\u0663\u0660"),
    *("2026-06-30", "2026-06-30T10:00:00Z", "2026-06-30 10:00", "2026-06-30T10:00:00.123+02:00"),
    *("2026-06-30T24:00:00Z", "2026-02-30", "2026-W01-1", "20260630", "1899-12-31", "infinity"),
    *("now", "today", "9999-12-31", "1782813600000", "1782813600", 1782813600, 1782813600000),
    *("2026-06-30T10:00:60Z", "2026-06-30T10:00:00+25:00", "2026-06-30T10", "30.06.2026", "six"),
    *(99999999999999.99999, "99999999999999.99999", "-99999999999999.99995", 4133980800, -1),
]
TYPES = {
    name: hint
    for name, hint in vars(fields).items()
    if any(isinstance(mark, Cast) for mark in _marks(hint))
}


def test_casts_read_what_contracts_accept(warehouse: Warehouse) -> None:
    """The cast returns the value of the contract, and never an error."""
    migration.migrate(warehouse, SOURCES)
    accepted = 0
    with warehouse.connect("transformer") as conn:
        for name, hint in TYPES.items():
            cast = next(mark for mark in _marks(hint) if isinstance(mark, Cast))
            more = "".join(f", {number}" for number in cast.arguments)
            for value in VALUES:
                doc = jsondoc.parse(json.dumps({"v": value}).encode())
                query = f"select ops.try_{cast.name}(%s::jsonb ->> 'v'{more})"
                (read,) = conn.execute(query.encode(), [json.dumps({"v": value})]).fetchone() or ()
                try:
                    parsed = TypeAdapter(hint).validate_python(doc["v"])
                except ValidationError:
                    continue
                if parsed is not None:
                    accepted += 1
                    assert same(read, parsed), (name, value, read, parsed)
    assert accepted > 100


def same(read: Any, parsed: Any) -> bool:
    if isinstance(parsed, Decimal):
        return read is not None and abs(read - parsed) < Decimal("0.001")
    if isinstance(parsed, datetime):
        return read is not None and read.timestamp() == pytest.approx(parsed.timestamp())
    return bool(read == parsed)
