"""HubSpot: pages that go round, lie or repeat are no success."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sources.hubspot.crm import HISTORY, Crm, company, fails, ids, read
from tests.vendor_replay import Answer, Asked, Replay, said


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
