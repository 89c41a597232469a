"""The HTTP client: bodies arrive whole or not at all."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from pathlib import Path

import pytest

from retention.errors import ExtractionError
from retention.http.body import gunzip
from tests.http_client.things_server import THINGS, client_of, fails_with, things
from tests.vendor_replay import Answer, Replay, gzipped

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
