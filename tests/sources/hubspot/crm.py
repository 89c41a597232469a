"""A CRM of HubSpot's shape that answers as told."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from retention.errors import ExtractionError
from retention.source import Connection, Record, Rejected, Stream
from retention.sources.hubspot import SOURCE
from retention.window import Window
from tests.vendor_replay import Answer, Replay, Request, json_answer

DAY = Window(datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))  # a Tuesday

HISTORY = Window(None, DAY.end)
COMPANIES = SOURCE.stream("companies")
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@cache
def millis(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def company(number: int, changed: datetime = NOON, **properties: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "properties": {"name": f"Company {number}", "createdate": stamp(changed), **properties},
        "createdAt": "2025-01-01T00:00:00.000Z",
        "updatedAt": stamp(changed),
        "archived": False,
    }


class Crm:
    """A small CRM: a search that refuses its 10,000th hit, lists, archive, associations."""

    def __init__(self, docs: list[dict[str, Any]] = ()) -> None:  # type: ignore[assignment]
        self.docs = {int(doc["id"]): doc for doc in docs}
        self.archived: list[dict[str, Any]] = []
        self.vanished: set[str] = set()  # archived between the list and the batch read
        self.links: dict[str, list[str]] = {}

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/search"):
            return self.search(request.body)
        if "/associations/" in request.path:
            return self.associated(request.body["inputs"])
        if request.path.endswith("/batch/read"):
            return self.batch(request)
        if len(request.query.get("properties", "")) > 16_000:
            return Answer(b"<html>414 Request-URI Too Large</html>", 414)
        gone = request.query["archived"] == "true"
        docs = self.archived if gone else [self.docs[key] for key in sorted(self.docs)]
        start, size = int(request.query.get("after", 0)), int(request.query["limit"])
        page: dict[str, Any] = {"results": docs[start : start + size]}
        if start + size < len(docs):
            page["paging"] = {"next": {"after": str(start + size)}}
        return json_answer(page)

    def batch(self, request: Request) -> Answer:
        """Answer a batch read: in any order, without what is gone."""
        wanted = {each["id"] for each in request.body["inputs"]}
        assert len(wanted) <= 100
        gone = request.query["archived"] == "true"
        docs = self.archived if gone else [self.docs[key] for key in sorted(self.docs)]
        found = [doc for doc in docs if doc["id"] in wanted and doc["id"] not in self.vanished]
        values = dict.fromkeys(request.body["properties"], "asked")
        results = [doc | {"properties": values | doc["properties"]} for doc in found[::-1]]
        errors = [{"category": "OBJECT_NOT_FOUND", "message": "gone"}] if self.vanished else []
        status = 207 if errors else 200
        return json_answer({"status": "COMPLETE", "results": results, "errors": errors}, status)

    def found(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        rules = {rule["operator"]: int(rule["value"]) for rule in self.filters(body)}
        low, high = rules.get("GTE", 0), rules.get("LT", 1 << 62)
        last = rules.get("GT", -1)
        keys = sorted(self.docs)
        beyond = (self.docs[key] for key in keys[bisect_right(keys, last) :])
        return [doc for doc in beyond if low <= millis(doc["updatedAt"]) < high]

    @staticmethod
    def filters(body: dict[str, Any]) -> list[dict[str, str]]:
        return [rule for group in body["filterGroups"] for rule in group["filters"]]

    def search(self, body: dict[str, Any]) -> Answer:
        start, size = int(body.get("after", 0)), body["limit"]
        if start + size > 10_000 or size > 200:
            return json_answer({"status": "error", "message": "beyond 10,000"}, 400)
        found = self.found(body)
        page: dict[str, Any] = {"total": len(found), "results": found[start : start + size]}
        if start + size < len(found):
            page["paging"] = {"next": {"after": str(start + size)}}
        return json_answer(page)

    def associated(self, inputs: list[dict[str, str]]) -> Answer:
        assert len(inputs) <= 1000
        kind = {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}
        results = [
            {
                "from": {"id": each["id"]},
                "to": [{"toObjectId": int(to), "associationTypes": [kind]} for to in others],
            }
            for each in inputs
            if (others := self.links.get(each["id"]))
        ]
        return json_answer({"status": "COMPLETE", "results": results})


def read(
    connection: Connection, window: Window = DAY, stream: Stream = COMPANIES
) -> list[Record | Rejected]:
    return list(stream.extract(connection, stream, window))


def fails(server: Replay, window: Window = DAY, stream: Stream = COMPANIES) -> ExtractionError:
    with pytest.raises(ExtractionError) as caught:
        read(server.connection(), window, stream)
    assert f"hubspot/{stream.name} {window} page" in caught.value.where
    return caught.value


def ids(rows: list[Record | Rejected]) -> list[str | None]:
    return [row.record_id for row in rows]
