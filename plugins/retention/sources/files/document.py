"""Convert a row of a file to a document of a canonical stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Values
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from retention.sources.files.codes import MINOR_DIGITS
from retention.sources.files.fields import CanonicalField, fields_of, key_of
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import FieldRule, Interval, Lookup, StreamRule
from retention.sources.files.problems import nearest
from retention.sources.files.table import BadRow, Failed, Row, as_text
from retention.sources.files.values import (
    PERIODS,
    SPREADSHEET_ERRORS,
    CellError,
    add,
    converter,
    divide,
    id_text,
    instant,
    number,
    per_month,
    utc_text,
)

if TYPE_CHECKING:
    from retention.sources.files.calculate import Calculator

_BATCH = 2_000
Get = Callable[[Values[str, Any]], Any]


@dataclass(frozen=True)
class Flaw:
    """The reason why one value of a row cannot be used; ``fatal`` if it costs the whole row."""

    column: str
    code: str
    message: str
    fatal: bool = True


@dataclass
class Made:
    """The document of a row; without the values that have flaws, useless if one is fatal."""

    doc: dict[str, Any]
    updated_at: datetime | None = None
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def is_lost(self) -> bool:
        """Return whether a flaw costs the whole row."""
        return any(flaw.fatal for flaw in self.flaws)


class Maker:
    """Convert rows to documents by one stream's rule; lookup files are read once, here.

    Raises BrokenFile for a lookup file that cannot be used.
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
        self._calculator = _calculator(rule)
        # The columns to look at in a file where a field is wrong.
        self.columns = {name: _column(name, origin) for name, origin in rule.fields.items()}
        self._blank = dict.fromkeys(fields_of(stream))
        self._money = [
            (known, origin)
            for known, origin, _ in self._fields
            if known.kind == "money"
            and (origin.unit == "minor" or origin.per not in {None, "month"})
        ]

    def rows(self, rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
        """Yield the rows with their calculated columns, as they are without any."""
        if self._calculator is None:
            yield from rows
            return
        remaining = iter(rows)
        while batch := list(islice(remaining, _BATCH)):
            yield from self._calculated(self._calculator, batch)

    def _calculated(
        self, calculator: Calculator, batch: list[Row | BadRow]
    ) -> Iterator[Row | BadRow]:
        texts: list[list[str | None]] = []
        failed: dict[int, Failed] = {}
        for place, row in enumerate(batch):
            try:
                texts.append(self._texts(row, calculator.columns))
            except CellError as error:
                texts.append([None] * len(calculator.columns))
                failed[place] = Failed(error.code, str(error))
        for place, (row, values) in enumerate(zip(batch, calculator.values(texts), strict=True)):
            if place in failed:
                values = dict.fromkeys(values, failed[place])
            yield replace(row, values=row.values | values) if isinstance(row, Row) else row

    def _texts(self, row: Row | BadRow, columns: tuple[str, ...]) -> list[str | None]:
        if isinstance(row, BadRow):
            return [None] * len(columns)
        found = (self._present(row.values, column) for column in columns)
        return [None if each is None else as_text(each) for each in found]

    def wants(self, values: Values[str, Any]) -> bool:
        """Return whether the row passes ``only`` and ``skip``, or cannot be judged."""
        if self._unjudged(values):
            return True
        only, skip = self.rule.only.items(), self.rule.skip.items()
        return all(self._text(values, column) in kept for column, kept in only) and not any(
            self._text(values, column) in left_out for column, left_out in skip
        )

    def _unjudged(self, values: Values[str, Any]) -> list[Flaw]:
        """Return the calculations that failed of columns that select rows."""
        cells = ((column, values.get(column)) for column in (*self.rule.only, *self.rule.skip))
        return [
            Flaw(column, found.code, found.message)
            for column, found in cells
            if isinstance(found, Failed)
        ]

    def make(self, values: Values[str, Any]) -> Made:
        """Convert a row; never raises for the row's contents."""
        made = Made(dict(self._blank), flaws=self._unjudged(values))
        for known, origin, get in self._fields:
            try:
                value = get(values)
            except CellError as error:
                made.flaws.append(_flaw(known, origin, error))
                continue
            if value is None and known.required:
                code = "missing_key" if known.name == key_of(self.stream) else "missing_value"
                column = _column(known.name, origin)
                made.flaws.append(Flaw(column, code, f"{known.name} is empty"))
            made.doc[known.name] = value
        self._finish(made, values)
        return made

    def _finish(self, made: Made, values: Values[str, Any]) -> None:
        # An amount cannot be checked without a valid currency and period.
        for known, origin in [] if made.is_lost else self._money:
            if made.doc[known.name] is None:
                continue
            try:
                made.doc[known.name] = self._per_month(made.doc, known.name, origin, values)
            except CellError as error:
                made.doc[known.name] = None
                made.flaws.append(_flaw(known, origin, error))
        if self.rule.updated_at:
            made.updated_at = self._updated_at(made, values, self.rule.updated_at)

    def _per_month(
        self, doc: dict[str, Any], name: str, origin: FieldRule, values: Values[str, Any]
    ) -> Decimal:
        amount = _in_major_units(doc, name, origin)
        if origin.interval:
            return per_month(amount, *self._period(values, origin.interval))
        if origin.per == "billing_period":
            return _per_billing_period(doc, name, amount)
        return per_month(amount, origin.per or "month")

    def _period(self, values: Values[str, Any], interval: Interval) -> tuple[str, Decimal]:
        word = self._present(values, interval.column)
        if word is None:
            raise CellError("missing_value", f"{interval.column} is empty")
        word = as_text(word).strip()
        period = interval.map.get(word, word.lower())
        if period not in PERIODS:
            message = f"{word!r} in {interval.column} is not a period; add it to the interval's map"
            raise CellError("unknown_word", f"{message}. {nearest(period, PERIODS)}")
        count = self._present(values, interval.count) if interval.count else 1
        exact = Decimal(1) if count is None else number(count)
        if exact <= 0:
            raise CellError("out_of_range", f"{interval.count} {exact} is not above 0")
        return period, exact

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
            raw = self._present(values, origin.column or "")
            raw = swap(_first_of(raw, origin.separator) if origin.separator else raw)
            if raw is None:
                return None
            return convert(raw) if origin.plus is None else self._later(values, raw, origin, zone)

        return get

    def _swap(self, origin: FieldRule) -> Callable[[Any], Any]:
        """Return the step between cell and conversion: default, lookup or map."""
        if origin.lookup:
            return _looked_up(origin, origin.lookup, self._folder.table(origin.lookup))
        if origin.map or origin.has_otherwise:
            return lambda raw: _mapped(origin, raw)
        return lambda raw: origin.if_empty if raw is None else raw

    def _later(self, values: Values[str, Any], raw: Any, origin: FieldRule, zone: ZoneInfo) -> Any:
        assert origin.plus is not None  # noqa: S101 - the caller checked it
        extra = self._present(values, origin.plus.column)
        if extra is None:
            return None
        return utc_text(add(instant(raw, origin, zone), number(extra), origin.plus.unit))

    def _composite(self, values: Values[str, Any], columns: tuple[str, ...]) -> str | None:
        parts = [self._present(values, column) for column in columns]
        if any(part is None for part in parts):
            return None
        return "|".join(_escaped(id_text(part)) for part in parts)

    def _zone(self, rule: FieldRule) -> ZoneInfo:
        return ZoneInfo(rule.time_zone or self.rule.time_zone or self._folder.mapping.time_zone)

    def _present(self, values: Values[str, Any], column: str) -> Any:
        """Return the cell, or None for an empty one; ``context.groupId`` reads nested objects."""
        value = cell(values, column)
        if isinstance(value, Failed):
            raise CellError(value.code, value.message)
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text in self._empty:
            return None
        if text.startswith("#") and text.upper() in SPREADSHEET_ERRORS:
            message = f"{text!r} is the error of a formula; add it to null_values if it means empty"
            raise CellError("formula_error", message)
        return value

    def _text(self, values: Values[str, Any], column: str) -> str:
        value = cell(values, column)
        return "" if value is None else as_text(value).strip()


def cell(values: Values[str, Any], column: str) -> Any:
    """Return the value of a column; a dotted name that is not a column reads nested objects."""
    if column in values or "." not in column:
        return values.get(column)
    inner: Any = values
    for part in column.split("."):
        inner = inner.get(part) if isinstance(inner, dict) else None
    return inner


def _calculator(rule: StreamRule) -> Calculator | None:
    if not rule.calculate:
        return None
    # DuckDB evaluates the expressions; a mapping without any does not need it.
    from retention.sources.files.calculate import Calculator

    return Calculator(rule.calculate)


def _flaw(known: CanonicalField, origin: FieldRule, error: CellError) -> Flaw:
    return Flaw(_column(known.name, origin), error.code, str(error), known.decisive)


def _first_of(raw: Any, separator: str) -> str | None:
    """Return the first of the ids in a cell, None if there is none."""
    parts = (part.strip() for part in as_text(raw).split(separator)) if raw is not None else ()
    return next((part for part in parts if part), None)


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
        found = table.get(id_text(raw))
        if found is None and not origin.has_otherwise:
            message = f"{lookup.file} has no {lookup.match} {as_text(raw)!r}"
            raise CellError("lookup_failed", message)
        return (
            origin.otherwise if found is None else _mapped(origin, found) if origin.map else found
        )

    return look_up


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("|", "\\|")


def _in_major_units(doc: dict[str, Any], name: str, origin: FieldRule) -> Decimal:
    amount: Decimal = doc[name]
    if origin.unit != "minor":
        return amount
    if doc.get("currency") is None:
        raise CellError("missing_value", f"{name} is in minor units, but the currency is unknown")
    return divide(amount, Decimal(10) ** MINOR_DIGITS.get(doc["currency"], 2))


def _per_billing_period(doc: dict[str, Any], name: str, amount: Decimal) -> Decimal:
    months = doc.get("billing_period_months")
    if not months:
        message = f"{name} is per billing period, but billing_period_months is unknown"
        raise CellError("missing_value", message)
    return divide(amount, months)
