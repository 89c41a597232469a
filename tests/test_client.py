"""The HTTP client: secrets stay home, bodies arrive whole, patience ends."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from retention import jsondoc
from retention.errors import ConfigurationError, ExtractionError
from retention.http.body import gunzip
from retention.http.client import Client
from retention.http.retry import retry_after
from retention.sources.base import Connection
from tests.vendor_replay import SECRET, Answer, Asked, Replay, gzipped, said

THINGS = {"things": [{"id": number, "note": "x" * 50} for number in range(200)]}
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


def client_of(server: Replay, **limits: float) -> Client:
    return Client(server.connection(limits=limits), headers=lambda secret: {"X-API-TOKEN": secret})


def things(asked: Asked) -> Answer:
    return said(THINGS)


def fails_with(code: str, server: Replay, **limits: float) -> ExtractionError:
    with client_of(server, **limits) as client, pytest.raises(ExtractionError) as caught:
        client.get("/things", where="shop/things page 1")
    assert caught.value.code == code
    assert caught.value.where == "shop/things page 1"
    assert SECRET not in str(caught.value)
    return caught.value


# --- where requests go ---------------------------------------------------------------------

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
def test_no_link_leads_the_secret_to_another_place(link: str) -> None:
    """G1: refused before anything connects; the listener next door hears nothing."""
    with Replay(things) as home, Replay(things) as evil, client_of(home) as client:
        port = evil.url.rsplit(":", 1)[1]
        with pytest.raises(ExtractionError) as caught:
            client.get(link.format(port=port))
        assert caught.value.code == "host_not_allowed"
        assert evil.asked == [] == home.asked


def test_a_link_to_the_same_place_is_followed() -> None:
    with Replay(things) as home, client_of(home) as client:
        assert client.get(f"{home.url}/things?after=3")["things"]
        assert home.asked[0].query == {"after": "3"}
        assert home.asked[0].headers["x-api-token"] == SECRET


def test_a_redirect_is_never_followed() -> None:
    """G2: neither to another host nor home again; the token header goes nowhere."""
    with Replay(things) as evil:
        away = Answer(status=302, headers={"Location": f"{evil.url}/next"})
        with Replay(lambda asked: away) as home:
            fails_with("redirect_refused", home)
            assert len(home.asked) == 1
        assert evil.asked == []


def test_a_secret_does_not_cross_a_network_in_clear() -> None:
    """G2: plain http is for the loopback interface."""
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
def test_a_connection_that_is_not_filled_in_is_named(url: str, secret: str, code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(Connection("crm_api", url, secret), headers=lambda _: {})
    assert caught.value.code == code
    assert "crm_api" in str(caught.value)


def test_a_limit_that_does_not_exist_is_named() -> None:
    extra = {"limits": {"patience": 3}}
    with pytest.raises(ConfigurationError, match="deadline, budget"):
        Client(Connection("crm_api", "http://127.0.0.1:1", SECRET, extra), headers=lambda _: {})


def test_a_secret_that_the_vendor_echoes_is_blotted_out() -> None:
    """No vendor's words put the secret or a terminal's commands into a log."""
    told = {"message": f"bad token {SECRET}\x1b[2J"}
    with Replay(lambda asked: said(told, 400)) as server:
        error = fails_with("bad_request", server)
        assert "***" in error.message
        assert "\x1b" not in error.message


# --- how long it waits ---------------------------------------------------------------------


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


# --- what it takes for a body --------------------------------------------------------------

TEXT = json.dumps(THINGS).encode()
SLOW: dict[str, Answer] = {
    "silence": Answer(TEXT, delay=8),
    "byte by byte": Answer(TEXT, drip=0.05),
    "endless headers": Answer(drip_head=True),
    "byte by byte, no length": Answer(TEXT, drip=0.05, declared=None),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_no_server_holds_the_client_beyond_its_deadline(answer: Answer) -> None:
    """B5: a slow-loris and a hang end at the deadline, however alive each single read looks."""
    began = time.monotonic()
    with Replay(lambda asked: answer) as server:
        fails_with("timed_out", server, deadline=0.7, budget=0.5)
    assert time.monotonic() - began < 2.5


def test_a_connection_closed_at_once_is_tried_again() -> None:
    """B5: the reset costs one request, not the load."""
    with Replay(things, {1: Answer(slam=True)}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS
        assert len(server.asked) == 2


CUT: dict[str, Answer] = {
    "gzip": gzipped(THINGS, keep=0.5),
    "gzip without its trailer": gzipped(THINGS, keep=0.98),
    "second gzip member": gzipped(THINGS, members=2, keep=0.7),
    "content length": Answer(TEXT[:900], declared=len(TEXT)),
    "closed without a length": Answer(TEXT[:900], declared=None),
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
def test_a_cut_body_is_never_taken_for_a_whole_one(answer: Answer) -> None:
    """B6, B7: half a gzip, a short length, an early close: truncated_body, and no rows."""
    with Replay(lambda asked: answer) as server:
        fails_with("truncated_body", server, budget=0.5)


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
def test_a_body_cut_once_is_fetched_again(answer: Answer) -> None:
    """B6: the second try brings what the first lost."""
    with Replay(things, {1: answer}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS


def test_every_member_of_a_gzip_body_is_read() -> None:
    """B7: ready-made clients stop after the first."""
    with Replay(lambda asked: gzipped(THINGS, members=3)) as server, client_of(server) as client:
        assert client.get("/things") == THINGS


def test_gunzip_takes_padding_and_refuses_rubbish() -> None:
    packed = gzip.compress(b"one") + gzip.compress(b"two")
    assert b"".join(gunzip([packed[:7], packed[7:], b"\0\0"])) == b"onetwo"
    with pytest.raises(ExtractionError, match="bad_body"):
        b"".join(gunzip([packed + b"rubbish"]))


def test_a_download_without_a_marked_end_is_refused(tmp_path: Path) -> None:
    """B7: lines cut at a line end look whole; nothing is kept of them."""
    lines = b'{"a": 1}\n' * 50
    target = tmp_path / "events.ndjson"
    with Replay(lambda asked: Answer(lines, declared=None)) as server, client_of(server) as client:
        with pytest.raises(ExtractionError) as caught:
            client.download("/export", target)
        assert caught.value.code == "unverifiable_body"
    assert list(tmp_path.iterdir()) == []


def test_a_download_arrives_whole_or_not_at_all(tmp_path: Path) -> None:
    """B6: after a cut the file is fetched again; a lasting cut leaves no file."""
    lines = b'{"a": 1}\n' * 5000
    cut, whole = Answer(lines[:-9], declared=len(lines)), Answer(lines)
    target = tmp_path / "events.ndjson"
    with Replay(lambda asked: whole, {1: cut}) as server, client_of(server) as client:
        assert client.download("/export", target) == len(lines)
    assert target.read_bytes() == lines
    target.unlink()
    with (
        Replay(lambda asked: cut) as server,
        client_of(server, budget=0.5) as client,
        pytest.raises(ExtractionError, match="truncated_body"),
    ):
        client.download("/export", target)
    assert list(tmp_path.iterdir()) == []


def test_a_gzip_bomb_is_stopped_at_the_cap() -> None:
    """B8: 128 MiB out of 128 KiB; the cap of 4 MiB holds, and so does memory."""
    bomb = gzip.compress(b"\0" * (128 << 20))
    answer = Answer(bomb, headers={"Content-Encoding": "gzip"})
    with Replay(lambda asked: answer) as server:
        tracemalloc.start()
        try:
            fails_with("payload_too_large", server, body=4 << 20)
            assert tracemalloc.get_traced_memory()[1] < 32 << 20
        finally:
            tracemalloc.stop()
        assert len(server.asked) == 1


def test_one_endless_string_is_stopped_at_the_cap() -> None:
    """B8: an uncompressed body has the same cap."""
    with Replay(lambda asked: Answer(b'{"a": "' + b"x" * (3 << 20) + b'"}')) as server:
        fails_with("payload_too_large", server, body=1 << 20)


# --- JSON ----------------------------------------------------------------------------------


def test_numbers_keep_every_digit() -> None:
    found = jsondoc.parse(b'{"price": 0.1234567890123456789, "big": 9223372036854775808}')
    assert str(found["price"]) == "0.1234567890123456789"
    assert found["big"] == 2**63


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'{"a": [{"b": NaN}]}', "not_a_number"),
        (b'{"a": -Infinity}', "not_a_number"),
        (b'{"a": {"b": 1, "b": 2}}', "duplicate_key"),
    ],
)
def test_a_flaw_is_found_where_it_hides(text: bytes, code: str) -> None:
    found = jsondoc.flaw(jsondoc.parse(text))
    assert found is not None
    assert found[0] == code


def test_a_flawed_document_is_shown_with_its_flaws() -> None:
    text = '{"a": 1, "a": NaN, "b": [1.50, "ü"]}'
    assert jsondoc.text(jsondoc.parse(text.encode())) == text


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b'{"a": 01}', b"[" * 100_000])
def test_what_is_no_document_is_refused(text: bytes) -> None:
    with pytest.raises(jsondoc.BadDocument):
        jsondoc.parse(text)


def test_requests_keep_the_pace_that_is_set() -> None:
    """B1: a limit that is known is kept, not run into."""
    with Replay(things) as server, client_of(server, pace=0.2) as client:
        for _ in range(3):
            client.get("/things")
        assert server.times[2] - server.times[0] >= 0.39


@pytest.mark.parametrize(
    "module", ["http.client", "landing.land", "sources.extraction", "sources.stripe"]
)
def test_any_module_can_be_imported_first(module: str) -> None:
    """The sources import the client, which knows their types: no circle may come of it."""
    plugins = Path(__file__).parents[1] / "plugins"
    command = [sys.executable, "-c", f"import retention.{module}"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(plugins)})
