"""Data faults that the servers inject into one day."""

from __future__ import annotations

from datetime import date

import pytest

from demo.servers.app import Servers
from tests.demo.servers.small_world import ask, billing_client, responses


def test_data_faults_change_the_records_of_a_day_until_switched_off(servers: Servers) -> None:
    servers.clock.as_of = date(2026, 6, 3)
    kinds = ("nps_eleven", "negative_price", "vanished:stripe/invoices", "emptied:hubspot/contacts")
    servers.data_faults.switch_on(date(2026, 6, 3), kinds)
    scores = [r["answers"][0]["number"] for r in responses(servers, "page_size=500")["items"]]
    assert (scores[:144], set(scores[144:])) == ([11] * 144, set(range(11)))
    client = billing_client(servers).v1
    priced = client.subscriptions.list({"limit": 5, "status": "all"}).data
    amounts = [each["items"].data[0].price.unit_amount for each in priced]
    assert amounts == [-4900, -4900, -4900, -4900, 4900]
    assert ask(servers, "stripe", "/v1/invoices").status_code == 404
    assert ask(servers, "hubspot", "/crm/v3/objects/contacts").json() == {"results": []}
    servers.clock.as_of = date(2026, 6, 2)
    assert ask(servers, "stripe", "/v1/invoices").status_code == 200
    servers.clock.as_of = date(2026, 6, 3)
    servers.data_faults.switch_off()
    assert (
        max(r["answers"][0]["number"] for r in responses(servers, "page_size=500")["items"]) == 10
    )


def test_a_data_fault_can_be_limited_to_a_few_records(servers: Servers) -> None:
    servers.clock.as_of = date(2026, 6, 3)
    servers.data_faults.switch_on(date(2026, 6, 3), ("nps_eleven*2", "inflated_prices*1"))
    scores = [r["answers"][0]["number"] for r in responses(servers, "page_size=500")["items"]]
    assert scores.count(11) == 2
    found = billing_client(servers).v1.subscriptions.list({"limit": 50, "status": "all"}).data
    assert [each["items"].data[0].price.unit_amount for each in found].count(4_900_000) == 1


def test_a_quiet_day_is_made_bad_by_a_change_of_its_own(servers: Servers) -> None:
    day = date(2026, 6, 30)
    servers.data_faults.switch_on(day, ("nps_eleven",))
    newest = responses(servers, "")["items"][0]
    assert newest["answers"][0]["number"] == 11
    assert newest["submitted_at"].startswith("2026-06-30")
    with pytest.raises(ValueError, match="unknown data fault"):
        servers.data_faults.switch_on(day, ("arsenic",))
