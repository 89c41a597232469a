"""Read the suites in ``expectations/``: one YAML file per raw table and per mart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from retention.errors import ConfigurationError
from retention.settings import root

FOLDER = root() / "expectations"
SEVERITIES = ("critical", "warning", "info")
TYPES = ("text", "integer", "numeric", "boolean", "date", "timestamp", "epoch", "count")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _severity(value: str) -> str:
    if value not in SEVERITIES:
        raise ValueError(f"severity is one of {', '.join(SEVERITIES)}, not {value!r}")
    return value


class Column(_Strict):
    """A typed column of a raw document.

    ``amount: {path: properties.amount, type: numeric, required: true}``; a missing required
    path fails the gate.
    """

    path: tuple[str | int, ...]
    type: str = "text"
    required: bool = False
    unreadable: str = "critical"
    notes: str = ""

    _known_severity = field_validator("unreadable")(_severity)

    @field_validator("path", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(int(part) if part.isdigit() else part for part in value.split("."))

    @field_validator("type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        if value not in TYPES:
            raise ValueError(f"type is one of {', '.join(TYPES)}, not {value!r}")
        return value


class Expectation(_Strict):
    """One entry of ``expect:``; ``type`` and ``kwargs`` are Great Expectations' own."""

    type: str
    kwargs: dict[str, Any]
    name: str = ""
    severity: str = "critical"
    owner: str = ""
    notes: str = ""

    _known_severity = field_validator("severity")(_severity)

    @property
    def label(self) -> str:
        return self.name or self.type

    @property
    def column(self) -> str:
        names = [self.kwargs[key] for key in sorted(self.kwargs) if key.startswith("column")]
        flat = [n for name in names for n in (name if isinstance(name, list) else [name])]
        return ", ".join(str(name) for name in flat)


class Rows(_Strict):
    """The minimum number of rows of a mart."""

    min: int = Field(ge=0)
    notes: str = ""


class AsOf(_Strict):
    """How ``column`` relates to the day of the build.

    ``rule: all`` - every row has that day; ``newest`` - the newest row has it; ``until`` - no
    row is later.
    """

    column: str
    rule: str = Field(pattern="^(all|newest|until)$")
    notes: str = ""


class Anomaly(_Strict):
    """A measure compared with the last publish, optionally per value of ``by``."""

    name: str
    measure: str
    where: str = "true"
    by: str = ""
    max_drop: float = Field(gt=0, le=1)
    max_rise: float | None = Field(default=None, gt=0)
    severity: str = "critical"
    notes: str = Field(min_length=1)

    _known_severity = field_validator("severity")(_severity)


class _File(_Strict):
    table: str = Field(pattern=r"^(raw|marts)\.[a-z0-9_]+$")
    columns: dict[str, Column] = {}
    rows: Rows | None = None
    as_of: AsOf | None = None
    anomalies: tuple[Anomaly, ...] = ()
    expect: tuple[Expectation, ...] = ()

    @field_validator("expect", mode="before")
    @classmethod
    def _entries(cls, value: Any) -> Any:
        return [_entry(item) for item in value or ()]

    @model_validator(mode="after")
    def _columns_only_over_documents(self) -> _File:
        if self.columns and not self.table.startswith("raw."):
            raise ValueError("`columns:` is for raw documents; a mart has columns of its own")
        return self


@dataclass(frozen=True)
class Suite:
    """The checks of one table; ``name`` is the file name without ``.yml``."""

    name: str
    table: str
    expectations: tuple[Expectation, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)
    rows: Rows | None = None
    as_of: AsOf | None = None
    anomalies: tuple[Anomaly, ...] = ()


def load(path: Path) -> Suite:
    """Read the suite in ``path``.

    Raises ConfigurationError with file and entry: invalid YAML, a duplicate or unknown key,
    an unknown severity, a file name that does not match its table.
    """
    try:
        text = path.read_text("utf-8")
        # _UniqueKeys is a SafeLoader.
        file = _File.model_validate(yaml.load(text, Loader=_UniqueKeys) or {})  # noqa: S506
    except yaml.YAMLError as error:
        raise _broken(path, str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise _broken(path, f"{place}: {first['msg']}") from error
    if path.stem != file.table.replace(".", "_"):
        raise _broken(path, f"a suite of {file.table} must be named {_file_of(file.table)}")
    return Suite(
        path.stem, file.table, file.expect, file.columns, file.rows, file.as_of, file.anomalies
    )


def find(table: str, folder: Path = FOLDER) -> Suite | None:
    """Read the suite of ``raw.x`` or ``marts.x``; None when there is no file."""
    path = folder / _file_of(table)
    return load(path) if path.exists() else None


def load_all(folder: Path = FOLDER) -> tuple[Suite, ...]:
    """Read every suite of the folder, ordered by name."""
    return tuple(load(path) for path in sorted(folder.glob("*.yml")))


def _file_of(table: str) -> str:
    return table.replace(".", "_") + ".yml"


def _entry(item: Any) -> Any:
    if not isinstance(item, dict):
        raise ValueError(f"an entry must be a mapping, not {item!r}")
    known = set(Expectation.model_fields)
    types = [key for key in item if key not in known]
    if len(types) != 1 or not isinstance(item[types[0]], dict):
        raise ValueError(f"an entry must name one expectation with its arguments, not {types}")
    rest = {key: value for key, value in item.items() if key != types[0]}
    return {"type": types[0], "kwargs": item[types[0]], **rest}


def _broken(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(what, code="broken_suite", where=f"expectations/{path.name}")


class _UniqueKeys(yaml.SafeLoader):
    """YAML loader that rejects duplicate keys; SafeLoader silently keeps the last."""


def _mapping(loader: _UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    pairs = loader.construct_pairs(node, deep=True)
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise yaml.constructor.ConstructorError(None, None, "a key is repeated", node.start_mark)
    return mapping


_UniqueKeys.add_constructor("tag:yaml.org,2002:map", _mapping)
