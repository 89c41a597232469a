"""HubSpot: deleted objects, and associations that say nothing when they move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from retention.source import Record
from retention.sources.hubspot import SOURCE
from retention.window import Window
from tests.sources.hubspot.crm import DAY, HISTORY, Crm, company, fails, ids, read
from tests.vendor_replay import Answer, Replay, Request, json_answer


def test_archived_objects_arrive_as_deleted() -> None:
    """Only those of the window; in history all that HubSpot still shows."""
    crm = Crm([company(1)])
    early = company(8) | {"archived": True, "archivedAt": "2026-05-01T10:00:00.000Z"}
    today = company(9) | {"archived": True, "archivedAt": "2026-06-30T18:00:00.000Z"}
    crm.archived = [early, today]
    with Replay(crm) as server:
        rows = [row for row in read(server.connection()) if isinstance(row, Record)]
        assert [(row.record_id, row.deleted) for row in rows] == [("1", False), ("9", True)]
        assert rows[1].updated_at == datetime(2026, 6, 30, 18, tzinfo=UTC)
        assert ids(read(server.connection(), HISTORY)) == ["1", "8", "9"]


def test_an_association_without_a_new_time_stamp_is_found_within_a_week() -> None:
    """A17: the contact's own time stamp stays; one window of every seven reads the lists."""
    contacts = SOURCE.stream("contacts")
    crm = Crm([company(1, datetime(2026, 1, 1, tzinfo=UTC))])
    crm.links["1"] = ["77"]
    seen = []
    with Replay(crm) as server:
        for day in range(7):
            start = DAY.start + timedelta(days=day) - contacts.overlap  # type: ignore[operator]
            window = Window(start, DAY.end + timedelta(days=day))
            seen += [row.doc for row in read(server.connection(), window, contacts)]  # type: ignore[union-attr]
    assert [doc["associations"]["companies"]["results"][0]["id"] for doc in seen] == ["77"]


def test_a_document_is_the_same_from_the_list_and_from_the_search() -> None:
    """Or every weekly refresh would write a version of everything."""
    contacts = SOURCE.stream("contacts")
    crm = Crm([company(n) for n in range(1, 4)])
    crm.found = lambda body: list(crm.docs.values())  # type: ignore[method-assign]
    crm.links = {"1": ["300", "200"], "3": ["200"]}
    with Replay(crm) as server:
        listed = read(server.connection(), HISTORY, contacts)
        searched = read(server.connection(), DAY, contacts)
    assert [row.doc for row in listed] == [row.doc for row in searched]  # type: ignore[union-attr]
    assert [each["id"] for each in listed[0].doc["associations"]["companies"]["results"]] == [  # type: ignore[union-attr]
        "200",
        "300",
    ]
    assert "associations" not in listed[1].doc  # type: ignore[union-attr]


def test_all_pages_of_associations_are_read() -> None:
    """A12: an object with more associations than one answer holds."""
    pages = {
        None: {"to": [{"toObjectId": 5}], "paging": {"next": {"after": "x"}}},
        "x": {"to": [{"toObjectId": 6, "associationTypes": [{"label": "Primary company"}]}]},
    }

    def vendor(request: Request) -> Answer:
        if "/associations/" not in request.path:
            return Crm([company(1)])(request)
        page = pages[request.body["inputs"][0].get("after")]
        return json_answer({"results": [{"from": {"id": "1"}, **page}]})

    contacts = SOURCE.stream("contacts")
    vendor_of_contacts = Replay(vendor)
    with vendor_of_contacts as server:
        (row,) = read(server.connection(), HISTORY, contacts)
    found = row.doc["associations"]["companies"]["results"]  # type: ignore[union-attr]
    assert [each["id"] for each in found] == ["6", "5"]  # the primary one first


def test_a_failed_association_request_is_an_error() -> None:
    """B3: part of a batch failed, and the status was a good one."""
    failed = {"results": [], "numErrors": 1, "errors": [{"status": "error", "message": "later"}]}
    crm = Crm([company(1)])

    def vendor(request: Request) -> Answer:
        return json_answer(failed, 207) if "/associations/" in request.path else crm(request)

    with Replay(vendor) as server:
        assert fails(server, HISTORY, SOURCE.stream("contacts")).code == "incomplete_read"
