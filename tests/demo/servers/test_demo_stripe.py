"""The official Stripe client reads the Stripe server."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from demo.servers.app import Servers
from tests.demo.servers.small_world import AS_OF, START, SUBSCRIPTIONS, ask, billing_client


def test_the_official_stripe_client_auto_pages_newest_first(servers: Servers) -> None:
    found = list(
        billing_client(servers)
        .v1.subscriptions.list({"status": "all", "limit": 50})
        .auto_paging_iter()
    )
    assert [each.id for each in found] == [f"sub_{n:04d}" for n in reversed(range(SUBSCRIPTIONS))]
    shown = servers.faults.log["stripe"]
    assert len(shown) == 3


def test_canceled_subscriptions_hide_unless_asked_for(servers: Servers) -> None:
    client = billing_client(servers).v1.subscriptions
    live = list(client.list({"limit": 100}).auto_paging_iter())
    canceled = list(client.list({"limit": 100, "status": "canceled"}).auto_paging_iter())
    assert (len(live), len(canceled)) == (90, 30)
    assert {each.status for each in live} == {"active"}
    one = client.list({"customer": "cus_004", "status": "all"})
    assert {each.customer for each in one.data} == {"cus_004"}


def test_created_filters_are_half_open_or_closed_as_asked(servers: Servers) -> None:
    client = billing_client(servers).v1.invoices
    day = int((START + timedelta(days=3)).timestamp())
    assert [i.id for i in client.list({"created": {"gte": day, "lt": day + 86400}}).data] == [
        "in_0003"
    ]
    assert [i.id for i in client.list({"created": {"gt": day, "lte": day + 86400}}).data] == [
        "in_0004"
    ]


def test_paging_backwards_gives_the_page_before(servers: Servers) -> None:
    client = billing_client(servers).v1.invoices
    page = client.list({"limit": 3, "ending_before": "in_0010"})
    assert [each.id for each in page.data] == ["in_0013", "in_0012", "in_0011"]
    assert page.has_more


def test_nested_lists_show_ten_and_page_on_from_their_url(servers: Servers) -> None:
    invoice_shown = billing_client(servers).v1.invoices.retrieve("in_0002")
    assert len(invoice_shown.lines.data) == 10
    assert invoice_shown.lines.has_more
    lines = list(billing_client(servers).v1.invoices.line_items.list("in_0002").auto_paging_iter())
    assert [line.id for line in lines] == [f"il_2_{n}" for n in range(23)]
    owner = billing_client(servers).v1.subscriptions.retrieve("sub_0005")
    assert (len(owner["items"].data), owner["items"].has_more) == (10, True)
    items = billing_client(servers).v1.subscription_items.list({"subscription": "sub_0005"})
    assert len(list(items.auto_paging_iter())) == 23


def test_events_tell_every_change_of_the_last_thirty_days(servers: Servers) -> None:
    found = list(billing_client(servers).v1.events.list({"limit": 100}).auto_paging_iter())
    times = [event.created for event in found]
    assert times == sorted(times, reverse=True)
    assert min(times) >= int((datetime(2026, 7, 1, tzinfo=UTC) - timedelta(days=30)).timestamp())
    paid = billing_client(servers).v1.events.list({"type": "invoice.paid", "limit": 100}).data
    assert len(paid) == 25
    assert paid[0].data.object["status"] == "paid"
    assert paid[0].data.previous_attributes.to_dict() == {"attempt_count": 0, "status": "open"}
    kinds = {event.type for event in found}
    assert {"customer.deleted", "customer.subscription.deleted", "invoice.created"} <= kinds
    one = billing_client(servers).v1.events.retrieve(found[3].id)
    assert one.to_dict() == found[3].to_dict()
    types = ["invoice.created", "customer.deleted"]
    some = billing_client(servers).v1.events.list({"types": types, "limit": 100}).data
    assert {event.type for event in some} == set(types)


def test_events_older_than_thirty_days_are_gone(servers: Servers) -> None:
    servers.clock.as_of = AS_OF + timedelta(days=31)
    found = list(billing_client(servers).v1.events.list({"limit": 100}).auto_paging_iter())
    assert found == []


def test_a_deleted_customer_leaves_the_list_and_answers_deleted(servers: Servers) -> None:
    ids = [each.id for each in billing_client(servers).v1.customers.list().data]
    assert "cus_003" not in ids
    assert len(ids) == 9
    assert billing_client(servers).v1.customers.retrieve("cus_003").deleted


def test_expanding_puts_the_object_in_place_of_its_id(servers: Servers) -> None:
    client = billing_client(servers).v1.invoices
    found = client.list({"limit": 1, "expand": ["data.customer"]}).data[0]
    assert found.customer.email == "billing1@example.com"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.list({"limit": 1, "expand": ["data.flavour"]})


def test_stripe_answers_with_its_own_errors(servers: Servers) -> None:
    client = billing_client(servers).v1
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_x'") as error:
        client.customers.retrieve("cus_x")
    assert (error.value.http_status, error.value.code) == (404, "resource_missing")
    assert error.value.request_id.startswith("req_")
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: colour"):
        client.customers.list({"colour": "red"})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 100"):
        client.customers.list({"limit": 101})
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param"):
        client.subscription_items.list({})  # type: ignore[typeddict-item]
    wrong = stripe.StripeClient("sk_test_wrong", base_addresses={"api": servers.urls["stripe"]})
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        wrong.v1.customers.list()


def test_basic_authentication_and_a_pinned_version_are_accepted(servers: Servers) -> None:
    key = base64.b64encode(f"{servers.tokens['stripe']}:".encode()).decode()
    told = {"authorization": f"Basic {key}", "stripe-version": "2024-06-20"}
    found = ask(servers, "stripe", "/v1/customers", headers=told)
    assert found.status_code == 200
    assert found.headers["stripe-version"] == "2024-06-20"
    wrong = ask(servers, "stripe", "/v1/customers", headers={"stripe-version": "yesterday"})
    assert wrong.status_code == 400
