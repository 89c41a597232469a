"""JSON in the HTTP client: exact numbers, and flaws that are reported."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from retention import jsondoc
from tests.http.things_server import client_of, things
from tests.places import ROOT
from tests.vendor_replay import Replay


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
def test_a_nested_flaw_is_found(text: bytes, code: str) -> None:
    found = jsondoc.flaw(jsondoc.parse(text))
    assert found is not None
    assert found[0] == code


def test_the_text_of_a_document_keeps_its_flaws() -> None:
    text = '{"a": 1, "a": NaN, "b": [1.50, "ü"]}'
    assert jsondoc.text(jsondoc.parse(text.encode())) == text


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b'{"a": 01}', b"[" * 100_000])
def test_an_incomplete_or_invalid_document_is_rejected(text: bytes) -> None:
    with pytest.raises(jsondoc.BadDocument):
        jsondoc.parse(text)


def test_requests_keep_the_configured_pace() -> None:
    """By the client's clock: on a busy machine the server sees the first request late."""
    with Replay(things) as server, client_of(server, pace=0.2) as client:
        begun = time.monotonic()
        for _ in range(3):
            client.get("/things")
        assert time.monotonic() - begun >= 0.4


@pytest.mark.parametrize(
    "module", ["http.client", "landing.land", "sources.extraction", "sources.stripe"]
)
def test_any_module_can_be_imported_first(module: str) -> None:
    """The sources import the client, which needs their types: no import cycle may arise."""
    plugins = ROOT / "plugins"
    command = [sys.executable, "-c", f"import retention.{module}"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(plugins)})
