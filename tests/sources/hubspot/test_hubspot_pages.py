"""HubSpot: pages that go round, lie or repeat are no success."""

from __future__ import annotations

from typing import Any

import pytest

from retention.errors import ExtractionError
from tests.sources.hubspot.crm import HISTORY, Crm, company, fails, ids, read
from tests.vendor_replay import Answer, Replay, Request, json_answer


def list_page(*numbers: int, after: str | None = None) -> Answer:
    page: dict[str, Any] = {"results": [company(n) for n in numbers]}
    return json_answer(page | ({"paging": {"next": {"after": after}}} if after else {}))


@pytest.mark.parametrize("tokens", [("A", "A"), ("A", "B", "A")], ids=["same", "cycle"])
def test_a_list_with_a_cycle_of_tokens_is_stopped(tokens: tuple[str, ...]) -> None:
    """A6: whatever the length of the cycle, one repeated token is one too many."""

    def vendor(request: Request) -> Answer:
        if request.path.endswith("/search"):
            return json_answer({"total": 99, "results": []})
        return list_page(request.number, after=tokens[(request.number - 2) % len(tokens)])

    with Replay(vendor) as server:
        assert fails(server, HISTORY).code == "pagination_loop"
        assert len(server.requests) <= 1 + len(tokens)


def test_a_list_that_repeats_its_rows_under_new_tokens_is_stopped() -> None:
    """A6: every token is new, and no row is."""

    def vendor(request: Request) -> Answer:
        if request.path.endswith("/search"):
            return json_answer({"total": 99, "results": []})
        return list_page(1, 2, after=f"token {request.number}")

    with Replay(vendor) as server:
        assert fails(server, HISTORY).code == "pagination_loop"
        assert len(server.requests) <= 25


def test_a_search_that_ignores_the_last_id_is_stopped() -> None:
    """A6: the same page again brings nothing new."""
    page = json_answer({"total": 400, "results": [company(n) for n in range(1, 201)]})
    with Replay(lambda request: page) as server:
        assert fails(server).code == "pagination_loop"
        assert len(server.requests) <= 3


def test_a_list_shorter_than_its_total_fails() -> None:
    """A7: the pages end early and say nothing; the count does not agree."""

    def vendor(request: Request) -> Answer:
        if request.path.endswith("/search"):
            return json_answer({"total": 250, "results": []})
        return list_page(*range(1, 101))

    with Replay(vendor) as server:
        assert fails(server, HISTORY).code == "incomplete_read"


def test_a_search_shorter_than_its_total_fails() -> None:
    """A7: `total` says 1,679, 545 come, and no token promises more."""

    def vendor(request: Request) -> Answer:
        last = int(Crm.filters(request.body)[2]["value"])
        docs = [company(n) for n in range(last + 1, min(last + 200, 545) + 1)]
        return json_answer({"total": 1679 - last, "results": docs})

    with Replay(vendor) as server:
        assert fails(server).code == "incomplete_read"


def test_an_empty_page_before_the_last_one_is_skipped() -> None:
    """A8: in a search and in a list alike."""
    crm = Crm([company(n) for n in range(1, 4)])
    empty = json_answer({"total": 3, "results": [], "paging": {"next": {"after": "0"}}})
    with Replay(crm, {1: empty}) as server:
        assert ids(read(server.connection())) == ["1", "2", "3"]
    with Replay(crm, {2: empty}) as server:
        assert ids(read(server.connection(), HISTORY)) == ["1", "2", "3"]


def test_a_row_repeated_on_the_next_page_counts_once() -> None:
    """A9: an inclusive boundary shows the last row twice."""

    def vendor(request: Request) -> Answer:
        if request.path.endswith("/search"):
            return json_answer({"total": 3, "results": []})
        if request.query["archived"] == "true":
            return list_page()
        return list_page(2, 3) if "after" in request.query else list_page(1, 2, after="2")

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


MANY = {"properties": {"companies": [f"custom_property_number_{n:04d}" for n in range(900)]}}


def test_more_properties_than_a_url_holds_are_read_in_batches() -> None:
    """HTTP 414: the names go into the body of a batch read, 100 objects at a time."""
    crm = Crm([company(n) for n in range(1, 251)])
    crm.archived = [company(300) | {"archivedAt": "2026-06-30T11:00:00Z"}]
    with Replay(crm) as server:
        rows = read(server.connection(**MANY), HISTORY)
    assert ids(rows) == [*(str(n) for n in range(1, 251)), "300"]
    for row in rows:
        assert row.doc["properties"]["custom_property_number_0899"] == "asked"  # type: ignore[union-attr]
    assert rows[0].doc["properties"]["name"] == "Company 1"  # type: ignore[union-attr]
    assert rows[-1].deleted  # type: ignore[union-attr]
    batches = [path for path in server.paths() if path.endswith("/batch/read")]
    assert len(batches) == 4


def test_few_properties_are_read_with_the_list() -> None:
    with Replay(Crm([company(1)])) as server:
        read(server.connection(), HISTORY)
    assert not [path for path in server.paths() if path.endswith("/batch/read")]


def test_an_object_that_vanishes_before_the_batch_read_is_passed() -> None:
    crm = Crm([company(n) for n in range(1, 201)])
    crm.vanished = {"7"}
    with Replay(crm) as server:
        assert len(read(server.connection(**MANY), HISTORY)) == 199


def test_a_batch_read_that_lacks_objects_is_no_success() -> None:
    crm = Crm([company(n) for n in range(1, 4)])
    short = json_answer({"status": "COMPLETE", "results": [company(1)]})
    with (
        Replay(crm, {3: short}) as server,
        pytest.raises(ExtractionError, match="lacks 2 of 3") as caught,
    ):
        read(server.connection(**MANY), HISTORY)
    assert caught.value.code == "incomplete_read"


def test_a_page_without_a_results_field_is_an_error() -> None:
    """B3: a good status and the wrong envelope."""
    with Replay(lambda request: json_answer({"total": 0})) as server:
        assert fails(server).code == "bad_body"
