"""Stripe: changes found by events, objects fetched whole, and no window cut short in silence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ExtractionError
from retention.landing.documents import Prepared, prepare
from retention.sources.base import Connection, Record, Rejected, Stream
from retention.sources.stripe import API_VERSION, SOURCE
from retention.window import Window
from tests.vendor_replay import Answer, Asked, Replay, fixture, said

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

    def __call__(self, asked: Asked) -> Answer:
        if asked.path in self.nested:
            return self.page(asked, self.nested[asked.path])
        if asked.path == "/v1/events":
            prefix = asked.query.get("type", "*").rstrip("*")
            found = [doc for doc in self.events if doc["type"].startswith(prefix)]
            return self.page(asked, self.newest_first(asked, found))
        key = asked.path.rsplit("/", 1)[1]
        if "_" in key:
            doc = self.objects.get(key)
            missing = {"error": {"code": "resource_missing", "message": f"No such: '{key}'"}}
            return said(doc) if doc else said(missing, 404)
        living = [doc for doc in self.objects.values() if not doc.get("deleted")]
        return self.page(asked, self.newest_first(asked, living))

    @staticmethod
    def newest_first(asked: Asked, docs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        low = int(asked.query.get("created[gte]", 0))
        high = int(asked.query.get("created[lt]", 1 << 62))
        found = [doc for doc in docs if low <= doc["created"] < high]
        return sorted(found, key=lambda doc: (doc["created"], doc["id"]), reverse=True)

    @staticmethod
    def page(asked: Asked, docs: list[dict[str, Any]]) -> Answer:
        ids = [doc["id"] for doc in docs]
        start = (
            ids.index(asked.query["starting_after"]) + 1 if "starting_after" in asked.query else 0
        )
        size = int(asked.query["limit"])
        assert size <= 100
        data = docs[start : start + size]
        return said({"object": "list", "data": data, "has_more": start + size < len(docs)})


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


# --- history -------------------------------------------------------------------------------


def test_history_is_everything_born_before_its_end() -> None:
    billing = Billing([customer(n) for n in range(250)] + [customer(999, END)])
    with Replay(billing) as server:
        extraction = CUSTOMERS.extract(server.connection(), CUSTOMERS, HISTORY)
        assert set(ids(list(extraction))) == {f"cus_{n}" for n in range(250)}
        assert extraction.complete  # type: ignore[attr-defined]


def test_history_of_subscriptions_includes_the_ended_ones() -> None:
    with Replay(Billing()) as server:
        read(server.connection(), HISTORY, SOURCE.stream("subscriptions"))
    (listed,) = [asked for asked in server.asked if asked.path == "/v1/subscriptions"]
    assert listed.query["status"] == "all"
    assert {asked.headers["stripe-version"] for asked in server.asked} == {API_VERSION}


def test_a_listing_neither_hides_a_change_nor_loses_to_an_older_one() -> None:
    """The version times: of the last event, else of the oldest event there is."""
    touched, quiet = customer(1), customer(2)
    earlier = event(1, START - 20 * 86400, "customer.updated", customer(3))
    events = [
        earlier,
        event(2, START + 60, "customer.updated", touched),
        event(3, START + 90, "customer.updated", touched),
    ]
    with Replay(Billing([touched, quiet], events)) as server:
        times = {row.record_id: row.updated_at for row in read(server.connection(), HISTORY)}  # type: ignore[union-attr]
        again = {row.record_id: row.updated_at for row in read(server.connection())}  # type: ignore[union-attr]
    assert times == {"cus_1": at(START + 90), "cus_2": at(START - 20 * 86400)}
    assert again["cus_1"] == times["cus_1"]  # so that loading it again is no new version


def test_without_any_event_the_listing_counts_from_before_the_overlap() -> None:
    billing = Billing([customer(1)])
    billing.events = []
    with Replay(billing) as server:
        (row,) = read(server.connection(), HISTORY)
    assert row.updated_at == DAY.end - CUSTOMERS.overlap  # type: ignore[union-attr]


# --- windows -------------------------------------------------------------------------------


def test_a_change_of_an_old_customer_is_found_and_fetched_in_one_shape() -> None:
    """A13: the event speaks the API of its day; the object is fetched in the pinned one."""
    told = customer(1, legacy_field="2019 shape")
    kept = customer(1, name="now")
    with Replay(Billing([kept], [event(1, START + 5, "customer.updated", told)])) as server:
        (row,) = read(server.connection())
    assert row.doc == kept  # type: ignore[union-attr]
    assert row.updated_at == at(START + 5)  # type: ignore[union-attr]


def test_many_events_of_one_object_fetch_it_once_with_the_last_time() -> None:
    events = [event(n, START + n, "customer.updated", customer(n % 7)) for n in range(1, 251)]
    with Replay(Billing([customer(n) for n in range(7)], events)) as server:
        rows = read(server.connection())
        assert len(rows) == 7
        assert len([path for path in server.paths() if path.startswith("/v1/customers/")]) == 7
    assert max(row.updated_at for row in rows) == at(START + 250)  # type: ignore[union-attr, type-var]


def test_the_window_is_half_open() -> None:
    """A9: one second belongs to one day."""
    docs = [customer(n) for n in range(4)]
    edges = [START - 1, START, END - 1, END]
    events = [event(n + 1, second, "customer.updated", docs[n]) for n, second in enumerate(edges)]
    with Replay(Billing(docs, events)) as server:
        assert sorted(ids(read(server.connection()))) == ["cus_1", "cus_2"]  # type: ignore[type-var]


def test_events_that_may_have_expired_bring_a_full_listing() -> None:
    """A11: no event from before the window is left, so no event of it may be: list all again."""
    billing = Billing(
        [customer(1), customer(2)], [event(1, END - 5, "customer.updated", customer(1))]
    )
    billing.events.remove(OLD)  # 31 days have passed
    with Replay(billing) as server:
        extraction = CUSTOMERS.extract(server.connection(), CUSTOMERS, DAY)
        assert sorted(ids(list(extraction))) == ["cus_1", "cus_2"]  # type: ignore[type-var]
        assert extraction.complete  # type: ignore[attr-defined]


def test_a_deleted_customer_is_deleted_and_an_ended_subscription_is_not() -> None:
    gone, ended = customer(1), {"id": "sub_1", "object": "subscription", "status": "canceled"}
    draft = {"id": "in_9", "object": "invoice"}
    events = [
        event(1, START + 1, "customer.updated", gone),
        event(2, START + 2, "customer.deleted", gone),
        event(3, START + 3, "customer.subscription.deleted", ended),
        event(4, START + 4, "invoice.deleted", draft),
    ]
    stub = {"id": "cus_1", "object": "customer", "deleted": True}
    with Replay(Billing([stub, ended], events)) as server:
        (customer_row,) = read(server.connection())
        (subscription,) = read(server.connection(), stream=SOURCE.stream("subscriptions"))
        (invoice,) = read(server.connection(), stream=SOURCE.stream("invoices"))
    assert isinstance(customer_row, Record)
    assert (customer_row.deleted, customer_row.updated_at) == (True, at(START + 2))
    assert isinstance(subscription, Record)
    assert not subscription.deleted
    assert isinstance(invoice, Record)  # a draft vanishes: 404, and an event that says why
    assert invoice.deleted


def test_a_kind_of_object_of_which_none_is_left_is_an_error() -> None:
    events = [event(1, START + 1, "customer.updated", customer(1))]
    with (
        Replay(Billing([], events)) as server,
        pytest.raises(ExtractionError, match="vanished"),
    ):
        read(server.connection())


def test_an_object_that_is_gone_without_a_word_is_kept_for_people_to_see() -> None:
    events = [event(1, START + 1, "customer.updated", customer(1))]
    with Replay(Billing([customer(2)], events)) as server:
        (row,) = read(server.connection())
    assert isinstance(row, Rejected)
    assert (row.code, row.record_id) == ("vanished", "cus_1")


def test_a_discount_concerns_its_customer() -> None:
    discount = {"id": "di_1", "object": "discount", "customer": "cus_1"}
    billing = Billing([customer(1)], [event(1, START, "customer.discount.created", discount)])
    with Replay(billing) as server:
        assert ids(read(server.connection())) == ["cus_1"]


def test_a_window_from_the_future_is_refused() -> None:
    """E4: a poisoned cursor of the year 2999 would silently read nothing for ever."""
    start = datetime(2999, 1, 1, tzinfo=UTC)
    with Replay(Billing()) as server:
        assert fails(server, Window(start, start + timedelta(days=1))).code == "cursor_in_future"


# --- pages ---------------------------------------------------------------------------------


def test_a_load_killed_on_page_3_of_10_has_given_nothing_for_good(tmp_path: Path) -> None:
    """A10: newest first means the oldest come last; nothing is kept until all have come."""
    billing = Billing([customer(n) for n in range(1000)])
    outcome = tmp_path / "committed"
    with Replay(billing) as server:
        vendor = server.vendor
        code = f"""
            import pathlib, sys
            from retention.sources.base import Connection
            from retention.sources.stripe import SOURCE
            from tests.test_stripe import HISTORY
            stream = SOURCE.stream("customers")
            rows = list(stream.extract(Connection("s", "{server.url}", "x"), stream, HISTORY))
            pathlib.Path(r"{outcome}").write_text(str(len(rows)))
        """
        command = [sys.executable, "-c", textwrap.dedent(code)]
        root = Path(__file__).parents[1]
        environment = os.environ | {"PYTHONPATH": f"{root}:{root / 'plugins'}"}
        running: list[subprocess.Popen[bytes]] = []

        def kill_on_page_3(asked: Asked) -> Answer:
            if [path for path in server.paths() if path == "/v1/customers"][2:]:
                running[0].send_signal(signal.SIGKILL)
            return vendor(asked)

        server.vendor = kill_on_page_3
        running.append(subprocess.Popen(command, cwd=root, env=environment))
        assert running[0].wait(timeout=30) == -signal.SIGKILL
        assert not outcome.exists()
        server.vendor = vendor
        assert len(set(ids(read(server.connection(), HISTORY)))) == 1000


def test_23_invoice_lines_arrive_though_10_are_shown() -> None:
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


def test_subscription_items_are_read_on_with_their_query() -> None:
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
    assert server.asked[-1].query["subscription"] == "sub_1"


def test_a_nested_address_elsewhere_gets_no_secret() -> None:
    """G1: an object's own data names where its list goes on."""
    with Replay(lambda asked: said({})) as evil:
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
        assert evil.asked == []


@pytest.mark.parametrize(
    ("data", "code"), [([customer(1)], "pagination_loop"), ([], "incomplete_read")]
)
def test_a_page_that_promises_more_and_brings_nothing_new_is_an_error(
    data: list[dict[str, Any]], code: str
) -> None:
    """A6, A7: has_more is true for ever."""
    page = said({"object": "list", "data": data, "has_more": True})
    with Replay(lambda asked: page) as server:
        assert fails(server, HISTORY).code == code
        assert len(server.asked) <= 3


def test_a_page_that_does_not_say_whether_more_follow_is_an_error() -> None:
    with Replay(lambda asked: said({"object": "list", "data": []})) as server:
        assert fails(server, HISTORY).code == "bad_body"


def test_a_row_on_two_pages_counts_once() -> None:
    """A9: the first row of the next page is the last of the one before."""
    pages = {None: ([3, 2], True), "cus_2": ([2, 1], False)}

    def vendor(asked: Asked) -> Answer:
        if asked.path == "/v1/events":
            return Billing()(asked)
        numbers, more = pages[asked.query.get("starting_after")]
        return said({"object": "list", "data": [customer(n) for n in numbers], "has_more": more})

    with Replay(vendor) as server:
        assert ids(read(server.connection(), HISTORY)) == ["cus_3", "cus_2", "cus_1"]


# --- refusals ------------------------------------------------------------------------------


def test_stripe_says_itself_whether_to_ask_again() -> None:
    """B1: Stripe-Should-Retry beats the status."""
    locked = said({"error": {"code": "lock_timeout"}}, 400, Stripe_Should_Retry="true")
    with Replay(Billing([customer(1)]), {1: locked}) as server:
        assert ids(read(server.connection(), HISTORY)) == ["cus_1"]
    final = said({"error": {"code": "rate_limit"}}, 429, Stripe_Should_Retry="false")
    with Replay(lambda asked: final) as server:
        assert fails(server).code == "rate_limited"
        assert len(server.asked) == 1


def test_a_key_revoked_midway_fails_the_read() -> None:
    """B4: after page one; the error says what and where, never which key."""
    revoked = said({"error": {"message": "Invalid API Key provided"}}, 401)
    with Replay(Billing([customer(n) for n in range(150)]), {3: revoked}) as server:
        error = fails(server, HISTORY)
    assert error.code == "unauthorized"
    assert "page 3" in error.where


# --- documents -----------------------------------------------------------------------------


@pytest.mark.parametrize("stream", SOURCE.streams, ids=lambda stream: stream.name)
def test_good_documents_keep_the_contract_and_the_ugly_one_does_not(stream: Stream) -> None:
    """The ugly ones: a birth "yesterday", a negative price, money that does not exist."""
    pages = fixture("stripe", stream.name)

    def vendor(asked: Asked) -> Answer:
        if asked.path == "/v1/events":
            return Billing()(asked)
        return said(pages[1] if "starting_after" in asked.query else pages[0])

    with Replay(vendor) as server:
        rows = read(server.connection(), HISTORY, stream)
    assert len(rows) == 4
    judged = [prepare(row, stream.record) for row in rows if isinstance(row, Record)]
    assert [isinstance(each, Prepared) for each in judged] == [True, True, True, False]


@pytest.mark.parametrize("amount", [-1, "-0.5", "NaN", True, "much"])
def test_a_price_is_never_negative(amount: Any) -> None:
    page = fixture("stripe", "subscriptions")[0]
    doc = page["data"][0]
    doc["items"]["data"][0]["price"]["unit_amount_decimal"] = amount
    record = Record(doc["id"], doc, at(START), "page 1 row 1")
    judged = prepare(record, SOURCE.stream("subscriptions").record)
    assert isinstance(judged, Rejected)
    assert judged.code == "contract"
