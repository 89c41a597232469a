"""The problems of a folder as they are found, each kind shown often enough and no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from retention.sources.files.problem import ERROR, WARNING, Problem

# Fifty lines show what is wrong; the next fifty thousand hide the other problems.
_MOST_ALIKE = 50


class Findings:
    """Collects problems; of those alike in file, column and code the rest is one count."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._alike: Counter[tuple[str, str | None, str]] = Counter()
        self._rest: dict[tuple[str, str | None, str], Problem] = {}

    def add(self, problem: Problem) -> None:
        """Take one more problem."""
        kind = (problem.file, problem.column, problem.code)
        self._alike[kind] += problem.count
        if self._alike[kind] <= _MOST_ALIKE:
            self._kept.append(problem)
            return
        so_far = self._rest.get(kind)
        count = problem.count + (so_far.count if so_far else 0)
        self._rest[kind] = replace(so_far or problem, count=count)

    def error(self, file: str, line: int | None, column: str | None, code: str, said: str) -> None:
        """Something that keeps a row or a file from being loaded."""
        self.add(Problem(file, line, column, code, said))

    def warn(self, file: str, line: int | None, column: str | None, code: str, said: str) -> None:
        """Something that is loaded as it stands."""
        self.add(Problem(file, line, column, code, said, WARNING))

    def problems(self) -> list[Problem]:
        """All of them, errors first, by file and line; a count above 1 stands for the rest."""
        rest = [
            replace(each, message=f"{each.message} (and {each.count - 1} more like it)")
            if each.count > 1
            else each
            for each in self._rest.values()
        ]
        order = {ERROR: 0, WARNING: 1}
        return sorted([*self._kept, *rest], key=lambda p: (order[p.severity], p.file, p.line or 0))
