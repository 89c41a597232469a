"""Secrets in the HTTP client: sent to the pinned host only, and never in an error."""

from __future__ import annotations

import pytest

from retention.errors import ConfigurationError, ExtractionError
from retention.http.client import Client
from retention.source import Connection
from tests.http.things_server import client_of, fails_with, things
from tests.vendor_replay import SECRET, Answer, Replay, json_answer

FOREIGN = {
    "other host": "http://127.0.0.2:{port}/next",
    "other port": "http://127.0.0.1:1/next",
    "other scheme": "https://127.0.0.1:{port}/next",
    "user info": "http://127.0.0.1:{port}@127.0.0.2:{port}/next",
    "secret in user info": "http://me:you@127.0.0.1:{port}/next",
    "protocol relative": "//127.0.0.2:{port}/next",
    "look-alike suffix": "http://127.0.0.1.evil.example:{port}/next",
    "IPv6": "http://[::1]:{port}/next",
    "file": "file:///etc/passwd",
    "backslash": "http://127.0.0.1:{port}\\@127.0.0.2/next",
    "backslash path": "/\\127.0.0.2:{port}/next",
    "line end": "/next\r\nHost: evil",
}


@pytest.mark.parametrize("link", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_link_to_another_host_is_rejected(link: str) -> None:
    """The link is rejected before any connection: the other listener receives nothing."""
    with Replay(things) as home, Replay(things) as evil, client_of(home) as client:
        port = evil.url.rsplit(":", 1)[1]
        with pytest.raises(ExtractionError) as caught:
            client.get(link.format(port=port))
        assert caught.value.code == "host_not_allowed"
        assert evil.requests == [] == home.requests


def test_a_link_to_the_same_host_is_followed() -> None:
    with Replay(things) as home, client_of(home) as client:
        assert client.get(f"{home.url}/things?after=3")["things"]
        assert home.requests[0].query == {"after": "3"}
        assert home.requests[0].headers["x-api-token"] == SECRET


def test_a_redirect_is_never_followed() -> None:
    """Neither to another host nor to the same one: the token header is not sent."""
    with Replay(things) as evil:
        away = Answer(status=302, headers={"Location": f"{evil.url}/next"})
        with Replay(lambda request: away) as home:
            fails_with("redirect_refused", home)
            assert len(home.requests) == 1
        assert evil.requests == []


def test_plain_http_is_rejected_except_on_the_loopback_interface() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(Connection("x_api", "http://api.example.com", SECRET), headers=lambda _: {})
    assert caught.value.code == "plain_http"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("url", "secret", "code"),
    [
        ("http://127.0.0.1:1", "", "missing_secret"),
        ("", SECRET, "missing_address"),
        ("not an address", SECRET, "configuration"),
        ("ftp://127.0.0.1/x", SECRET, "configuration"),
    ],
)
def test_an_incomplete_connection_is_rejected(url: str, secret: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(Connection("crm_api", url, secret), headers=lambda _: {})
    assert caught.value.code == code
    assert "crm_api" in str(caught.value)


def test_an_unknown_limit_is_a_configuration_error() -> None:
    extra = {"limits": {"patience": 3}}
    with pytest.raises(ConfigurationError, match="deadline, budget"):
        Client(Connection("crm_api", "http://127.0.0.1:1", SECRET, extra), headers=lambda _: {})


def test_an_echoed_secret_is_redacted() -> None:
    """Neither the secret nor terminal control characters reach the log."""
    echoed = {"message": f"bad token {SECRET}\x1b[2J"}
    with Replay(lambda request: json_answer(echoed, 400)) as server:
        error = fails_with("bad_request", server)
        assert "***" in error.message
        assert "\x1b" not in error.message
