"""What is wrong with a folder of files or its mapping, said so that a person can mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

ERROR: Literal["error"] = "error"
WARNING: Literal["warning"] = "warning"


@dataclass(frozen=True)
class Problem:
    """One thing to mend, at a file and a line.

    An ``error`` is not loaded: the row goes to quarantine or the load stops. A ``warning`` is
    loaded as it stands. ``line`` is None where the whole file is meant; ``count`` is above 1
    for the last of many alike, which stands for the rest.
    """

    file: str
    line: int | None
    column: str | None
    code: str
    message: str
    severity: Literal["error", "warning"] = ERROR
    count: int = 1

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        column = f" {self.column}:" if self.column else ""
        return f"{place}:{column} {self.message} [{self.code}]"


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them keeps something from being loaded."""
    return any(problem.severity == ERROR for problem in problems)


def nearest(name: str, known: Iterable[str]) -> str:
    """``Did you mean 'x'?``, or what there is to choose from."""
    names = sorted(known)
    folded = {each.lower(): each for each in reversed(names)}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {folded[close[0]]!r}?"
    return f"There is {_listed(names)}." if names else "There is none."


def _listed(names: Sequence[str], most: int = 14) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
