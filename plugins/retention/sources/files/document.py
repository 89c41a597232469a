"""A row of a file made into the document of a canonical stream."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Values
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from retention.sources.files.amounts import divide, number
from retention.sources.files.cells import converter
from retention.sources.files.codes import MINOR_DIGITS
from retention.sources.files.fields import CanonicalField, fields_of, key_of
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import FieldRule, Lookup, StreamRule
from retention.sources.files.times import add, instant, utc_text
from retention.sources.files.value import CellError, as_text

_MONTHS = {"quarter": 3, "half_year": 6, "year": 12}
Get = Callable[[Values[str, Any]], Any]


@dataclass(frozen=True)
class Flaw:
    """Why one value of a row cannot be used."""

    column: str
    code: str
    message: str


@dataclass
class Made:
    """The document of a row, whole only if there are no flaws."""

    doc: dict[str, Any]
    updated_at: datetime | None = None
    flaws: list[Flaw] = field(default_factory=list)


class Maker:
    """Turns rows into documents by one stream's rule; look-up files are read once, here.

    Raises BrokenFile for a look-up file that cannot be used.
    """

    def __init__(self, stream: str, rule: StreamRule, folder: Folder) -> None:
        self.stream, self.rule = stream, rule
        self._folder = folder
        self._empty = {"", *(rule.null_values or folder.mapping.null_values)}
        self._fields = [
            (known, origin, self._getter(known, origin))
            for known in fields_of(stream).values()
            if (origin := rule.fields.get(known.name))
        ]
        self._blank = dict.fromkeys(fields_of(stream))
        self._money = [
            (known.name, origin)
            for known, origin, _ in self._fields
            if known.kind == "money"
            and (origin.unit == "minor" or origin.per not in {None, "month"})
        ]

    def wants(self, values: Values[str, Any]) -> bool:
        """Whether the row passes ``only`` and ``skip``."""
        only, skip = self.rule.only.items(), self.rule.skip.items()
        return all(self._text(values, column) in kept for column, kept in only) and not any(
            self._text(values, column) in left_out for column, left_out in skip
        )

    def make(self, values: Values[str, Any]) -> Made:
        """The document of a row; never raises for what the row holds."""
        made = Made(dict(self._blank))
        for known, origin, get in self._fields:
            try:
                value = get(values)
            except CellError as error:
                made.flaws.append(Flaw(_column(known.name, origin), error.code, str(error)))
                continue
            if value is None and known.required:
                code = "missing_key" if known.name == key_of(self.stream) else "missing_value"
                column = _column(known.name, origin)
                made.flaws.append(Flaw(column, code, f"{known.name} is empty"))
            made.doc[known.name] = value
        self._finish(made, values)
        return made

    def _finish(self, made: Made, values: Values[str, Any]) -> None:
        # An amount cannot be judged beside a flawed currency or period.
        for name, origin in [] if made.flaws else self._money:
            if made.doc[name] is None:
                continue
            try:
                made.doc[name] = _in_major_units_per_month(made.doc, name, origin)
            except CellError as error:
                made.flaws.append(Flaw(_column(name, origin), error.code, str(error)))
        if self.rule.updated_at:
            made.updated_at = self._updated_at(made, values, self.rule.updated_at)

    def _updated_at(self, made: Made, values: Values[str, Any], rule: FieldRule) -> datetime | None:
        try:
            raw = self._present(values, rule.column or "")
            return None if raw is None else instant(raw, rule, self._zone(rule))
        except CellError as error:
            made.flaws.append(Flaw(rule.column or "updated_at", error.code, str(error)))
            return None

    def _getter(self, known: CanonicalField, origin: FieldRule) -> Get:
        zone = self._zone(origin)
        convert = converter(known, origin, zone)
        if origin.value is not None:
            fixed = convert(origin.value)
            return lambda values: fixed
        if origin.columns:
            return lambda values: self._composite(values, origin.columns)
        swap = self._swap(origin)

        def get(values: Values[str, Any]) -> Any:
            raw = swap(self._present(values, origin.column or ""))
            if raw is None:
                return None
            return convert(raw) if origin.plus is None else self._later(values, raw, origin, zone)

        return get

    def _swap(self, origin: FieldRule) -> Callable[[Any], Any]:
        """What comes between the cell and its conversion: gap, look-up, map."""
        if origin.lookup:
            return _looked_up(origin, origin.lookup, self._folder.table(origin.lookup))
        if origin.map or origin.has_otherwise:
            return lambda raw: _mapped(origin, raw)
        return lambda raw: origin.if_empty if raw is None else raw

    def _later(self, values: Values[str, Any], raw: Any, origin: FieldRule, zone: ZoneInfo) -> Any:
        assert origin.plus is not None  # noqa: S101 - the caller looked
        extra = self._present(values, origin.plus.column)
        if extra is None:
            return None
        return utc_text(add(instant(raw, origin, zone), number(extra), origin.plus.unit))

    def _composite(self, values: Values[str, Any], columns: tuple[str, ...]) -> str | None:
        parts = [self._present(values, column) for column in columns]
        if any(part is None for part in parts):
            return None
        return "|".join(_escaped(as_text(part).strip()) for part in parts)

    def _zone(self, rule: FieldRule) -> ZoneInfo:
        return ZoneInfo(rule.time_zone or self.rule.time_zone or self._folder.mapping.time_zone)

    def _present(self, values: Values[str, Any], column: str) -> Any:
        """The cell, or None for an empty one; ``context.groupId`` reaches into objects."""
        value = cell(values, column)
        return None if isinstance(value, str) and value.strip() in self._empty else value

    def _text(self, values: Values[str, Any], column: str) -> str:
        value = cell(values, column)
        return "" if value is None else as_text(value).strip()


def cell(values: Values[str, Any], column: str) -> Any:
    """The value of a column; a dotted name that is no column itself reaches into objects."""
    if column in values or "." not in column:
        return values.get(column)
    inner: Any = values
    for part in column.split("."):
        inner = inner.get(part) if isinstance(inner, dict) else None
    return inner


def _column(name: str, origin: FieldRule) -> str:
    return origin.column or "+".join(origin.columns) or name


def _mapped(origin: FieldRule, raw: Any) -> Any:
    if raw is None:
        return origin.if_empty
    word = as_text(raw).strip()
    if word in origin.map:
        return origin.map[word]
    return origin.otherwise if origin.has_otherwise else raw


def _looked_up(origin: FieldRule, lookup: Lookup, table: dict[str, Any]) -> Callable[[Any], Any]:
    def look_up(raw: Any) -> Any:
        if raw is None:
            return origin.if_empty
        found = table.get(as_text(raw).strip())
        if found is None and not origin.has_otherwise:
            message = f"{lookup.file} has no {lookup.match} {as_text(raw)!r}"
            raise CellError("lookup_failed", message)
        return (
            origin.otherwise if found is None else _mapped(origin, found) if origin.map else found
        )

    return look_up


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("|", "\\|")


def _in_major_units_per_month(doc: dict[str, Any], name: str, origin: FieldRule) -> Decimal:
    amount: Decimal = doc[name]
    if origin.unit == "minor":
        if doc.get("currency") is None:
            raise CellError("missing_value", f"{name} is in minor units of an unknown currency")
        amount = divide(amount, Decimal(10) ** MINOR_DIGITS.get(doc["currency"], 2))
    if origin.per == "billing_period":
        months = doc.get("billing_period_months")
        if not months:
            raise CellError("missing_value", f"{name} is per an unknown billing_period_months")
        return divide(amount, months)
    return divide(amount, _MONTHS.get(origin.per or "", 1))
