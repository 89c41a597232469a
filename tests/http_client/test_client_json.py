"""The HTTP client: JSON is exact, and no flaw passes unseen."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from retention import jsondoc
from tests.http_client.things_server import client_of, things
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
    plugins = ROOT / "plugins"
    command = [sys.executable, "-c", f"import retention.{module}"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(plugins)})
