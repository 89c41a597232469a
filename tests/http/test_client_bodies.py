"""Bodies in the HTTP client: complete or rejected, and limited in size and time."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from pathlib import Path

import pytest

from retention.errors import ExtractionError
from retention.http.body import gunzip
from tests.http.things_server import THINGS, client_of, fails_with, things
from tests.vendor_replay import Answer, Replay, gzipped

TEXT = json.dumps(THINGS).encode()
SLOW: dict[str, Answer] = {
    "silence": Answer(TEXT, delay=8),
    "byte by byte": Answer(TEXT, drip=0.05),
    "endless headers": Answer(drip_head=True),
    "byte by byte, no length": Answer(TEXT, drip=0.05, declared=None),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_a_slow_server_is_cut_off_at_the_deadline(answer: Answer) -> None:
    """The deadline holds although each single read succeeds within its timeout."""
    began = time.monotonic()
    with Replay(lambda request: answer) as server:
        fails_with("timed_out", server, deadline=0.7, budget=0.5)
    assert time.monotonic() - began < 5  # the shortest of these answers takes 8 seconds


def test_a_closed_connection_is_retried() -> None:
    with Replay(things, {1: Answer(slam=True)}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS
        assert len(server.requests) == 2


CUT: dict[str, Answer] = {
    "gzip": gzipped(THINGS, keep=0.5),
    "gzip without its trailer": gzipped(THINGS, keep=0.98),
    "second gzip member": gzipped(THINGS, members=2, keep=0.7),
    "content length": Answer(TEXT[:900], declared=len(TEXT)),
    "closed without a length": Answer(TEXT[:900], declared=None),
}


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
def test_a_truncated_body_is_rejected(answer: Answer) -> None:
    with Replay(lambda request: answer) as server:
        fails_with("truncated_body", server, budget=0.5)


@pytest.mark.parametrize("answer", CUT.values(), ids=CUT.keys())
def test_a_truncated_body_is_retried(answer: Answer) -> None:
    with Replay(things, {1: answer}) as server, client_of(server) as client:
        assert client.get("/things") == THINGS


def test_every_member_of_a_gzip_body_is_read() -> None:
    """Common HTTP clients stop after the first member."""
    with Replay(lambda request: gzipped(THINGS, members=3)) as server, client_of(server) as client:
        assert client.get("/things") == THINGS


def test_gunzip_accepts_padding_and_rejects_trailing_data() -> None:
    compressed = gzip.compress(b"one") + gzip.compress(b"two")
    assert b"".join(gunzip([compressed[:7], compressed[7:], b"\0\0"])) == b"onetwo"
    with pytest.raises(ExtractionError, match="bad_body"):
        b"".join(gunzip([compressed + b"rubbish"]))


def test_a_download_without_a_marked_end_is_rejected(tmp_path: Path) -> None:
    """A file truncated at a line end looks complete."""
    lines = b'{"a": 1}\n' * 50
    target = tmp_path / "events.ndjson"
    with (
        Replay(lambda request: Answer(lines, declared=None)) as server,
        client_of(server) as client,
    ):
        with pytest.raises(ExtractionError) as caught:
            client.download("/export", target)
        assert caught.value.code == "unverifiable_body"
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_complete_or_leaves_no_file(tmp_path: Path) -> None:
    """A truncated download is retried; lasting truncation leaves no file."""
    lines = b'{"a": 1}\n' * 5000
    cut, whole = Answer(lines[:-9], declared=len(lines)), Answer(lines)
    target = tmp_path / "events.ndjson"
    with Replay(lambda request: whole, {1: cut}) as server, client_of(server) as client:
        assert client.download("/export", target) == len(lines)
    assert target.read_bytes() == lines
    target.unlink()
    with (
        Replay(lambda request: cut) as server,
        client_of(server, budget=0.5) as client,
        pytest.raises(ExtractionError, match="truncated_body"),
    ):
        client.download("/export", target)
    assert list(tmp_path.iterdir()) == []


def test_a_gzip_bomb_is_rejected_at_the_size_limit() -> None:
    """128 KiB decompress to 128 MiB; the limit is 4 MiB and memory stays below 32 MiB."""
    bomb = gzip.compress(b"\0" * (128 << 20))
    answer = Answer(bomb, headers={"Content-Encoding": "gzip"})
    with Replay(lambda request: answer) as server:
        tracemalloc.start()
        try:
            fails_with("payload_too_large", server, body=4 << 20)
            assert tracemalloc.get_traced_memory()[1] < 32 << 20
        finally:
            tracemalloc.stop()
        assert len(server.requests) == 1


def test_an_uncompressed_body_has_the_same_size_limit() -> None:
    with Replay(lambda request: Answer(b'{"a": "' + b"x" * (3 << 20) + b'"}')) as server:
        fails_with("payload_too_large", server, body=1 << 20)
