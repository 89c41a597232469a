"""Collect the problems of a folder and its mapping, and describe each with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

ERROR: Literal["error"] = "error"
WARNING: Literal["warning"] = "warning"


@dataclass(frozen=True)
class Problem:
    """One problem to fix, with its file and line.

    An ``error`` is not loaded: the row goes to quarantine or the load stops. A ``warning`` is
    loaded unchanged. ``line`` is None if the whole file is affected. ``count`` is above 1 for a
    problem that stands for several similar ones.
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
    """Return whether any problem prevents a load."""
    return any(problem.severity == ERROR for problem in problems)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean 'x'?``, or the list of valid names."""
    names = sorted(known)
    folded = {each.lower(): each for each in reversed(names)}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {folded[close[0]]!r}?"
    return f"Known: {_listed(names)}." if names else "None is known."


def _listed(names: Sequence[str], most: int = 14) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _order(problem: Problem) -> tuple[bool, bool, str, int]:
    """Sort errors first, and causes before what follows from them."""
    follows = problem.code in {"orphan", "several_ids"}
    return problem.severity == WARNING, follows, problem.file, problem.line or 0


# Fifty lines show the cause; more would hide the other problems.
_MOST_ALIKE = 50


class Findings:
    """Collect problems; those beyond the limit per file, column and code become one count."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._alike: Counter[tuple[str, str | None, str]] = Counter()
        self._rest: dict[tuple[str, str | None, str], Problem] = {}

    def add(self, problem: Problem) -> None:
        """Add a problem."""
        kind = (problem.file, problem.column, problem.code)
        self._alike[kind] += problem.count
        if self._alike[kind] <= _MOST_ALIKE:
            self._kept.append(problem)
            return
        so_far = self._rest.get(kind)
        count = problem.count + (so_far.count if so_far else 0)
        self._rest[kind] = replace(so_far or problem, count=count)

    def error(
        self, file: str, line: int | None, column: str | None, code: str, message: str
    ) -> None:
        """Add a problem that prevents a row or a file from being loaded."""
        self.add(Problem(file, line, column, code, message))

    def warn(
        self, file: str, line: int | None, column: str | None, code: str, message: str
    ) -> None:
        """Add a problem of data that is loaded unchanged."""
        self.add(Problem(file, line, column, code, message, WARNING))

    def unfolded(self) -> list[Problem]:
        """Return the problems as they were added, those beyond the limit as one with a count."""
        return [*self._kept, *self._rest.values()]

    def problems(self) -> list[Problem]:
        """Return all problems, errors first, by file and line."""
        rest = [
            replace(each, message=f"{each.message} (and {each.count - 1} more like it)")
            if each.count > 1
            else each
            for each in self._rest.values()
        ]
        return sorted([*self._kept, *rest], key=_order)

    def has(self, code: str) -> bool:
        """Return whether a problem of this kind was added."""
        return any(each.code == code for each in self._kept)


# A higher share of rows without an account means a wrong mapping, not a few stray rows.
_STRAY_RATE = 0.05

Place = tuple[str, int]


class References:
    """The values of one column that refer to records of another stream."""

    def __init__(self, column: str, stream: str) -> None:
        self.column, self.stream = column, stream
        self._first: dict[str, Place] = {}
        self._times: Counter[str] = Counter()

    def add(self, value: str, place: Place, times: int = 1) -> None:
        """Add one reference, or several of which ``place`` is the first."""
        self._first.setdefault(value, place)
        self._times[value] += times

    def report(
        self, known: Container[str], findings: Findings, rejected: Mapping[str, Place]
    ) -> None:
        """Report each key that does not exist: as warnings while there are few.

        The rows of a ``rejected`` record are one warning each: its own problem is the cause.
        """
        lost = [value for value in self._first if value not in known]
        for value in [each for each in lost if each in rejected]:
            file, line = self._first[value]
            cause = ":".join(map(str, rejected[value]))
            message = f"{value!r} is rejected in {cause}; {self._times[value]} rows refer to it"
            findings.warn(file, line, self.column, "orphan", message)
        lost = [value for value in lost if value not in rejected]
        rows = sum(self._times[value] for value in lost)
        many = rows > max(1, _STRAY_RATE * self._times.total())
        for value in lost:
            file, line = self._first[value]
            times = f", in {self._times[value]} rows" if self._times[value] > 1 else ""
            if separator := _joins_ids(value, known):
                hint = f"set `separator: '{separator}'` to use the first one"
                message = f"{value!r} holds several ids of {self.stream}{times}; {hint}"
                findings.add(Problem(file, line, self.column, "several_ids", message))
                continue
            message = f"{value!r} is not in {self.stream}{times}"
            severity = ERROR if many else WARNING
            findings.add(Problem(file, line, self.column, "orphan", message, severity))


def _joins_ids(value: str, known: Container[str]) -> str | None:
    """Return the sign between several ids in one cell, of which at least one is known."""
    for separator in (";", ",", "|"):
        parts = [part.strip() for part in value.split(separator)]
        if len(parts) > 1 and any(part in known for part in parts):
            return separator
    return None
