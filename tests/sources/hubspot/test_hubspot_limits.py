"""HubSpot: limits are waited for or named, tokens renewed, scopes missed stream by stream."""

from __future__ import annotations

import pytest

from retention.errors import ConfigurationError
from retention.sources.hubspot import SOURCE
from tests.sources.hubspot.crm import Crm, company, fails, ids, read
from tests.vendor_replay import Answer, Replay, Request, json_answer


def limited(policy: str) -> Answer:
    body = {"status": "error", "message": "slow down", "errorType": "RATE_LIMIT"}
    return json_answer(body | {"policyName": policy}, 429)


def test_the_per_second_limit_is_waited_for(waits: list[float]) -> None:
    """B2: SECONDLY passes after one second."""
    with Replay(Crm([company(1)]), {1: limited("SECONDLY")}) as server:
        assert ids(read(server.connection())) == ["1"]
        (wait,) = waits
        assert 0.9 <= wait <= 1.5


def test_the_daily_limit_fails_at_once_with_its_reset_time() -> None:
    """B2: DAILY returns at the portal's midnight; no worker sleeps until then."""
    with Replay(lambda request: limited("DAILY")) as server:
        error = fails(server)
        assert error.code == "rate_limited"
        assert "it resets at 20" in error.message
        assert len(server.requests) == 1


def test_a_time_zone_that_does_not_exist_is_named() -> None:
    with Replay(Crm()) as server, pytest.raises(ConfigurationError, match="Mars/Base"):
        read(server.connection(portal_timezone="Mars/Base"))
    assert server.requests == []


def test_one_missing_scope_fails_only_its_stream() -> None:
    """B4: a forbidden stream names itself; the others are read."""

    def vendor(request: Request) -> Answer:
        return (
            json_answer({"category": "MISSING_SCOPES"}, 403)
            if "tickets" in request.path
            else Crm()(request)
        )

    with Replay(vendor) as server:
        assert fails(server, stream=SOURCE.stream("tickets")).code == "forbidden"
        assert read(server.connection()) == []


def test_an_oauth_token_that_expires_midway_is_renewed() -> None:
    """B4: once, with the refresh token, and the read goes on where it was."""
    crm = Crm([company(n) for n in range(1, 301)])

    def vendor(request: Request) -> Answer:
        if request.path == "/oauth/v1/token":
            assert "refresh_token=again" in request.body
            return json_answer({"access_token": "fresh"})
        expired = request.number > 1 and request.headers["authorization"] != "Bearer fresh"
        return json_answer({"category": "EXPIRED_AUTHENTICATION"}, 401) if expired else crm(request)

    with Replay(vendor) as server:
        oauth = {"refresh_token": "again", "client_id": "id", "client_secret": "hush"}
        assert len(read(server.connection(**oauth))) == 300
        assert server.paths().count("/oauth/v1/token") == 1
