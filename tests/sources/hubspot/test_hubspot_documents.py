"""HubSpot: documents as the contract has them, and one that breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from retention.landing.documents import prepare
from retention.source import Record, Rejected, Stream
from retention.sources.hubspot import SOURCE
from tests.loading import is_whole
from tests.sources.hubspot.crm import HISTORY, Crm, read
from tests.vendor_replay import Answer, Replay, Request, fixture, json_answer


def replayed(pages: list[dict[str, Any]]) -> Replay:
    def vendor(request: Request) -> Answer:
        if request.path.endswith("/search"):
            return json_answer({"total": 0, "results": []})
        if "/associations/" in request.path or request.query["archived"] == "true":
            return json_answer({"results": []})
        return json_answer(pages[1] if "after" in request.query else pages[0])

    return Replay(vendor)


@pytest.mark.parametrize("stream", SOURCE.streams, ids=lambda stream: stream.name)
def test_valid_documents_pass_the_contract_and_the_invalid_one_fails(stream: Stream) -> None:
    with replayed(fixture("hubspot", stream.name)) as server:
        rows = read(server.connection(), HISTORY, stream)
    assert len(rows) == 4
    judged = [prepare(row, stream.record) for row in rows if isinstance(row, Record)]
    assert [is_whole(each) for each in judged] == [True, True, True, False]
    assert all(row.updated_at for row in rows[:3])  # type: ignore[union-attr]


def test_an_invalid_row_is_rejected_and_the_others_are_kept() -> None:
    """A key named twice, a NaN, no id: each costs one row, not the page."""
    rows = b"""{"total": 4, "results": [
        {"id": "1", "updatedAt": "2026-06-30T12:00:00Z"},
        {"id": "2", "name": "a", "name": "b"}, {"id": "3", "x": NaN}, {"id": ""}]}"""

    def vendor(request: Request) -> Answer:
        if request.path.endswith("/search"):
            return json_answer(rows)
        return json_answer({"results": []})

    with Replay(vendor) as server:
        found = read(server.connection())
    assert isinstance(found[0], Record)
    codes = [(row.code, row.record_id) for row in found[1:] if isinstance(row, Rejected)]
    assert codes == [("duplicate_key", "2"), ("not_a_number", "3"), ("missing_key", None)]
    assert '"name": "a", "name": "b"' in found[1].raw  # type: ignore[union-attr]


def test_extra_properties_and_the_goal_object_are_settings() -> None:
    extra = {"properties": {"companies": ["arr_band"]}, "objects": {"goals": "2-77"}}
    with Replay(Crm()) as server:
        read(server.connection(**extra))
        read(server.connection(**extra), stream=SOURCE.stream("goals"))
    assert "arr_band" in server.requests[0].body["properties"]
    assert "/crm/v3/objects/2-77/search" in server.paths()
