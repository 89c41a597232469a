"""Faults on order: what a test wants to go wrong, at which request.

Usage::

    servers.faults.add("hubspot", hubspot_limit("SECONDLY"), on=3, path="/search")
    servers.faults.add("stripe", truncated(), on=(2, 5))
    servers.faults.add("typeform", server_error(503), times=2)
    servers.faults.limit("hubspot", per_second=5, path="/search")

The mishaps themselves are in ``demo.servers.mishaps``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from demo.servers.mishaps import LIMITS, App, Exchange, Fault


@dataclass
class Rule:
    """A fault and the requests it strikes; ``seen`` counts the requests that match."""

    fault: Fault
    on: Collection[int] | None
    path: str
    times: int | None
    seen: int = 0
    struck: int = 0

    def strikes(self, line: str, *, taken: bool) -> bool:
        """Whether this request is one of them; it counts even if another rule has taken it."""
        if self.path not in line:
            return False
        self.seen += 1
        over = self.times is not None and self.struck >= self.times
        if taken or over or (self.on is not None and self.seen not in self.on):
            return False
        self.struck += 1
        return True


@dataclass
class Limit:
    """At most ``per_second`` matching requests in any second of wall time."""

    fault: Fault
    per_second: int
    path: str
    recent: deque[float] = field(default_factory=deque)

    def strikes(self, line: str, *, taken: bool) -> bool:
        """Whether this request is one too many; a refused request does not count."""
        if taken or self.path not in line:
            return False
        now = time.monotonic()
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        if len(self.recent) >= self.per_second:
            return True
        self.recent.append(now)
        return False


class Faults:
    """The plan of faults per vendor, and the log of requests, newest last."""

    def __init__(self) -> None:
        self._rules: dict[str, list[Rule | Limit]] = {}
        self.log: dict[str, deque[str]] = {}

    def add(
        self,
        vendor: str,
        fault: Fault,
        *,
        on: int | Collection[int] | None = None,
        path: str = "",
        times: int | None = None,
    ) -> None:
        """Strike the ``on``-th requests whose "METHOD /path?query" contains ``path``.

        Counting starts at 1 from this call on; without ``on`` every such request is
        struck, at most ``times`` times. The first rule that strikes decides.
        """
        numbers = (on,) if isinstance(on, int) else on
        self._rules.setdefault(vendor, []).append(Rule(fault, numbers, path, times))

    def limit(self, vendor: str, per_second: int, *, path: str = "") -> None:
        """Enforce a rate limit with the vendor's own 429."""
        rule = Limit(LIMITS[vendor](), per_second, path)
        self._rules.setdefault(vendor, []).append(rule)

    def clear(self) -> None:
        """Nothing goes wrong any more, and the log starts again."""
        self._rules.clear()
        self.log.clear()

    def struck(self, vendor: str, line: str) -> Fault | None:
        """Note the request and choose its fault, if any."""
        self.log.setdefault(vendor, deque(maxlen=100_000)).append(line)
        chosen: Fault | None = None
        for rule in self._rules.get(vendor, ()):
            if rule.strikes(line, taken=chosen is not None):
                chosen = rule.fault
        return chosen

    def around(self, vendor: str, app: App) -> App:
        """``app`` with the plan for ``vendor`` in front of it."""

        async def faulty(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            query = scope["query_string"].decode()
            line = f"{scope['method']} {scope['path']}{'?' if query else ''}{query}"
            fault = self.struck(vendor, line)
            if fault is None:
                return await app(scope, receive, send)
            return await fault(Exchange(app, scope, receive, send))

        return faulty
