"""YAML read as text with line numbers, so that a mapping says what it looks like it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from retention.sources.files.problem import Problem

Lines = dict[tuple[str, ...], int]
_MOST_BYTES = 1_000_000


class YamlFlaw(Exception):
    """The file is no mapping at all; carries the Problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def read_yaml(path: Path) -> tuple[Any, Lines]:
    """The document and the line of every key and list item.

    Every scalar is the text that stands there, or None for an empty one or ``null`` outside a
    list: so the country NO, a code 007 and a date stay what they are. Raises YamlFlaw for a
    syntax error, a repeated key, an alias or a file of another encoding.
    """
    lines: Lines = {}
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            raise _flaw(path, None, "mapping_too_large", "a mapping is no larger than 1 MB")
        text = content.decode("utf-8-sig")
        _refuse_aliases(path, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise _flaw(path, None, "mapping_unreadable", message) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _flaw(path, line, "bad_encoding", "a mapping is written in UTF-8") from error
    except yaml.YAMLError as error:
        raise _syntax_flaw(path, error) from error
    if node is None:
        raise _flaw(path, 1, "mapping_empty", "the mapping is empty")
    return _plain(path, node, (), lines), lines


def _refuse_aliases(path: Path, text: str) -> None:
    # An alias can expand without end (and hides the line of what it repeats).
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            mark = event.start_mark
            line = mark.line + 1 if mark else None
            raise _flaw(path, line, "yaml_alias", f"aliases such as *{event.anchor} are not read")


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
            raise _flaw(path, line, "yaml_syntax", "a key is a plain word")
        key = str(key_node.value)
        if key in plain:
            first = lines[(*at, key)]
            raise _flaw(path, line, "yaml_repeated_key", f"{key!r} stands in line {first} already")
        lines[(*at, key)] = line
        plain[key] = _plain(path, value_node, (*at, key), lines)
    return plain


def _item(path: Path, node: yaml.Node, at: tuple[str, ...], lines: Lines) -> Any:
    # In a list NULL is a word: `null_values: [NULL]` means the cells that say so.
    if isinstance(node, yaml.ScalarNode):
        lines[at] = node.start_mark.line + 1
        return str(node.value)
    return _plain(path, node, at, lines)


def _syntax_flaw(path: Path, error: yaml.YAMLError) -> YamlFlaw:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or str(error).splitlines()[0]
    if "alias" in (getattr(error, "context", None) or ""):
        said += "; put what begins with * in quotes"
    return _flaw(path, mark.line + 1 if mark else None, "yaml_syntax", f"not YAML: {said}")


def _flaw(path: Path, line: int | None, code: str, message: str) -> YamlFlaw:
    return YamlFlaw(Problem(path.name, line, None, code, message))
