"""Stripe: changes found by events, objects fetched whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from retention.errors import ExtractionError
from retention.source import Record, Rejected
from retention.sources.stripe import SOURCE
from retention.window import Window
from tests.sources.stripe.billing import (
    CUSTOMERS,
    DAY,
    END,
    OLD,
    START,
    Billing,
    at,
    customer,
    event,
    fails,
    ids,
    read,
)
from tests.vendor_replay import Replay


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


def test_possibly_expired_events_cause_a_full_listing() -> None:
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
