"""Whether the keys that records refer to are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from retention.sources.files.findings import Findings
from retention.sources.files.problem import ERROR, WARNING, Problem

# More rows without an account than this are a wrong mapping, not a few stray rows.
_STRAY_RATE = 0.05

Place = tuple[str, int]


class References:
    """Where one column refers to the records of another stream."""

    def __init__(self, column: str, stream: str) -> None:
        self.column, self.stream = column, stream
        self._first: dict[str, Place] = {}
        self._times: Counter[str] = Counter()

    def add(self, value: str, place: Place, times: int = 1) -> None:
        """Note one reference, or several of which ``place`` is the first."""
        self._first.setdefault(value, place)
        self._times[value] += times

    def report(self, known: Container[str], findings: Findings) -> None:
        """A problem for each key that is not there: warnings while they are few."""
        lost = [value for value in self._first if value not in known]
        rows = sum(self._times[value] for value in lost)
        many = rows > max(1, _STRAY_RATE * self._times.total())
        for value in lost:
            file, line = self._first[value]
            times = f", in {self._times[value]} rows" if self._times[value] > 1 else ""
            said = f"{value!r} is not in {self.stream}{times}"
            severity = ERROR if many else WARNING
            findings.add(Problem(file, line, self.column, "orphan", said, severity))
