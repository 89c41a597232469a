"""Stripe: no list is cut short in silence, nested ones neither."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from retention.sources.stripe import SOURCE
from tests.places import ROOT
from tests.sources.stripe.billing import (
    DAY,
    HISTORY,
    START,
    Billing,
    customer,
    event,
    fails,
    ids,
    read,
)
from tests.vendor_replay import Answer, Replay, Request, json_answer


def test_a_load_killed_on_page_3_of_10_commits_nothing(tmp_path: Path) -> None:
    """A10: newest first means the oldest come last; nothing is kept until all have come."""
    billing = Billing([customer(n) for n in range(1000)])
    outcome = tmp_path / "committed"
    with Replay(billing) as server:
        vendor = server.vendor
        code = f"""
            import pathlib, sys
            from retention.source import Connection
            from retention.sources.stripe import SOURCE
            from tests.sources.stripe.billing import HISTORY
            stream = SOURCE.stream("customers")
            rows = list(stream.extract(Connection("s", "{server.url}", "x"), stream, HISTORY))
            pathlib.Path(r"{outcome}").write_text(str(len(rows)))
        """
        command = [sys.executable, "-c", textwrap.dedent(code)]
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}
        running: list[subprocess.Popen[bytes]] = []

        def kill_on_page_3(request: Request) -> Answer:
            if [path for path in server.paths() if path == "/v1/customers"][2:]:
                running[0].send_signal(signal.SIGKILL)
            return vendor(request)

        server.vendor = kill_on_page_3
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        assert running[0].wait(timeout=120) == -signal.SIGKILL
        assert not outcome.exists()
        server.vendor = vendor
        assert len(set(ids(read(server.connection(), HISTORY)))) == 1000


def test_all_23_invoice_lines_are_read_when_10_are_embedded() -> None:
    """A12: the list inside the invoice goes on at its own address."""
    lines = [{"id": f"il_{n}", "object": "line_item"} for n in range(23)]
    url = "/v1/invoices/in_1/lines"
    shown = {
        "object": "list",
        "data": lines[:10],
        "has_more": True,
        "total_count": 23,
        "url": url,
    }
    invoice = {"id": "in_1", "object": "invoice", "created": START, "lines": shown}
    billing = Billing([invoice], [event(1, START + 1, "invoice.created", invoice)])
    billing.nested[url] = lines
    invoices = SOURCE.stream("invoices")
    with Replay(billing) as server:
        for window in (DAY, HISTORY):
            (row,) = read(server.connection(), window, invoices)
            assert [line["id"] for line in row.doc["lines"]["data"]] == [  # type: ignore[union-attr]
                line["id"] for line in lines
            ]
            assert row.doc["lines"]["has_more"] is False  # type: ignore[union-attr]
        billing.nested[url] = lines[:15]
        assert fails(server, stream=invoices).code == "incomplete_read"


def test_further_pages_of_subscription_items_keep_their_query() -> None:
    """A12: that address has a query of its own, which has to survive."""
    items = [{"id": f"si_{n}", "object": "subscription_item"} for n in range(12)]
    url = "/v1/subscription_items"
    shown = {
        "object": "list",
        "data": items[:10],
        "has_more": True,
        "url": f"{url}?subscription=sub_1",
    }
    doc = {"id": "sub_1", "object": "subscription", "created": START, "items": shown}
    billing = Billing([doc])
    billing.nested[url] = items
    with Replay(billing) as server:
        (row,) = read(server.connection(), HISTORY, SOURCE.stream("subscriptions"))
    assert len(row.doc["items"]["data"]) == 12  # type: ignore[union-attr]
    assert server.requests[-1].query["subscription"] == "sub_1"


def test_a_nested_url_of_another_host_gets_no_secret() -> None:
    """G1: an object's own data names where its list goes on."""
    with Replay(lambda request: json_answer({})) as evil:
        shown = {
            "object": "list",
            "data": [{"id": "il_1"}],
            "has_more": True,
            "url": f"{evil.url}/x",
        }
        invoice = {"id": "in_1", "object": "invoice", "created": START, "lines": shown}
        with Replay(Billing([invoice])) as server:
            error = fails(server, HISTORY, SOURCE.stream("invoices"))
        assert error.code == "host_not_allowed"
        assert evil.requests == []


@pytest.mark.parametrize(
    ("data", "code"), [([customer(1)], "pagination_loop"), ([], "incomplete_read")]
)
def test_a_page_with_has_more_and_no_new_rows_is_an_error(
    data: list[dict[str, Any]], code: str
) -> None:
    """A6, A7: has_more is true for ever."""
    page = json_answer({"object": "list", "data": data, "has_more": True})
    with Replay(lambda request: page) as server:
        assert fails(server, HISTORY).code == code
        assert len(server.requests) <= 3


def test_a_page_without_has_more_is_an_error() -> None:
    with Replay(lambda request: json_answer({"object": "list", "data": []})) as server:
        assert fails(server, HISTORY).code == "bad_body"


def test_a_row_on_two_pages_counts_once() -> None:
    """A9: the first row of the next page is the last of the one before."""
    pages = {None: ([3, 2], True), "cus_2": ([2, 1], False)}

    def vendor(request: Request) -> Answer:
        if request.path == "/v1/events":
            return Billing()(request)
        numbers, more = pages[request.query.get("starting_after")]
        return json_answer(
            {"object": "list", "data": [customer(n) for n in numbers], "has_more": more}
        )

    with Replay(vendor) as server:
        assert ids(read(server.connection(), HISTORY)) == ["cus_3", "cus_2", "cus_1"]
