"""A biller of Stripe's shape that answers as told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from retention.errors import ExtractionError
from retention.source import Connection, Record, Rejected, Stream
from retention.sources.stripe import SOURCE
from retention.window import Window
from tests.vendor_replay import Answer, Replay, Request, json_answer

DAY = Window(datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
HISTORY = Window(None, DAY.end)
CUSTOMERS = SOURCE.stream("customers")
START = int(DAY.start.timestamp())  # type: ignore[union-attr]

END = int(DAY.end.timestamp())


def customer(number: int, created: int = START - 90 * 86400, **fields: Any) -> dict[str, Any]:
    return {"id": f"cus_{number}", "object": "customer", "created": created, **fields}


def event(number: int, created: int, kind: str, subject: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2019-12-03",
        "created": created,
        "type": kind,
        "data": {"object": subject},
    }


OLD = event(0, START - 86400, "invoice.paid", {"id": "in_0", "object": "invoice"})


class Billing:
    """A small Stripe: lists newest first, an event feed, objects by id, nested lists."""

    def __init__(
        self,
        objects: list[dict[str, Any]] = (),
        events: list[dict[str, Any]] = (),  # type: ignore[assignment]
    ) -> None:
        self.objects = {doc["id"]: doc for doc in objects}
        self.events = [OLD, *events]
        self.nested: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, request: Request) -> Answer:
        if request.path in self.nested:
            return self.page(request, self.nested[request.path])
        if request.path == "/v1/events":
            prefix = request.query.get("type", "*").rstrip("*")
            found = [doc for doc in self.events if doc["type"].startswith(prefix)]
            return self.page(request, self.newest_first(request, found))
        key = request.path.rsplit("/", 1)[1]
        if "_" in key:
            doc = self.objects.get(key)
            missing = {"error": {"code": "resource_missing", "message": f"No such: '{key}'"}}
            return json_answer(doc) if doc else json_answer(missing, 404)
        living = [doc for doc in self.objects.values() if not doc.get("deleted")]
        return self.page(request, self.newest_first(request, living))

    @staticmethod
    def newest_first(request: Request, docs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        low = int(request.query.get("created[gte]", 0))
        high = int(request.query.get("created[lt]", 1 << 62))
        found = [doc for doc in docs if low <= doc["created"] < high]
        return sorted(found, key=lambda doc: (doc["created"], doc["id"]), reverse=True)

    @staticmethod
    def page(request: Request, docs: list[dict[str, Any]]) -> Answer:
        ids = [doc["id"] for doc in docs]
        start = (
            ids.index(request.query["starting_after"]) + 1
            if "starting_after" in request.query
            else 0
        )
        size = int(request.query["limit"])
        assert size <= 100
        data = docs[start : start + size]
        return json_answer({"object": "list", "data": data, "has_more": start + size < len(docs)})


def read(
    connection: Connection, window: Window = DAY, stream: Stream = CUSTOMERS
) -> list[Record | Rejected]:
    return list(stream.extract(connection, stream, window))


def fails(server: Replay, window: Window = DAY, stream: Stream = CUSTOMERS) -> ExtractionError:
    with pytest.raises(ExtractionError) as caught:
        read(server.connection(), window, stream)
    assert f"stripe/{stream.name} {window} page" in caught.value.where
    return caught.value


def ids(rows: list[Record | Rejected]) -> list[str | None]:
    return [row.record_id for row in rows]


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
