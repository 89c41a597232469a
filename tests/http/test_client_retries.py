"""Retries of the HTTP client: Retry-After, back-off, the budget and token renewal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from retention.errors import ExtractionError
from retention.http.client import Client
from retention.http.retry import retry_after
from tests.http.things_server import THINGS, client_of, fails_with, things
from tests.vendor_replay import Answer, Replay, Request, json_answer

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
def test_retry_after_is_parsed_or_ignored(header: str | None, seconds: float | None) -> None:
    """Seconds and future dates are used; anything else falls back to the back-off."""
    assert retry_after(header, NOW) == seconds


def test_the_client_waits_for_the_requested_time(waits: list[float]) -> None:
    """The wait between the requests is that of the header, plus at most 0.5 s."""
    limited = json_answer({"message": "slow down"}, 429, Retry_After="1")
    with Replay(things, {1: limited}) as server, client_of(server, budget=5) as client:
        client.get("/things")
        assert server.times[1] - server.times[0] >= 1.0
        (wait,) = waits
        assert 1.0 <= wait <= 1.5
        assert client.requests == 2


@pytest.mark.parametrize("header", ["soon", "-1", http_date(-1)])
def test_an_unusable_retry_after_falls_back_to_the_back_off(
    header: str, waits: list[float]
) -> None:
    limited = json_answer({}, 429, Retry_After=header)
    with Replay(things, {1: limited}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS
        (wait,) = waits
        assert 0 < wait < 1


def test_a_wait_beyond_the_budget_fails_at_once(waits: list[float]) -> None:
    """The error names the earliest time for another try."""
    with Replay(lambda request: json_answer({}, 429, Retry_After="86400")) as server:
        error = fails_with("rate_limited", server)
        assert "Try again after" in error.message
        assert len(server.requests) == 1
    assert waits == []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_server_errors_are_retried(status: int) -> None:
    bad = Answer(b"<h1>oops</h1>", status)
    with Replay(things, {1: bad, 2: bad}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS
        assert client.requests == 3


def test_lasting_server_errors_fail_within_the_budget(waits: list[float]) -> None:
    with Replay(lambda request: Answer(b"", 503)) as server:
        fails_with("server_error", server, budget=2)
        assert len(server.requests) == len(waits) + 1 > 1
    assert sum(waits) < 2


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
def test_an_invalid_body_with_status_200_is_an_error(body: bytes, code: str) -> None:
    """An HTML page or an error object is never read as "no rows"."""
    with Replay(lambda request: Answer(body)) as server:
        fails_with(code, server, budget=0.5)


def test_an_expired_token_is_renewed_once() -> None:
    """The read continues after the renewal; a second 401 is an error."""

    def vendor(request: Request) -> Answer:
        fresh = request.headers["x-api-token"] == "fresh"
        return json_answer(THINGS) if fresh else json_answer({"message": "expired"}, 401)

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
def test_unauthorized_and_forbidden_are_not_retried(status: int, code: str) -> None:
    with Replay(lambda request: json_answer({"message": "no"}, status)) as server:
        fails_with(code, server)
        assert len(server.requests) == 1


def test_a_refused_connection_is_unreachable_after_the_budget() -> None:
    with Replay(things) as server:
        connection = server.connection(limits={"budget": 0.5})
    with (
        Client(connection, headers=lambda _: {}) as client,
        pytest.raises(ExtractionError) as caught,
    ):
        client.get("/things")
    assert caught.value.code == "unreachable"
