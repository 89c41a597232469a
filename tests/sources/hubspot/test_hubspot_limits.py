"""HubSpot: limits are waited for or named, tokens renewed, scopes missed stream by stream."""

from __future__ import annotations

import pytest

from retention.errors import ConfigurationError
from retention.sources.hubspot import SOURCE
from tests.sources.hubspot.crm import Crm, company, fails, ids, read
from tests.vendor_replay import Answer, Asked, Replay, said


def limited(policy: str) -> Answer:
    body = {"status": "error", "message": "slow down", "errorType": "RATE_LIMIT"}
    return said(body | {"policyName": policy}, 429)


def test_the_limit_of_a_second_is_waited_for() -> None:
    """B2: SECONDLY passes after one second."""
    with Replay(Crm([company(1)]), {1: limited("SECONDLY")}) as server:
        assert ids(read(server.connection())) == ["1"]
        assert 0.9 <= server.times[1] - server.times[0] <= 1.5


def test_the_limit_of_a_day_fails_at_once_and_says_until_when() -> None:
    """B2: DAILY returns at the portal's midnight; no worker sleeps until then."""
    with Replay(lambda asked: limited("DAILY")) as server:
        error = fails(server)
        assert error.code == "rate_limited"
        assert "it returns at 20" in error.message
        assert len(server.asked) == 1


def test_a_time_zone_that_does_not_exist_is_named() -> None:
    with Replay(Crm()) as server, pytest.raises(ConfigurationError, match="Mars/Base"):
        read(server.connection(portal_timezone="Mars/Base"))
    assert server.asked == []


def test_one_missing_scope_fails_only_its_stream() -> None:
    """B4: a forbidden stream names itself; the others are read."""

    def vendor(asked: Asked) -> Answer:
        return (
            said({"category": "MISSING_SCOPES"}, 403) if "tickets" in asked.path else Crm()(asked)
        )

    with Replay(vendor) as server:
        assert fails(server, stream=SOURCE.stream("tickets")).code == "forbidden"
        assert read(server.connection()) == []


def test_an_oauth_token_that_expires_midway_is_renewed() -> None:
    """B4: once, with the refresh token, and the read goes on where it was."""
    crm = Crm([company(n) for n in range(1, 301)])

    def vendor(asked: Asked) -> Answer:
        if asked.path == "/oauth/v1/token":
            assert "refresh_token=again" in asked.body
            return said({"access_token": "fresh"})
        expired = asked.number > 1 and asked.headers["authorization"] != "Bearer fresh"
        return said({"category": "EXPIRED_AUTHENTICATION"}, 401) if expired else crm(asked)

    with Replay(vendor) as server:
        oauth = {"refresh_token": "again", "client_id": "id", "client_secret": "hush"}
        assert len(read(server.connection(**oauth))) == 300
        assert server.paths().count("/oauth/v1/token") == 1
