"""HubSpot: documents as the contract has them, and one that breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from retention.landing.documents import Prepared, prepare
from retention.source import Record, Rejected, Stream
from retention.sources.hubspot import SOURCE
from tests.sources.hubspot.crm import HISTORY, Crm, read
from tests.vendor_replay import Answer, Asked, Replay, fixture, said


def replayed(pages: list[dict[str, Any]]) -> Replay:
    def vendor(asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            return said({"total": 0, "results": []})
        if "/associations/" in asked.path or asked.query["archived"] == "true":
            return said({"results": []})
        return said(pages[1] if "after" in asked.query else pages[0])

    return Replay(vendor)


@pytest.mark.parametrize("stream", SOURCE.streams, ids=lambda stream: stream.name)
def test_good_documents_keep_the_contract_and_the_ugly_one_does_not(stream: Stream) -> None:
    with replayed(fixture("hubspot", stream.name)) as server:
        rows = read(server.connection(), HISTORY, stream)
    assert len(rows) == 4
    judged = [prepare(row, stream.record) for row in rows if isinstance(row, Record)]
    assert [isinstance(each, Prepared) for each in judged] == [True, True, True, False]
    assert all(row.updated_at for row in rows[:3])  # type: ignore[union-attr]


def test_a_flawed_row_is_rejected_and_its_neighbours_stay() -> None:
    """A key named twice, a NaN, no id: each costs one row, not the page."""
    rows = b"""{"total": 4, "results": [
        {"id": "1", "updatedAt": "2026-06-30T12:00:00Z"},
        {"id": "2", "name": "a", "name": "b"}, {"id": "3", "x": NaN}, {"id": ""}]}"""

    def vendor(asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            return said(rows)
        return said({"results": []})

    with Replay(vendor) as server:
        found = read(server.connection())
    assert isinstance(found[0], Record)
    codes = [(row.code, row.record_id) for row in found[1:] if isinstance(row, Rejected)]
    assert codes == [("duplicate_key", "2"), ("not_a_number", "3"), ("missing_key", None)]
    assert '"name": "a", "name": "b"' in found[1].raw  # type: ignore[union-attr]


def test_more_properties_and_another_goal_object_are_settings() -> None:
    extra = {"properties": {"companies": ["arr_band"]}, "objects": {"goals": "2-77"}}
    with Replay(Crm()) as server:
        read(server.connection(**extra))
        read(server.connection(**extra), stream=SOURCE.stream("goals"))
    assert "arr_band" in server.asked[0].body["properties"]
    assert "/crm/v3/objects/2-77/search" in server.paths()
