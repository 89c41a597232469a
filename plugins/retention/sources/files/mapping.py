"""mapping.yml: which files and columns of a folder feed which canonical stream.

time_zone: Europe/Berlin
streams:
  subscriptions:
    file: contracts_*.csv
    fields:
      subscription_id: {columns: [customer, starts]}
      account_id: customer
      starts_on: {column: starts, format: "%d.%m.%Y"}
      mrr_amount: {column: yearly_price, per: year, decimal: ","}
      currency: {value: EUR}
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

Format = Literal["csv", "ndjson", "parquet", "workbook"]
Per = Literal["day", "week", "month", "quarter", "half_year", "year", "billing_period", "interval"]
Lines = dict[tuple[str, ...], int]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lookup(_Rule):
    """Look a value up in another file: ``{file: subs.csv, match: sub_id, take: account}``."""

    file: str
    match: str
    take: str
    format: Format | None = None
    sheet: str | None = None
    header_line: int = Field(default=1, ge=1)
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)


class Plus(_Rule):
    """Add a duration to a timestamp: ``{column: first_response_minutes, unit: minutes}``."""

    column: str
    unit: Literal["milliseconds", "seconds", "minutes", "hours", "days"]


class Interval(_Rule):
    """The period of a price: ``{column: Interval, count: Interval Count, map: {annual: year}}``."""

    column: str
    count: str | None = None
    map: dict[str, str] = Field(default_factory=dict)


class FieldRule(_Rule):
    """The origin of one canonical field; a bare word is short for ``{column: word}``.

    ``columns`` builds one key from several columns. ``separator`` divides a cell that holds several
    ids; the first one is used. ``format`` may list several forms of a date. ``inclusive`` says that
    a term is still in force on its end date. ``interval`` names the columns of a price's period.
    ``map`` replaces values; other values are kept unless ``otherwise`` is set. ``if_empty``
    replaces empty values.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    value: str | None = None
    lookup: Lookup | None = None
    map: dict[str, str | None] = Field(default_factory=dict)
    otherwise: str | None = None
    if_empty: str | None = None
    separator: str | None = Field(default=None, min_length=1)
    format: tuple[str, ...] = ()
    time_zone: str | None = None
    unit: str | None = None
    inclusive: bool = False
    per: Per | None = None
    interval: Interval | None = None
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    remove: tuple[str, ...] = ()
    plus: Plus | None = None

    @model_validator(mode="before")
    @classmethod
    def bare_word_is_a_column(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @field_validator("format", mode="before")
    @classmethod
    def one_format_is_a_list_of_one(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given or []

    @model_validator(mode="after")
    def has_one_origin(self) -> FieldRule:
        origins = sum((self.column is not None, bool(self.columns), self.value is not None))
        if origins != 1:
            raise ValueError("set exactly one of column, columns and value")
        if self.lookup and self.column is None:
            raise ValueError("a lookup needs `column`, the value to look up")
        if self.thousands == self.decimal:
            raise ValueError("thousands and decimal are the same sign; set the other one too")
        if (self.per == "interval") != (self.interval is not None):
            raise ValueError("`per: interval` and `interval` need each other")
        if self.has_otherwise and not (self.map or self.lookup):
            raise ValueError("`otherwise` needs a map or a lookup")
        return self

    @property
    def has_otherwise(self) -> bool:
        """Return whether ``otherwise`` was set, even to null."""
        return "otherwise" in self.model_fields_set

    @property
    def origins(self) -> tuple[str, ...]:
        """Return the columns that the field is built from."""
        named = (self.column,) if self.column is not None else self.columns
        more: tuple[str, ...] = (self.plus.column,) if self.plus else ()
        if self.interval:
            more += tuple(each for each in (self.interval.column, self.interval.count) if each)
        return (*named, *more)


class StreamRule(_Rule):
    """The files of one stream and the origin of each of its fields.

    ``calculate`` names columns that are calculated from the others by SQL expressions. ``also``
    lists further rules of the stream, for other files or for a second record of the same rows; what
    such a rule does not state is taken from this one.

    ``only`` and ``skip`` filter rows by a column's values. ``unique`` names columns that should not
    repeat; repeats are reported and loaded. ``duplicates`` applies to different rows with the same
    key: "reject" (default for records), "last" uses the last row (default for usage events), "keep"
    loads each as an event of its own (usage events only).
    """

    files: tuple[str, ...] = Field(min_length=1)
    format: Format | None = None
    sheet: str | None = None
    header_line: int = Field(default=1, ge=1)
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    time_zone: str | None = None
    null_values: tuple[str, ...] | None = None
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    skip: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    unique: tuple[str, ...] = ()
    duplicates: Literal["reject", "last", "keep"] | None = None
    updated_at: FieldRule | None = None
    calculate: dict[str, str] = Field(default_factory=dict)
    fields: dict[str, FieldRule]
    also: tuple[StreamRule, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def complete(cls, given: Any) -> Any:
        """Make one file a list of one, and let the rules of ``also`` inherit."""
        if isinstance(given, dict) and isinstance(given.get("also"), list):
            given = {**given, "also": [_inherited(given, each) for each in given["also"]]}
        if isinstance(given, dict) and "file" in given:
            if "files" in given:
                raise ValueError("set file or files, not both")
            return {**{k: v for k, v in given.items() if k != "file"}, "files": [given["file"]]}
        return given


def _inherited(stream: dict[str, Any], given: Any) -> Any:
    """Return a rule of ``also`` with what it takes from its stream; null drops a field."""
    if not isinstance(given, dict):
        return given
    if "also" in given:
        raise ValueError("a rule of `also` has no `also` of its own")
    files = {"file", "files"}
    left_out = {"also"} | (files if files & set(given) else set())
    fields = {**(stream.get("fields") or {}), **(given.get("fields") or {})}
    calculate = {**(stream.get("calculate") or {}), **(given.get("calculate") or {})}
    return {
        **{key: value for key, value in stream.items() if key not in left_out},
        **given,
        "fields": {name: origin for name, origin in fields.items() if origin is not None},
        "calculate": {name: text for name, text in calculate.items() if text is not None},
    }


class Mapping(_Rule):
    """A whole mapping.yml; its settings are the defaults of every stream."""

    time_zone: str = "UTC"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    null_values: tuple[str, ...] = ()
    # Files that are not meant to be read.
    ignore: tuple[str, ...] = ()
    streams: dict[str, StreamRule] = Field(min_length=1)

    _path: Path = PrivateAttr(default=Path("mapping.yml"))
    _lines: Lines = PrivateAttr(default_factory=dict)

    def rules(self, stream: str) -> list[tuple[tuple[str, ...], StreamRule]]:
        """Return every rule of a stream with its place in the mapping."""
        first, at = self.streams[stream], ("streams", stream)
        also = [((*at, "also", str(n)), rule) for n, rule in enumerate(first.also)]
        return [(at, first), *also]

    def remember(self, path: Path, lines: Lines) -> None:
        """Store the file and the lines that this was read from."""
        self._path, self._lines = path, lines

    @property
    def path(self) -> Path:
        """Return the file that this was read from."""
        return self._path

    def line(self, *at: str) -> int | None:
        """Return the line of a part of the mapping, or of the part that contains it."""
        if at[-1] == "files" and at not in self._lines:
            at = (*at[:-1], "file")
        return line_of(self._lines, at)


def line_of(lines: Lines, at: tuple[str, ...]) -> int | None:
    """Return the line of the place ``at``, or of the nearest enclosing place."""
    while at and at not in lines:
        at = at[:-1]
    return lines.get(at)


def columns_of(rule: StreamRule) -> list[str]:
    """Return every column of the files that the rule names, once each."""
    calculated: list[str] = []
    if rule.calculate:
        # DuckDB reads the expressions; a mapping without any does not need it.
        from retention.sources.files.calculate import parsed

        calculated = [each for text in rule.calculate.values() for each in parsed(text).columns]
    named = [*calculated, *rule.only, *rule.skip, *rule.unique]
    named += [column for origin in rule.fields.values() for column in origin.origins]
    named += rule.updated_at.origins if rule.updated_at else ()
    return [each for each in dict.fromkeys(named) if each not in rule.calculate]


def missing_columns(rule: StreamRule, header: Sequence[str] | None) -> list[str]:
    """Return the columns of the rule that a header lacks; none without a header.

    A dotted name counts as present if its first part is: the contents of a column of objects are
    known only per row.
    """
    if header is None:
        return []
    there = set(header)
    return [
        column
        for column in columns_of(rule)
        if column not in there and column.split(".")[0] not in there
    ]
