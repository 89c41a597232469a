"""The clock moves and things go wrong on order."""

from __future__ import annotations

import json
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import stripe

from demo.company.world import World
from demo.servers import fault_schedule
from demo.servers.app import Servers, serve
from demo.servers.http_faults import (
    edited,
    hubspot_limit,
    lagging,
    reset,
    server_error,
    stripe_limit,
    truncated,
    truncated_gzip,
)
from tests.demo.servers.small_world import AS_OF, ask


def test_moving_the_clock_changes_what_the_servers_show(servers: Servers) -> None:
    path = "/crm/v3/objects/companies/search"
    counts = []
    for day in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 30), date(2026, 6, 1)):
        servers.clock.as_of = day
        counts.append(ask(servers, "hubspot", path, json={}).json()["total"])
    assert counts == [0, 24, 249, 24]


class CountingClock:
    """A clock that notes how often it is read."""

    def __init__(self) -> None:
        self.reads = 0

    @property
    def as_of(self) -> date:
        self.reads += 1
        return AS_OF


def test_a_request_looks_at_the_clock_once(world: World) -> None:
    clock = CountingClock()
    update = {"inputs": [{"id": "1001", "properties": {"name": "New"}}]}
    with serve(world, clock) as running:
        ask(running, "hubspot", "/crm/v3/objects/companies/batch/update", json=update)
        ask(running, "hubspot", "/crm/v3/objects/contacts?associations=companies")
        ask(running, "stripe", "/v1/invoices?expand[]=data.customer")
        ask(running, "typeform", "/forms/nps/responses")
    assert clock.reads == 4


def test_faults_strike_the_requests_they_were_ordered_for(servers: Servers) -> None:
    servers.faults.add("hubspot", hubspot_limit("DAILY"), on=2, path="/companies")
    servers.faults.add("hubspot", server_error(502), on=3, path="/companies")
    codes = [ask(servers, "hubspot", "/crm/v3/objects/companies").status_code for _ in range(4)]
    assert codes == [200, 429, 502, 200]
    servers.faults.add("stripe", stripe_limit("lock_timeout"), times=1)
    with pytest.raises(stripe.RateLimitError):
        stripe.StripeClient(
            servers.tokens["stripe"],
            base_addresses={"api": servers.urls["stripe"]},
            max_network_retries=0,
        ).v1.customers.list()
    assert list(servers.faults.log["stripe"]) == ["GET /v1/customers"]


def test_the_daily_limit_says_so(servers: Servers) -> None:
    servers.faults.add("hubspot", hubspot_limit("DAILY"))
    body = ask(servers, "hubspot", "/crm/v3/owners").json()
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "DAILY")


def test_a_rate_limit_refuses_what_is_too_fast(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(fault_schedule, "time", SimpleNamespace(monotonic=lambda: now[0]))
    servers.faults.limit("typeform", 2)
    codes = [ask(servers, "typeform", "/forms").status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    now[0] = 1.0
    assert ask(servers, "typeform", "/forms").status_code == 200


def test_broken_transport_breaks_the_clients_read(servers: Servers) -> None:
    servers.faults.add("stripe", truncated(), on=1)
    servers.faults.add("stripe", reset(), on=2)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(servers, "stripe", "/v1/invoices")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ask(servers, "stripe", "/v1/invoices")
    assert ask(servers, "stripe", "/v1/invoices").status_code == 200
    servers.faults.add("typeform", truncated_gzip())
    cut = ask(servers, "typeform", "/forms")
    assert cut.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        cut.json()


def test_an_edited_answer_and_a_lagging_index(servers: Servers) -> None:
    servers.faults.add("hubspot", edited(lambda page: page | {"total": 9}), on=1)
    body: dict[str, Any] = {"limit": 1}
    path = "/crm/v3/objects/companies/search"
    assert ask(servers, "hubspot", path, json=body).json()["total"] == 9
    servers.clock.as_of = date(2026, 6, 1)
    servers.faults.add("hubspot", lagging(timedelta(hours=4)))
    assert ask(servers, "hubspot", path, json=body).json()["total"] == 20
