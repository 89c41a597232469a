"""Schedule HTTP faults: which request of which vendor fails, and how.

Usage::

    servers.faults.add("hubspot", hubspot_limit("SECONDLY"), on=3, path="/search")
    servers.faults.add("stripe", truncated(), on=(2, 5))
    servers.faults.add("typeform", server_error(503), times=2)
    servers.faults.limit("hubspot", per_second=5, path="/search")

``demo.servers.http_faults`` holds the faults themselves.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from demo.servers.http_faults import LIMITS, App, Exchange, Fault


@dataclass
class Rule:
    """A fault and the requests it applies to; ``seen`` counts the requests that match."""

    fault: Fault
    on: Collection[int] | None
    path: str
    times: int | None
    seen: int = 0
    struck: int = 0

    def strikes(self, line: str, *, taken: bool) -> bool:
        """Return whether the fault applies to this request; count it even if ``taken``."""
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
    """Allow ``per_second`` matching requests in any second of wall time."""

    fault: Fault
    per_second: int
    path: str
    recent: deque[float] = field(default_factory=deque)

    def strikes(self, line: str, *, taken: bool) -> bool:
        """Return whether this request exceeds the limit; refused requests are not counted."""
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
    """Hold the scheduled faults per vendor and the request log, newest last."""

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
        """Apply ``fault`` to the ``on``-th requests whose "METHOD /path?query" contains ``path``.

        Counting starts at 1 from this call on. Without ``on``, the fault applies to every such
        request, at most ``times`` times. The first rule that applies wins.
        """
        numbers = (on,) if isinstance(on, int) else on
        self._rules.setdefault(vendor, []).append(Rule(fault, numbers, path, times))

    def limit(self, vendor: str, per_second: int, *, path: str = "") -> None:
        """Enforce a rate limit with the vendor's own 429 response."""
        rule = Limit(LIMITS[vendor](), per_second, path)
        self._rules.setdefault(vendor, []).append(rule)

    def clear(self) -> None:
        """Remove all faults and empty the log."""
        self._rules.clear()
        self.log.clear()

    def struck(self, vendor: str, line: str) -> Fault | None:
        """Log the request and return its fault, if any."""
        self.log.setdefault(vendor, deque(maxlen=100_000)).append(line)
        chosen: Fault | None = None
        for rule in self._rules.get(vendor, ()):
            if rule.strikes(line, taken=chosen is not None):
                chosen = rule.fault
        return chosen

    def around(self, vendor: str, app: App) -> App:
        """Wrap ``app`` so that the faults of ``vendor`` apply to it."""

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
