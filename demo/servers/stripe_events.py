"""Serve Stripe's events of the last 30 days, newest first, filtered by type and time."""

from __future__ import annotations

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from demo.servers.stripe_store import Doc, Key, bounds, presented
from demo.servers.views import View

KEPT = timedelta(days=30)
STREAMS = {"line_item": "", "subscription": "subscriptions", "invoice": "invoices"}


class Feed:
    """The events that Stripe still shows at one instant.

    A key is the second and the position, so events of one second keep their order.
    """

    def __init__(self, view: View) -> None:
        start = view.instant - KEPT
        versions = view.visible("stripe", "events").values()
        docs = [version.doc for version in versions if version.at >= start]
        docs.sort(key=lambda doc: doc["created"])
        self.docs = docs
        self.keys: list[Key] = [(doc["created"], f"{n:09d}") for n, doc in enumerate(docs)]
        self.places = {doc["id"]: place for place, doc in enumerate(docs)}


def feed(view: View) -> Feed:
    """Return the feed at this instant, built once."""
    return view.memo("stripe feed", lambda: Feed(view))


def matching(view: View, params: dict[str, Any]) -> tuple[list[Key], list[Doc]]:
    """Return the events that match ``type``, ``types`` and ``created``, oldest first, with keys."""
    wanted = (*params.get("types", ()), *([params["type"]] if "type" in params else ()))
    low, high = bounds(params.get("created", {}))

    def select() -> tuple[list[Key], list[Doc]]:
        known = feed(view)
        found = [
            place
            for place, doc in enumerate(known.docs)
            if low <= doc["created"] <= high
            and (not wanted or any(fnmatchcase(doc["type"], name) for name in wanted))
        ]
        return [known.keys[place] for place in found], [known.docs[place] for place in found]

    return view.memo(("stripe events", low, high, wanted), select)


def shown(event: Doc) -> Doc:
    """Shorten the lists inside the event's object, as Stripe does."""
    subject = event["data"]["object"]
    cut = presented(subject, STREAMS.get(subject.get("object", ""), ""))
    return event if cut is subject else {**event, "data": {**event["data"], "object": cut}}
