"""Stripe: customers, subscriptions and invoices, their state and their changes.

A full load reads the lists, newest first (subscriptions with ``status=all``, to include ended
ones). Lists filter by creation, not by change, so a window reads ids from ``/v1/events`` and
fetches each object again: an event holds the object in the API version of its own day, a fetch in
the version pinned here. Stripe keeps events for 30 days. If the events of a window may have
expired, that is, if Stripe shows no event from before it, everything is listed again.

Objects have no modification time, so the time of a version is that of the last event about it. A
listed object without an event has not changed since the oldest event and gets that event's time:
later than every version from expired events, earlier than every future one. So a listing never
hides a change and never loses to an older one.

Lists inside an object (``invoice.lines``, ``subscription.items``) show ten entries; the rest is
fetched. ``*.deleted`` events delete customers and invoices; for a subscription the event only marks
its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel

from retention.errors import ExtractionError
from retention.http.client import Client
from retention.http.responses import Reply, by_status
from retention.http.retry import Transient
from retention.source import Connection, Record, Rejected, Source, Stream
from retention.sources.contracts import stripe as contract
from retention.sources.extraction import Extraction, Reading, identity, instant
from retention.window import Window

API_VERSION = "2024-06-20"
_PAGE = 100
# Objects become visible some seconds after their creation time.
_OVERLAP = timedelta(hours=1)

Rows = Iterator[tuple[Any, str]]


def extract(connection: Connection, stream: Stream, window: Window) -> Extraction:
    """Yield the objects changed in the window; without a start, all created before its end."""
    client = Client(connection, headers=_headers, refusal=_refusal)
    reading = Reading("stripe", connection, stream, window, client)
    return Extraction(reading, _objects(reading))


def _headers(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}", "Stripe-Version": API_VERSION}


def _refusal(reply: Reply) -> ExtractionError | Transient | None:
    """Classify a refusal by Stripe's own retry header."""
    verdict, found = reply.headers.get("stripe-should-retry"), by_status(reply)
    if verdict == "false" and isinstance(found, Transient):
        return found.error
    if verdict == "true" and isinstance(found, ExtractionError):
        return Transient(found)
    return None


def _objects(reading: Reading) -> Iterator[Record | Rejected]:
    start = reading.window.start
    if start is not None and _events_reach_back_to(reading, start):
        yield from _changed(reading, start)
    else:
        yield from _listed(reading)


def _events_reach_back_to(reading: Reading, start: datetime) -> bool:
    """Return whether an event from before the window still exists, so that none has expired."""
    older = reading.get("/v1/events", {"limit": 1, "created[lt]": _seconds(start)})
    return bool(reading.rows(older, "data"))


def _listed(reading: Reading) -> Iterator[Record | Rejected]:
    """Yield everything created before the window's end, each with the time of its version."""
    touched = _touched(reading, None)
    times = [moment for moment, _ in touched.values() if moment]
    unchanged_since = min(times, default=reading.window.end - reading.stream.overlap)
    asked = {**reading.stream.extra["list"], "created[lt]": _seconds(reading.window.end)}
    for doc, position in _pages(reading, _path(reading), asked):
        changed_at, _ = touched.get(identity(doc) or "", (None, False))
        yield reading.record(_whole(reading, doc), position, changed_at or unchanged_since)
    reading.complete = True


def _changed(reading: Reading, start: datetime) -> Iterator[Record | Rejected]:
    touched = _touched(reading, start)
    for place, (key, (changed_at, gone)) in enumerate(touched.items(), 1):
        position = f"event feed row {place}"
        doc = _fetched(reading, key)
        if doc is None and not gone:
            _require_any(reading)
            reason = "an event refers to it, but Stripe does not return it and no event deleted it"
            yield Rejected("vanished", reason, position, f'{{"id": "{key}"}}', key)
            continue
        shown = {"id": key, "deleted": True} if doc is None else _whole(reading, doc)
        deleted = shown.get("deleted") is True
        yield reading.record(shown, position, changed_at, deleted=deleted)
    reading.control_total = len(touched)


def _require_any(reading: Reading) -> None:
    """Allow single missing objects; raise if a list with known objects is empty or gone."""
    page = reading.get(_path(reading), {"limit": 1, **reading.stream.extra["list"]})
    if not reading.rows(page, "data"):
        raise reading.error("events refer to objects, but their list is empty.", "vanished")


def _touched(reading: Reading, start: datetime | None) -> dict[str, tuple[datetime | None, bool]]:
    """Return the ids in events, each with its last event's time and whether it was deleted."""
    asked = {
        "type": reading.stream.extra["events"],
        "created[lt]": _seconds(reading.window.end),
        **({"created[gte]": _seconds(start)} if start else {}),
    }
    kind = reading.stream.extra["object"]
    touched: dict[str, tuple[datetime | None, bool]] = {}
    for event, _ in _pages(reading, "/v1/events", asked):
        key = _named(event, kind)
        # Events come newest first: the first event of an object is its last change.
        if key is not None and key not in touched:
            gone = event.get("type") == f"{kind}.deleted"
            touched[key] = instant(event.get("created")), gone
    return touched


def _named(event: Any, kind: str) -> str | None:
    """Return the id of the object that the event is about; for a discount, its owner's."""
    subject = (event.get("data") or {}).get("object") if isinstance(event, dict) else None
    if not isinstance(subject, dict):
        return None
    if subject.get("object") == "discount":
        return identity(subject, kind)
    return identity(subject) if subject.get("object") == kind else None


def _fetched(reading: Reading, key: str) -> dict[str, Any] | None:
    try:
        return reading.get(f"{_path(reading)}/{quote(key, safe='')}")
    except ExtractionError as error:
        if error.code == "not_found":
            return None
        raise


def _whole(reading: Reading, doc: Any) -> Any:
    """Return the object with its nested lists complete; raises incomplete_read otherwise."""
    for name, inner in list(doc.items()) if isinstance(doc, dict) else ():
        if isinstance(inner, dict) and inner.get("object") == "list" and inner.get("has_more"):
            doc[name] = _read_on(reading, name, inner)
    return doc


def _read_on(reading: Reading, name: str, inner: dict[str, Any]) -> dict[str, Any]:
    url, entries = str(inner.get("url") or ""), list(reading.rows(inner, "data"))
    last = identity(entries[-1]) if entries else None
    rest = _pages(reading, url, {}, last)
    entries.extend(doc for doc, _ in rest)
    promised = inner.get("total_count")
    if isinstance(promised, int) and len(entries) < promised:
        raise reading.error(f"{len(entries)} of {promised} {name} arrived.", "incomplete_read")
    return {**inner, "data": entries, "has_more": False}


def _pages(reading: Reading, target: str, asked: dict[str, Any], last: str | None = None) -> Rows:
    """Yield every row of a list once, starting after ``last``."""
    seen: set[str] = {last} if last else set()
    more = True
    while more:
        place = {"starting_after": last} if last else {}
        page = reading.get(target, {"limit": _PAGE, **asked, **place})
        rows, promised = reading.rows(page, "data"), page.get("has_more")
        if not isinstance(promised, bool):
            raise reading.error("the page has no has_more.", "bad_body")
        more = promised
        before = len(seen)
        for row, doc in enumerate(rows, 1):
            key = identity(doc)
            if key is None or key not in seen:
                yield doc, reading.at(row)
            seen.update([key] if key else [])
        if more and len(seen) == before:
            code = "pagination_loop" if rows else "incomplete_read"
            raise reading.error("has_more is true, but the page has nothing new.", code)
        last = next((key for doc in reversed(rows) if (key := identity(doc))), last)


def _path(reading: Reading) -> str:
    return f"/v1/{reading.stream.name}"


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _stream(name: str, record: type[BaseModel], events: str, **list_params: str) -> Stream:
    return Stream(
        name=name,
        record=record,
        extract=extract,
        overlap=_OVERLAP,
        deletes="listing",
        extra={"object": name.removesuffix("s"), "events": events, "list": list_params},
    )


SOURCE = Source(
    name="stripe",
    conn_id="stripe_api",
    schedule="0 0 * * *",
    freshness=timedelta(hours=27),
    owner="finance",
    pool="stripe",
    doc=__doc__,
    streams=(
        _stream("customers", contract.Customer, "customer.*"),
        _stream("subscriptions", contract.Subscription, "customer.subscription.*", status="all"),
        _stream("invoices", contract.Invoice, "invoice.*"),
    ),
)
