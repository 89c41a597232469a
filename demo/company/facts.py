"""Record neutral facts: what changed and when, independent of vendor formats."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

State = dict[str, Any]
Steps = list[tuple[int, State]]
Action = Callable[[int], object]


class Facts:
    """Everything recorded about one customer: kind -> id -> dated changes."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, Steps]] = {}

    def note(self, kind: str, key: str, at: int, **changes: Any) -> None:
        """Record that these attributes hold from ``at`` on; the order of calls is free."""
        self.kinds.setdefault(kind, {}).setdefault(key, []).append((at, changes))

    def of(self, kind: str) -> dict[str, Steps]:
        """All things of one kind."""
        return self.kinds.get(kind, {})


def states(steps: Steps, until: int) -> Iterator[tuple[int, State]]:
    """Yield each instant before ``until`` at which something changed, with the full state."""
    state: State = {}
    shown: State | None = None
    ordered = sorted(steps, key=lambda step: step[0])
    for place, (at, changes) in enumerate(ordered):
        if at >= until:
            return
        state.update(changes)
        more_now = place + 1 < len(ordered) and ordered[place + 1][0] == at
        if not more_now and state != shown:
            shown = dict(state)
            yield at, dict(shown)


class Agenda:
    """Scheduled actions, run in time order."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Action]] = []
        self._order = count()

    def at(self, when: int, action: Action) -> None:
        """Schedule ``action(when)``."""
        heapq.heappush(self._heap, (when, next(self._order), action))

    def run_until(self, end: int) -> None:
        """Run all actions due before ``end``, including those that they schedule."""
        while self._heap and self._heap[0][0] < end:
            when, _, action = heapq.heappop(self._heap)
            action(when)
