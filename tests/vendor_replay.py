"""A vendor API on the loopback interface: real HTTP, with a fault on chosen requests."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from retention.source import Connection
from tests.places import FIXTURES

SECRET = "canary-secret-7f3a"


@dataclass(frozen=True)
class Request:
    """One received request; ``number`` counts from 1."""

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Answer:
    """The response to a request.

    ``declared`` is the Content-Length: None omits it, so that the end of the connection
    ends the body. ``drip`` is the number of seconds between two bytes, ``delay`` the wait
    before the first. ``slam`` closes without a response; ``drip_head`` never ends the headers.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = -1
    drip: float = 0
    delay: float = 0
    slam: bool = False
    drip_head: bool = False


def json_answer(document: Any, status: int = 200, **headers: str) -> Answer:
    """Build a JSON response; underscores in header names become dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(body, status, {"Content-Type": "application/json", **named})


def gzipped(document: Any, *, members: int = 1, keep: float = 1.0) -> Answer:
    """Build a gzip response of several members, truncated to the share ``keep``."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    step = -(-len(text) // members)
    body = b"".join(gzip.compress(text[at : at + step]) for at in range(0, len(text), step))
    return Answer(body[: int(len(body) * keep)], headers={"Content-Encoding": "gzip"})


class Replay:
    """``with Replay(vendor, faults={3: json_answer({}, 500)}) as server: server.connection()``."""

    def __init__(
        self, vendor: Callable[[Request], Answer], faults: dict[int, Answer] | None = None
    ) -> None:
        self.vendor = vendor
        self.faults = faults or {}
        self.requests: list[Request] = []
        self.times: list[float] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Replay:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def connection(self, **extra: Any) -> Connection:
        """Return a connection to this vendor, with short timeouts unless ``limits`` sets them."""
        limits = {"deadline": 5, "budget": 3} | extra.pop("limits", {})
        return Connection("vendor_api", self.url, SECRET, {"limits": limits, **extra})

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                replay._serve(self, self.rfile.read(length))

            do_GET = do_POST = handle_any  # noqa: N815

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        return Handler

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        split = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        headers = {name.lower(): value for name, value in handler.headers.items()}
        content = json.loads(body) if body.startswith(b"{") else body.decode()
        with self._lock:
            request = Request(
                len(self.requests) + 1, handler.command, split.path, query, headers, content
            )
            self.requests.append(request)
            self.times.append(time.monotonic())
        answer = self.faults.get(request.number) or self.vendor(request)
        try:
            _send(handler, answer)
        except OSError:
            handler.close_connection = True  # tests of limits expect the client to disconnect


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    time.sleep(answer.delay)
    whole = answer.declared == -1
    handler.close_connection = handler.close_connection or not whole or answer.slam
    if answer.slam:
        return
    if answer.drip_head:
        for _ in range(100):
            handler.wfile.write(b"H")
            handler.wfile.flush()
            time.sleep(0.1)
        return
    handler.send_response(answer.status)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    if answer.declared is not None:
        handler.send_header("Content-Length", str(len(answer.body) if whole else answer.declared))
    handler.end_headers()
    if not answer.drip:
        handler.wfile.write(answer.body)
        return
    for at in range(len(answer.body)):
        handler.wfile.write(answer.body[at : at + 1])
        time.sleep(answer.drip)


def fixture(source: str, stream: str) -> list[dict[str, Any]]:
    """Return the pages of a stream as the vendor sends them."""
    pages: list[dict[str, Any]] = json.loads((FIXTURES / source / f"{stream}.json").read_text())
    return pages
