"""Stripe: history is everything that was born before its end."""

from __future__ import annotations

from retention.sources.stripe import API_VERSION, SOURCE
from tests.sources.stripe.billing import (
    CUSTOMERS,
    DAY,
    END,
    HISTORY,
    START,
    Billing,
    at,
    customer,
    event,
    ids,
    read,
)
from tests.vendor_replay import Replay


def test_history_holds_everything_created_before_its_end() -> None:
    billing = Billing([customer(n) for n in range(250)] + [customer(999, END)])
    with Replay(billing) as server:
        extraction = CUSTOMERS.extract(server.connection(), CUSTOMERS, HISTORY)
        assert set(ids(list(extraction))) == {f"cus_{n}" for n in range(250)}
        assert extraction.complete  # type: ignore[attr-defined]


def test_history_of_subscriptions_includes_the_ended_ones() -> None:
    with Replay(Billing()) as server:
        read(server.connection(), HISTORY, SOURCE.stream("subscriptions"))
    (listed,) = [request for request in server.requests if request.path == "/v1/subscriptions"]
    assert listed.query["status"] == "all"
    assert {request.headers["stripe-version"] for request in server.requests} == {API_VERSION}


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
