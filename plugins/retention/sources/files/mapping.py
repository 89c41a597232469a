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

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from retention.sources.files.yamltext import Lines


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lookup(_Rule):
    """Swap a value for one of another file: ``{file: subs.csv, match: sub_id, take: account}``."""

    file: str
    match: str
    take: str
    format: Literal["csv", "ndjson", "parquet"] | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)


class Plus(_Rule):
    """Add a duration to a timestamp: ``{column: first_response_minutes, unit: minutes}``."""

    column: str
    unit: Literal["milliseconds", "seconds", "minutes", "hours", "days"]


class FieldRule(_Rule):
    """Where one canonical field comes from; a bare word is short for ``{column: word}``.

    ``columns`` makes one key of several columns. ``map`` swaps words, the rest stays as it is
    unless ``otherwise`` says what it becomes. ``if_empty`` fills gaps.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    value: str | None = None
    lookup: Lookup | None = None
    map: dict[str, str | None] = Field(default_factory=dict)
    otherwise: str | None = None
    if_empty: str | None = None
    format: str | None = None
    time_zone: str | None = None
    unit: str | None = None
    per: Literal["month", "quarter", "half_year", "year", "billing_period"] | None = None
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    plus: Plus | None = None

    @model_validator(mode="before")
    @classmethod
    def bare_word_is_a_column(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def has_one_origin(self) -> FieldRule:
        origins = sum((self.column is not None, bool(self.columns), self.value is not None))
        if origins != 1:
            raise ValueError("give one of column, columns and value")
        if self.lookup and self.column is None:
            raise ValueError("a lookup needs the column whose value it swaps")
        if self.has_otherwise and not (self.map or self.lookup):
            raise ValueError("otherwise goes with a map or a lookup")
        return self

    @property
    def has_otherwise(self) -> bool:
        """Whether ``otherwise`` was written, be it null."""
        return "otherwise" in self.model_fields_set

    @property
    def origins(self) -> tuple[str, ...]:
        """The columns the field is made of."""
        named = (self.column,) if self.column is not None else self.columns
        return (*named, self.plus.column) if self.plus else named


class StreamRule(_Rule):
    """The files of one stream and where each of its fields comes from.

    ``only`` and ``skip`` keep rows by a column's values. ``unique`` names columns that should
    not repeat; repeats are reported and loaded. ``duplicates`` says what rows of one key that
    differ mean: "reject", a contradiction, is what records do; "last", the last one counts, is
    what usage events do; "keep", each is an event of its own, is for usage events only.
    """

    files: tuple[str, ...] = Field(min_length=1)
    format: Literal["csv", "ndjson", "parquet"] | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    time_zone: str | None = None
    null_values: tuple[str, ...] | None = None
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    skip: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    unique: tuple[str, ...] = ()
    duplicates: Literal["reject", "last", "keep"] | None = None
    updated_at: FieldRule | None = None
    fields: dict[str, FieldRule]

    @model_validator(mode="before")
    @classmethod
    def one_file_is_a_list_of_one(cls, given: Any) -> Any:
        if isinstance(given, dict) and "file" in given:
            if "files" in given:
                raise ValueError("give file or files, not both")
            return {**{k: v for k, v in given.items() if k != "file"}, "files": [given["file"]]}
        return given


class Mapping(_Rule):
    """A whole mapping.yml. What a stream does not say, it takes from here."""

    time_zone: str = "UTC"
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    null_values: tuple[str, ...] = ()
    streams: dict[str, StreamRule] = Field(min_length=1)

    _path: Path = PrivateAttr(default=Path("mapping.yml"))
    _lines: Lines = PrivateAttr(default_factory=dict)

    def stood_at(self, path: Path, lines: Lines) -> None:
        """Remember the file and lines this was read from."""
        self._path, self._lines = path, lines

    @property
    def path(self) -> Path:
        """The file this was read from."""
        return self._path

    def line(self, *at: str) -> int | None:
        """The line of a part of the mapping, or of what holds it."""
        if at[-1] == "files" and at not in self._lines:
            at = (*at[:-1], "file")
        return line_of(self._lines, at)


def line_of(lines: Lines, at: tuple[str, ...]) -> int | None:
    """The line of the place ``at``, or of the nearest thing around it."""
    while at and at not in lines:
        at = at[:-1]
    return lines.get(at)
