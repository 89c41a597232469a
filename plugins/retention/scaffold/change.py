"""The files that a recipe creates and the lines that it adds, written all or none."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from retention.errors import ConfigurationError, UsageError

TEMPLATES = Path(__file__).parent / "templates"
MARK = "FILL IN"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def template(path: str, **values: str) -> str:
    """Return a file of the folder ``templates`` with ``$name`` and the like replaced."""
    return Template((TEMPLATES / path).read_text()).substitute(values)


def require_name(name: str, what: str) -> None:
    """Raise UsageError unless the name can be a Python module, a table and a column."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} is not a valid name of a {what}.",
            hint="Use lower-case letters, digits and single underscores, as in `open_tickets`.",
        )


@dataclass
class Change:
    """New texts of files by their path below ``root``; nothing is written before ``write``."""

    root: Path
    texts: dict[str, str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    todo: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not (self.root / "plugins" / "retention" / "sources" / "__init__.py").is_file():
            raise ConfigurationError(
                "Recipes need a checkout of the repository.",
                where=str(self.root),
                hint="Clone the repository, or set RETENTION_ROOT to a clone.",
            )

    def create(self, path: str, text: str) -> None:
        """Plan a new file; raise UsageError if it exists."""
        if (self.root / path).exists():
            raise UsageError(
                f"{path} exists already.", hint="Choose another name, or edit that file."
            )
        self.texts[path] = text
        self.created.add(path)

    def add(self, path: str, text: str, *, header: str = "", once: str = "") -> None:
        """Plan lines at the end of a file, created with ``header`` if it is missing.

        Raises UsageError if the pattern ``once`` is found, because the name is taken.
        """
        if (self.root / path).exists() or path in self.texts:
            old = self._text(path, once)
            self.texts[path] = (old if old.endswith("\n") else f"{old}\n") + text
        else:
            self.create(path, header + text.lstrip("\n"))

    def insert(self, path: str, pattern: str, text: str, *, once: str = "") -> None:
        """Plan lines after the last match of ``pattern``; raise ConfigurationError without one."""
        old = self._text(path, once)
        places = list(re.finditer(pattern, old, re.M))
        if not places:
            raise ConfigurationError(
                f"Found no place for the new lines: no line matches {pattern}.",
                where=path,
                hint="Restore the form of the file, or add the lines by hand.",
            )
        end = places[-1].end()
        self.texts[path] = old[:end] + text + old[end:]

    def write(self) -> list[str]:
        """Write everything; return the paths, new files before changed ones."""
        for path, text in self.texts.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return sorted(self.texts, key=lambda path: (path not in self.created, path))

    def _text(self, path: str, once: str) -> str:
        text = self.texts.get(path) or (self.root / path).read_text()
        found = re.search(once, text, re.M) if once else None
        if found:
            line = text.count("\n", 0, found.start()) + 1
            raise UsageError(
                f"{path}:{line} has this name already.",
                hint="Choose another name, or edit that entry.",
            )
        return text
