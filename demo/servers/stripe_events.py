"""Stripe's event feed, derived from the versions of every object: one change, one event."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, NamedTuple

from demo.servers.stripe_shelf import Doc, presented
from demo.servers.views import View

DAYS_KEPT = timedelta(days=30)


class Change(NamedTuple):
    """One event before it is rendered; ordered by time, then by its id."""

    at: datetime
    id: str
    type: str
    stream: str
    before: Doc | None
    doc: Doc


def changes(view: View) -> list[Change]:
    """Every change up to the instant that is at most 30 days old, oldest first."""
    world = view.world
    known = view.memo("stripe changes", lambda: _recent(world, view.instant))
    return known


def _recent(world: Any, instant: datetime) -> list[Change]:
    start = instant - DAYS_KEPT
    found: list[Change] = []
    for (vendor, stream), records in world.records.items():
        if vendor != "stripe":
            continue
        for key, versions in records.items():
            if versions[-1].at < start:
                continue
            for number, version in enumerate(versions):
                if start <= version.at < instant:
                    before = versions[number - 1].doc if number else None
                    found.append(_change(stream, key, number, before, version))
    found.sort(key=lambda change: change[:2])
    return found


def _change(stream: str, key: str, number: int, before: Doc | None, version: Any) -> Change:
    # The number leads, so that two changes of one object in one second keep their order.
    tail = sha256(f"{stream}/{key}/{number}".encode()).hexdigest()[:18]
    kind = event_type(stream, before, version.doc, version.deleted)
    return Change(version.at, f"evt_1{number:05d}{tail}", kind, stream, before, version.doc)


def event_type(stream: str, before: Doc | None, doc: Doc, deleted: bool) -> str:
    """The name Stripe gives to this change."""
    noun = stream.removesuffix("s")
    if stream == "subscriptions":
        ended = doc.get("status") == "canceled" and (before or {}).get("status") != "canceled"
        if before is not None and (ended or deleted):
            return "customer.subscription.deleted"
        return f"customer.subscription.{'updated' if before else 'created'}"
    if stream == "charges" and before is None:
        return f"charge.{doc.get('status', 'succeeded')}"
    if stream == "charges" and doc.get("amount_refunded") != (before or {}).get("amount_refunded"):
        return "charge.refunded"
    if before is None:
        return f"{noun}.created"
    if deleted:
        return f"{noun}.deleted"
    if stream == "invoices":
        return f"invoice.{_invoice_verb(before, doc)}"
    return f"{noun}.updated"


def _invoice_verb(before: Doc, doc: Doc) -> str:
    turned = {
        "open": "finalized",
        "paid": "paid",
        "void": "voided",
        "uncollectible": "marked_uncollectible",
    }
    if doc.get("status") != before.get("status"):
        return turned.get(doc.get("status", ""), "updated")
    tried = doc.get("attempt_count", 0) > before.get("attempt_count", 0)
    return "payment_failed" if tried else "updated"


def matching(view: View, filters: dict[str, Any]) -> tuple[list[tuple[int, str]], list[Change]]:
    """The changes that pass ``type``, ``types`` and ``created``, with their sort keys."""
    wanted = [*filters.get("types", []), *([filters["type"]] if "type" in filters else [])]
    bounds = filters.get("created", {})
    low = max(bounds.get("gte", 0), bounds.get("gt", -1) + 1)
    high = min(bounds.get("lte", 1 << 62), bounds.get("lt", 1 << 62) - 1)

    def select() -> tuple[list[tuple[int, str]], list[Change]]:
        found = [
            change
            for change in changes(view)
            if low <= int(change.at.timestamp()) <= high
            and (not wanted or any(fnmatchcase(change.type, name) for name in wanted))
        ]
        found.sort(key=sort_key)
        return [sort_key(change) for change in found], found

    return view.memo(("stripe events", low, high, tuple(wanted)), select)


def sort_key(change: Change) -> tuple[int, str]:
    """Where an event stands in the list; the list itself goes newest first."""
    return int(change.at.timestamp()), change.id


def rendered(change: Change, api_version: str) -> Doc:
    """The event object."""
    data: Doc = {"object": presented(change.doc, change.stream)}
    if change.before is not None and not change.type.endswith(".deleted"):
        before, after = change.before, change.doc
        names = [k for k in {**before, **after} if before.get(k) != after.get(k)]
        data["previous_attributes"] = {name: before.get(name) for name in sorted(names)}
    return {
        "id": change.id,
        "object": "event",
        "api_version": api_version,
        "created": int(change.at.timestamp()),
        "data": data,
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": change.type,
    }


def find(view: View, event_id: str) -> Change | None:
    """The event of that id, while Stripe still keeps it."""
    known = view.memo("stripe event ids", lambda: sorted((c.id, n) for n, c in enumerate(changes(view))))
    at = bisect_left(known, (event_id, -1))
    if at < len(known) and known[at][0] == event_id:
        return changes(view)[known[at][1]]
    return None
