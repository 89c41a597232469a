"""The public interface: published tables and the command line, one JSON file per release.

`interface/<version>.json` freezes what a release promised. A later release may add to it. It may
remove or change only what the release before marked as deprecated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from retention.errors import ConfigurationError


@dataclass(frozen=True)
class Interface:
    """What one version promises.

    ``promises`` maps a name to what is promised of it: `publish.t` to its grain, `publish.t.c`
    to its type, `retention load` and `retention load --end` to nothing more than that they are
    there. ``deprecated`` maps a name that the next release may drop to its replacement.
    """

    version: str
    promises: dict[str, str]
    deprecated: dict[str, str]


def current(root: Path, version: str) -> Interface:
    """Describe what this checkout offers, from its declarations; needs no warehouse."""
    found = {name: (value, gone) for name, value, gone in (*_tables(root), *_commands())}
    return Interface(
        version,
        {name: value for name, (value, _) in found.items()},
        {name: gone for name, (_, gone) in found.items() if gone},
    )


def breaks(released: Interface, offered: Interface) -> list[str]:
    """List each promise of a release that is not kept, one sentence each; empty when all are."""
    broken = []
    for name, promised in released.promises.items():
        parent = name.rpartition(" " if name.startswith("retention ") else ".")[0]
        if name in released.deprecated:
            continue
        if name not in offered.promises:
            # A missing table or command is one break, not one for each column or option.
            if parent in offered.promises or parent not in released.promises:
                broken.append(f"{name} is gone, and {released.version} did not deprecate it")
        elif offered.promises[name] != promised:
            broken.append(f"{name} was {promised} and is {offered.promises[name]}")
    return broken


def newest(folder: Path) -> Interface:
    """Read the newest release's file; before the first release nothing is promised."""
    files = sorted(folder.glob("*.json"), key=_version)
    if not files:
        return Interface("0", {}, {})
    return Interface(**json.loads(files[-1].read_text()))


def write(root: Path, version: str) -> Path:
    """Write `interface/<version>.json`; raises ConfigurationError when that release exists."""
    path = root / "interface" / f"{version}.json"
    if path.exists():
        raise ConfigurationError(
            f"{path} is frozen: {version} is released.",
            hint="Raise the version in pyproject.toml; a release is never rewritten.",
        )
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(asdict(current(root, version)), indent=1, sort_keys=True) + "\n")
    return path


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.stem.split("."))


def _tables(root: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted((root / "dbt_project" / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text()).get("models") or []:
            meta = _meta(model)
            if meta.get("publish"):
                table = f"{meta['publish']}.{model['name']}"
                yield table, f"one row per {', '.join(meta['grain'])}", meta.get("deprecated", "")
                for column in model["columns"]:
                    deprecated = _meta(column).get("deprecated", "")
                    yield f"{table}.{column['name']}", column["data_type"], deprecated


def _meta(declared: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = declared.get("config", {}).get("meta", {})
    return found


def _commands() -> Iterator[tuple[str, str, str]]:
    import typer

    from retention.cli import app

    yield from _walk(typer.main.get_command(app), "retention")


def _walk(command: Any, name: str) -> Iterator[tuple[str, str, str]]:
    if hasattr(command, "commands"):
        for child, each in command.commands.items():
            yield from _walk(each, f"{name} {child}")
        return
    gone = "deprecated" if command.deprecated else ""
    yield name, "", gone
    for option in sorted({option for each in command.params for option in each.opts}):
        yield f"{name} {option}", "", gone
