"""Finding, reading and judging a mapping.yml before any data is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from retention.errors import ConfigurationError
from retention.sources.files.mapping import (
    FieldRule,
    Lookup,
    Mapping,
    Plus,
    StreamRule,
    line_of,
)
from retention.sources.files.problem import Problem, nearest
from retention.sources.files.sense import senseless
from retention.sources.files.yamltext import Lines, YamlFlaw, read_yaml

# Mappings of well-known public data sets, found by the name of the folder they explain.
SHIPPED = Path(__file__).resolve().parents[4] / "demo" / "mappings"


def load_mapping(folder: Path, given: str | Path | None = None) -> Mapping:
    """The mapping of a folder, fit for use.

    Raises ConfigurationError with file, line and the nearest right name for the first flaw,
    and says how many more there are.
    """
    mapping, problems = read_mapping(find_mapping(folder, given))
    if mapping is None or problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigurationError(
            f"{problems[0].message}{more}",
            code=problems[0].code,
            where=f"files, {problems[0].file}:{problems[0].line or 1}",
            mend=f"`retention files check {folder}` explains every problem.",
        )
    return mapping


def find_mapping(folder: Path, given: str | Path | None = None) -> Path:
    """The mapping of a folder: the one given, the one inside it, or a shipped one of its name.

    Raises ConfigurationError naming the places that were tried.
    """
    if not folder.is_dir():
        raise ConfigurationError(
            f"there is no folder {folder}.", code="folder_missing", where=str(folder)
        )
    inside, shipped = folder / "mapping.yml", SHIPPED / folder.resolve().name / "mapping.yml"
    tried = [Path(given)] if given else [inside, shipped]
    for path in tried:
        if path.is_file():
            return path
    raise ConfigurationError(
        f"there is no mapping for {folder}: {' and '.join(map(str, tried))} is not there.",
        code="mapping_missing",
        where=str(folder),
        mend="Copy demo/mappings/example/mapping.yml into the folder and adapt it.",
    )


def read_mapping(path: Path) -> tuple[Mapping | None, list[Problem]]:
    """The mapping and what makes no sense in it; None where even its form is wrong."""
    try:
        document, lines = read_yaml(path)
        mapping = Mapping.model_validate(document)
    except YamlFlaw as flaw:
        return None, [flaw.problem]
    except ValidationError as error:
        return None, [_problem(path, lines, each) for each in error.errors()]
    mapping.stood_at(path, lines)
    return mapping, senseless(mapping)


def _problem(path: Path, lines: Lines, error: Any) -> Problem:
    at = tuple(str(part) for part in error["loc"])
    code, message = "mapping_value", error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        code = "mapping_unknown_key"
        message = f"unknown key {at[-1]!r}. {nearest(at[-1], _keys_at(at))}"
    elif error["type"] == "missing":
        code, message = "mapping_missing_key", f"the key {at[-1]!r} is missing"
    return Problem(path.name, line_of(lines, at), ".".join(at) or None, code, message)


def _keys_at(at: tuple[str, ...]) -> list[str]:
    if len(at) == 1:
        return list(Mapping.model_fields)
    if len(at) == 3 and at[0] == "streams":
        return [*StreamRule.model_fields, "file"]
    inner: dict[str, type[BaseModel]] = {"lookup": Lookup, "plus": Plus}
    return list(inner.get(at[-2], FieldRule).model_fields)
