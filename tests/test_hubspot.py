"""HubSpot: nothing is lost between the search's wall, its late index and its lists."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from retention.errors import ConfigurationError, ExtractionError
from retention.landing.documents import Prepared, prepare
from retention.sources.base import Connection, Record, Rejected, Stream
from retention.sources.hubspot import SOURCE
from retention.window import Window
from tests.vendor_replay import Answer, Asked, Replay, fixture, said

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
        self.links: dict[str, list[str]] = {}

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            return self.search(asked.body)
        if "/associations/" in asked.path:
            return self.associated(asked.body["inputs"])
        gone = asked.query["archived"] == "true"
        docs = self.archived if gone else [self.docs[key] for key in sorted(self.docs)]
        start, size = int(asked.query.get("after", 0)), int(asked.query["limit"])
        page: dict[str, Any] = {"results": docs[start : start + size]}
        if start + size < len(docs):
            page["paging"] = {"next": {"after": str(start + size)}}
        return said(page)

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
            return said({"status": "error", "message": "beyond 10,000"}, 400)
        found = self.found(body)
        page: dict[str, Any] = {"total": len(found), "results": found[start : start + size]}
        if start + size < len(found):
            page["paging"] = {"next": {"after": str(start + size)}}
        return said(page)

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
        return said({"status": "COMPLETE", "results": results})


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


# --- the wall ------------------------------------------------------------------------------


def test_25000_changes_pass_the_wall_at_10000() -> None:
    """A1: all of them, in no more requests than full pages take."""
    crm = Crm([company(n, NOON + timedelta(seconds=n % 3600)) for n in range(1, 25_001)])
    with Replay(crm) as server:
        extraction = COMPANIES.extract(server.connection(), COMPANIES, DAY)
        assert len(set(ids(list(extraction)))) == 25_000
        assert extraction.control_total == 25_000  # type: ignore[attr-defined]
        assert extraction.requests == len(server.asked) <= 126  # type: ignore[attr-defined]


def test_12000_changes_at_one_instant_do_not_go_round_in_circles() -> None:
    """A2: a bulk edit gives them one time stamp; the ids still tell them apart."""
    with Replay(Crm([company(n) for n in range(1, 12_001)])) as server:
        assert len(set(ids(read(server.connection())))) == 12_000
        assert len(server.asked) < 200


def test_a_change_between_two_pages_loses_nobody() -> None:
    """A3: what changes meanwhile leaves the window; its neighbours keep their place."""
    crm = Crm([company(n) for n in range(1, 501)])

    def vendor(asked: Asked) -> Answer:
        if asked.number == 2:
            crm.docs[7] = company(7, DAY.end + timedelta(hours=1))  # already read
            crm.docs[450] = company(450, DAY.end + timedelta(hours=1))  # not read yet
        return crm(asked)

    with Replay(vendor) as server:
        first = set(ids(read(server.connection())))
        assert first == {str(n) for n in range(1, 501)} - {"450"}
        following = Window(DAY.end, DAY.end + timedelta(days=1))
        assert {"7", "450"} <= set(ids(read(server.connection(), following)))


def test_a_late_index_is_caught_by_the_overlap() -> None:
    """A4: visible 90 s after its own time stamp, behind the cursor; the next load has it."""
    late = company(1, DAY.end - timedelta(seconds=30))
    crm = Crm()
    with Replay(crm) as server:
        assert read(server.connection()) == []
        crm.docs[1] = late
        overlapping = Window(DAY.end - COMPANIES.overlap, DAY.end + timedelta(days=1))
        assert ids(read(server.connection(), overlapping)) == ["1"]
        assert COMPANIES.overlap >= timedelta(minutes=30)


# --- pages that lie ------------------------------------------------------------------------


def list_page(*numbers: int, after: str | None = None) -> Answer:
    page: dict[str, Any] = {"results": [company(n) for n in numbers]}
    return said(page | ({"paging": {"next": {"after": after}}} if after else {}))


@pytest.mark.parametrize("tokens", [("A", "A"), ("A", "B", "A")], ids=["same", "cycle"])
def test_a_list_that_goes_round_is_stopped(tokens: tuple[str, ...]) -> None:
    """A6: whatever the length of the cycle, one repeated token is one too many."""

    def vendor(asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            return said({"total": 99, "results": []})
        return list_page(asked.number, after=tokens[(asked.number - 2) % len(tokens)])

    with Replay(vendor) as server:
        assert fails(server, HISTORY).code == "pagination_loop"
        assert len(server.asked) <= 1 + len(tokens)


def test_a_search_that_ignores_the_last_id_is_stopped() -> None:
    """A6: the same page again brings nothing new."""
    page = said({"total": 400, "results": [company(n) for n in range(1, 201)]})
    with Replay(lambda asked: page) as server:
        assert fails(server).code == "pagination_loop"
        assert len(server.asked) <= 3


def test_a_list_shorter_than_its_total_is_no_success() -> None:
    """A7: the pages end early and say nothing; the count does not agree."""

    def vendor(asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            return said({"total": 250, "results": []})
        return list_page(*range(1, 101))

    with Replay(vendor) as server:
        assert fails(server, HISTORY).code == "incomplete_read"


def test_a_search_shorter_than_its_total_is_no_success() -> None:
    """A7: `total` says 1,679, 545 come, and no token promises more."""

    def vendor(asked: Asked) -> Answer:
        last = int(Crm.filters(asked.body)[2]["value"])
        docs = [company(n) for n in range(last + 1, min(last + 200, 545) + 1)]
        return said({"total": 1679 - last, "results": docs})

    with Replay(vendor) as server:
        assert fails(server).code == "incomplete_read"


def test_an_empty_page_with_more_behind_it_is_passed() -> None:
    """A8: in a search and in a list alike."""
    crm = Crm([company(n) for n in range(1, 4)])
    empty = said({"total": 3, "results": [], "paging": {"next": {"after": "0"}}})
    with Replay(crm, {1: empty}) as server:
        assert ids(read(server.connection())) == ["1", "2", "3"]
    with Replay(crm, {2: empty}) as server:
        assert ids(read(server.connection(), HISTORY)) == ["1", "2", "3"]


def test_a_row_repeated_on_the_next_page_counts_once() -> None:
    """A9: an inclusive boundary shows the last row twice."""

    def vendor(asked: Asked) -> Answer:
        if asked.path.endswith("/search"):
            return said({"total": 3, "results": []})
        if asked.query["archived"] == "true":
            return list_page()
        return list_page(2, 3) if "after" in asked.query else list_page(1, 2, after="2")

    with Replay(vendor) as server:
        assert ids(read(server.connection(), HISTORY)) == ["1", "2", "3"]


def test_a_search_that_repeats_the_last_row_counts_it_once() -> None:
    """A9: "greater than" that means "from" does not send it round either."""
    crm = Crm([company(n) for n in range(1, 302)])
    found = crm.found
    crm.found = lambda body: [  # type: ignore[method-assign]
        *[crm.docs[n] for n in [int(Crm.filters(body)[2]["value"])] if n in crm.docs],
        *found(body),
    ]
    with Replay(crm) as server:
        assert ids(read(server.connection())) == [str(n) for n in range(1, 302)]


def test_a_page_without_results_is_no_empty_page() -> None:
    """B3: a good status and the wrong envelope."""
    with Replay(lambda asked: said({"total": 0})) as server:
        assert fails(server).code == "bad_body"


# --- windows -------------------------------------------------------------------------------


def test_the_window_goes_to_the_vendor() -> None:
    """Both ends, half-open, and the property that contacts call by another name."""
    contacts = SOURCE.stream("contacts")
    with Replay(Crm()) as server:
        read(server.connection(), stream=contacts)
        first, second, _ = Crm.filters(server.asked[0].body)
    assert first == {
        "propertyName": "lastmodifieddate",
        "operator": "GTE",
        "value": str(millis("2026-06-30T00:00:00Z")),
    }
    assert (second["operator"], second["value"]) == ("LT", str(millis("2026-07-01T00:00:00Z")))


def test_history_leaves_what_was_born_after_it() -> None:
    young = company(2) | {"createdAt": stamp(DAY.end)}
    with Replay(Crm([company(1), young])) as server:
        extraction = COMPANIES.extract(server.connection(), COMPANIES, HISTORY)
        assert ids(list(extraction)) == ["1"]
        assert extraction.complete  # type: ignore[attr-defined]


def test_a_window_from_the_future_is_refused() -> None:
    """E4: a poisoned cursor of the year 2999 would silently read nothing for ever."""
    start = datetime(2999, 1, 1, tzinfo=UTC)
    with Replay(Crm()) as server:
        assert fails(server, Window(start, start + timedelta(days=1))).code == "cursor_in_future"


# --- deletes and associations --------------------------------------------------------------


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


def test_an_association_that_moves_nothing_is_seen_within_a_week() -> None:
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


def test_associations_beyond_one_page_are_read_on() -> None:
    """A12: an object with more associations than one answer holds."""
    pages = {
        None: {"to": [{"toObjectId": 5}], "paging": {"next": {"after": "x"}}},
        "x": {"to": [{"toObjectId": 6, "associationTypes": [{"label": "Primary company"}]}]},
    }

    def vendor(asked: Asked) -> Answer:
        if "/associations/" not in asked.path:
            return Crm([company(1)])(asked)
        page = pages[asked.body["inputs"][0].get("after")]
        return said({"results": [{"from": {"id": "1"}, **page}]})

    contacts = SOURCE.stream("contacts")
    vendor_of_contacts = Replay(vendor)
    with vendor_of_contacts as server:
        (row,) = read(server.connection(), HISTORY, contacts)
    found = row.doc["associations"]["companies"]["results"]  # type: ignore[union-attr]
    assert [each["id"] for each in found] == ["6", "5"]  # the primary one first


def test_a_failed_association_is_no_missing_association() -> None:
    """B3: part of a batch failed, and the status was a good one."""
    failed = {"results": [], "numErrors": 1, "errors": [{"status": "error", "message": "later"}]}
    crm = Crm([company(1)])

    def vendor(asked: Asked) -> Answer:
        return said(failed, 207) if "/associations/" in asked.path else crm(asked)

    with Replay(vendor) as server:
        assert fails(server, HISTORY, SOURCE.stream("contacts")).code == "incomplete_read"


# --- limits and tokens ---------------------------------------------------------------------


def limited(policy: str) -> Answer:
    body = {"status": "error", "message": "slow down", "errorType": "RATE_LIMIT"}
    return said(body | {"policyName": policy}, 429)


def test_the_limit_of_a_second_is_waited_for() -> None:
    """B2: SECONDLY passes after one second."""
    with Replay(Crm([company(1)]), {1: limited("SECONDLY")}) as server:
        assert ids(read(server.connection())) == ["1"]
        assert 0.9 <= server.times[1] - server.times[0] <= 1.5


def test_the_limit_of_a_day_fails_at_once_and_says_until_when() -> None:
    """B2: DAILY returns at the portal's midnight; no worker sleeps until then."""
    with Replay(lambda asked: limited("DAILY")) as server:
        error = fails(server)
        assert error.code == "rate_limited"
        assert "it returns at 20" in error.message
        assert len(server.asked) == 1


def test_a_time_zone_that_does_not_exist_is_named() -> None:
    with Replay(Crm()) as server, pytest.raises(ConfigurationError, match="Mars/Base"):
        read(server.connection(portal_timezone="Mars/Base"))
    assert server.asked == []


def test_one_missing_scope_fails_only_its_stream() -> None:
    """B4: a forbidden stream names itself; the others are read."""

    def vendor(asked: Asked) -> Answer:
        return (
            said({"category": "MISSING_SCOPES"}, 403) if "tickets" in asked.path else Crm()(asked)
        )

    with Replay(vendor) as server:
        assert fails(server, stream=SOURCE.stream("tickets")).code == "forbidden"
        assert read(server.connection()) == []


def test_an_oauth_token_that_expires_midway_is_renewed() -> None:
    """B4: once, with the refresh token, and the read goes on where it was."""
    crm = Crm([company(n) for n in range(1, 301)])

    def vendor(asked: Asked) -> Answer:
        if asked.path == "/oauth/v1/token":
            assert "refresh_token=again" in asked.body
            return said({"access_token": "fresh"})
        expired = asked.number > 1 and asked.headers["authorization"] != "Bearer fresh"
        return said({"category": "EXPIRED_AUTHENTICATION"}, 401) if expired else crm(asked)

    with Replay(vendor) as server:
        oauth = {"refresh_token": "again", "client_id": "id", "client_secret": "hush"}
        assert len(read(server.connection(**oauth))) == 300
        assert server.paths().count("/oauth/v1/token") == 1


# --- documents -----------------------------------------------------------------------------


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
