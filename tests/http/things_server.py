"""A small API server and a client for it."""

from __future__ import annotations

import pytest

from retention.errors import ExtractionError
from retention.http.client import Client
from tests.vendor_replay import SECRET, Answer, Replay, Request, json_answer

THINGS = {"things": [{"id": number, "note": "x" * 50} for number in range(200)]}


def client_of(server: Replay, **limits: float) -> Client:
    return Client(server.connection(limits=limits), headers=lambda secret: {"X-API-TOKEN": secret})


def things(request: Request) -> Answer:
    return json_answer(THINGS)


def fails_with(code: str, server: Replay, **limits: float) -> ExtractionError:
    with client_of(server, **limits) as client, pytest.raises(ExtractionError) as caught:
        client.get("/things", where="shop/things page 1")
    assert caught.value.code == code
    assert caught.value.where == "shop/things page 1"
    assert SECRET not in str(caught.value)
    return caught.value
