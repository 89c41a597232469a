"""The HTTP client: patience, and its end."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from retention.errors import ExtractionError
from retention.http.client import Client
from retention.http.retry import retry_after
from tests.http_client.things_server import THINGS, client_of, fails_with, things
from tests.vendor_replay import Answer, Asked, Replay, said

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def http_date(seconds: float) -> str:
    return format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2.0),
        (http_date(30), 30.0),
        (http_date(-30), None),
        ("-1", None),
        ("0", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
        ("86400", 86400.0),
        (None, None),
    ],
)
def test_retry_after_is_understood_or_set_aside(header: str | None, seconds: float | None) -> None:
    """B1: seconds and dates count; the past, nonsense and nothing leave the wait to us."""
    assert retry_after(header, NOW) == seconds


def test_it_waits_as_long_as_the_vendor_asks() -> None:
    """B1: the gap between the requests is the header's, within half a second."""
    limited = said({"message": "slow down"}, 429, Retry_After="1")
    with Replay(things, {1: limited}) as server, client_of(server, budget=5) as client:
        client.get("/things")
        assert 1.0 <= server.times[1] - server.times[0] <= 1.5
        assert client.requests == 2


@pytest.mark.parametrize("header", ["soon", "-1", http_date(-1)])
def test_an_unusable_retry_after_does_not_stop_the_retry(header: str) -> None:
    """B1: our own back-off takes over."""
    limited = said({}, 429, Retry_After=header)
    with Replay(things, {1: limited}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS
        assert server.times[1] - server.times[0] < 1


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    """B1: a day's wait fails at once and says when to come back."""
    began = time.monotonic()
    with Replay(lambda asked: said({}, 429, Retry_After="86400")) as server:
        error = fails_with("rate_limited", server)
        assert "may be asked again from" in error.message
        assert len(server.asked) == 1
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_burst_of_server_errors_is_sat_out(status: int) -> None:
    """B3: two bad answers, then the good one."""
    bad = Answer(b"<h1>oops</h1>", status)
    with Replay(things, {1: bad, 2: bad}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS
        assert client.requests == 3


def test_server_errors_without_end_become_one_error() -> None:
    """B3: within the budget, not for ever."""
    began = time.monotonic()
    with Replay(lambda asked: Answer(b"", 503)) as server:
        fails_with("server_error", server, budget=1)
        assert len(server.asked) > 1
    assert time.monotonic() - began < 2


BAD_SUCCESSES: dict[str, tuple[bytes, str]] = {
    "login page": (b"<!doctype html><title>Sign in</title>", "bad_body"),
    "error object": (b'{"error": {"type": "api_error", "message": "no"}}', "bad_body"),
    "error status": (b'{"status": "error", "message": "no", "category": "X"}', "bad_body"),
    "empty": (b"", "bad_body"),
    "list": (b"[]", "bad_body"),
    "keys twice": (b'{"things": [1], "things": []}', "bad_body"),
    "not UTF-8": (b'{"things": "\xff"}', "bad_body"),
    "two documents": (b'{"things": []}{"things": []}', "bad_body"),
}


@pytest.mark.parametrize(("body", "code"), BAD_SUCCESSES.values(), ids=BAD_SUCCESSES.keys())
def test_status_200_is_not_enough(body: bytes, code: str) -> None:
    """B3: a page of HTML or an error in a good envelope is an error, never "no rows"."""
    with Replay(lambda asked: Answer(body)) as server:
        fails_with(code, server, budget=0.5)


def test_an_expired_token_is_renewed_once() -> None:
    """B4: one renewal and the read goes on; a second refusal ends it."""

    def vendor(asked: Asked) -> Answer:
        fresh = asked.headers["x-api-token"] == "fresh"
        return said(THINGS) if fresh else said({"message": "expired"}, 401)

    with Replay(vendor) as server:
        for renewed, works in (("fresh", True), ("stale", False)):
            with Client(
                server.connection(),
                headers=lambda secret: {"X-API-TOKEN": secret},
                renew=lambda client, token=renewed: token,  # type: ignore[misc]
            ) as client:
                if works:
                    assert client.get("/things") == THINGS
                else:
                    with pytest.raises(ExtractionError, match="unauthorized"):
                        client.get("/things")
                assert client.requests == 2


@pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (403, "forbidden")])
def test_a_refusal_is_not_repeated(status: int, code: str) -> None:
    """B4: asking again with the same token changes nothing."""
    with Replay(lambda asked: said({"message": "no"}, status)) as server:
        fails_with(code, server)
        assert len(server.asked) == 1


def test_refused_connections_are_tried_again_and_then_named() -> None:
    """B10: a vendor that is not there is unreachable, within the budget."""
    with Replay(things) as server:
        connection = server.connection(limits={"budget": 0.5})
    with (
        Client(connection, headers=lambda _: {}) as client,
        pytest.raises(ExtractionError) as caught,
    ):
        client.get("/things")
    assert caught.value.code == "unreachable"
