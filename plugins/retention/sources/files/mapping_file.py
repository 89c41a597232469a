"""Find, read and check a mapping.yml before any data is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from retention.errors import ConfigurationError
from retention.settings import root
from retention.sources.files.mapping import (
    FieldRule,
    Interval,
    Lines,
    Lookup,
    Mapping,
    Plus,
    StreamRule,
    line_of,
)
from retention.sources.files.mapping_check import mapping_problems
from retention.sources.files.problems import Problem, nearest

_MOST_BYTES = 1_000_000


class YamlFlaw(Exception):
    """The file is not a valid YAML mapping; carries the Problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """Return the document and the line of every key and list item.

    Every scalar is text, or None for an empty one or for ``null`` outside a list, so the country
    NO, the code 007 and dates keep their text. Raises YamlFlaw for a syntax error, a repeated key,
    an alias or a wrong encoding.
    """
    lines: Lines = {}
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            raise _flaw(path, None, "mapping_too_large", "a mapping must not exceed 1 MB")
        text = content.decode("utf-8-sig")
        _refuse_aliases(path, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise _flaw(path, None, "mapping_unreadable", message) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _flaw(path, line, "bad_encoding", "a mapping must be UTF-8") from error
    except yaml.YAMLError as error:
        raise _syntax_flaw(path, error) from error
    if node is None:
        raise _flaw(path, 1, "mapping_empty", "the mapping is empty")
    return _plain(path, node, (), lines), lines


def _refuse_aliases(path: Path, text: str) -> None:
    # An alias can expand without end and hides the line of what it repeats.
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            mark = event.start_mark
            line = mark.line + 1 if mark else None
            raise _flaw(
                path, line, "yaml_alias", f"aliases such as *{event.anchor} are not supported"
            )


def _plain(path: Path, node: yaml.Node, at: tuple[str, ...], lines: Lines) -> Any:
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        unknown = node.style is None and node.tag == "tag:yaml.org,2002:null"
        return None if unknown else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        items = enumerate(node.value)
        return [_item(path, each, (*at, str(index)), lines) for index, each in items]
    plain: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise _flaw(path, line, "yaml_syntax", "a key must be a plain word")
        key = str(key_node.value)
        if key in plain:
            first = lines[(*at, key)]
            raise _flaw(path, line, "yaml_repeated_key", f"{key!r} is already in line {first}")
        lines[(*at, key)] = line
        plain[key] = _plain(path, value_node, (*at, key), lines)
    return plain


def _item(path: Path, node: yaml.Node, at: tuple[str, ...], lines: Lines) -> Any:
    # In a list, NULL is text: `null_values: [NULL]` lists the cells that count as empty.
    if isinstance(node, yaml.ScalarNode):
        lines[at] = node.start_mark.line + 1
        return str(node.value)
    return _plain(path, node, at, lines)


def _syntax_flaw(path: Path, error: yaml.YAMLError) -> YamlFlaw:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    message = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "alias" in (getattr(error, "context", None) or ""):
        message += "; quote values that begin with *"
    return _flaw(path, mark.line + 1 if mark else None, "yaml_syntax", f"not YAML: {message}")


def _flaw(path: Path, line: int | None, code: str, message: str) -> YamlFlaw:
    return YamlFlaw(Problem(path.name, line, None, code, message))


# Mappings of public data sets, found by the name of the folder.
SHIPPED = root() / "demo" / "mappings"


def load_mapping(folder: Path, given: str | Path | None = None) -> Mapping:
    """Return the valid mapping of a folder.

    Raises ConfigurationError for the first problem, with file, line, the closest valid name and the
    number of further problems.
    """
    mapping, problems = read_mapping(find_mapping(folder, given))
    if mapping is None or problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigurationError(
            f"{problems[0].message}{more}",
            code=problems[0].code,
            where=f"files, {problems[0].file}:{problems[0].line or 1}",
            hint=f"`retention files check {folder}` lists every problem.",
        )
    return mapping


def find_mapping(folder: Path, given: str | Path | None = None) -> Path:
    """Return the mapping's path: the given one, the one in the folder, or a shipped one.

    Raises ConfigurationError with the places tried.
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
        f"{folder} has no mapping. Tried: {', '.join(map(str, tried))}.",
        code="mapping_missing",
        where=str(folder),
        hint=f"`retention files init {folder}` drafts one; demo/mappings/example/mapping.yml is"
        " a finished one.",
    )


def read_mapping(path: Path) -> tuple[Mapping | None, list[Problem]]:
    """Return the mapping and its problems; None if its structure is invalid."""
    try:
        document, lines = read_yaml(path)
        mapping = Mapping.model_validate(document)
    except YamlFlaw as flaw:
        return None, [flaw.problem]
    except ValidationError as error:
        return None, [_problem(path, lines, each) for each in error.errors()]
    mapping.remember(path, lines)
    return mapping, mapping_problems(mapping)


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
    if at[0] == "streams" and (len(at) == 3 or at[2:3] + at[4:] == ("also", at[-1])):
        return [*StreamRule.model_fields, "file"]
    inner: dict[str, type[BaseModel]] = {"lookup": Lookup, "plus": Plus, "interval": Interval}
    return list(inner.get(at[-2], FieldRule).model_fields)
