"""One HTTP exchange with a deadline that nothing can stretch."""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import httpx

from retention.errors import ExtractionError
from retention.http.retry import Transient


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The certificate authorities, read once: that takes a tenth of a second."""
    return httpx.create_ssl_context()


class Wire:
    """A single keep-alive connection; each exchange on it ends within ``deadline`` seconds.

    The timeouts of an HTTP library bound one read, so a server that sends a byte now and then
    holds it for ever. Here the socket itself is shut when the deadline passes.
    """

    def __init__(self, *, deadline: float, use_proxies: bool) -> None:
        self._deadline = deadline
        self._socket: socket.socket | None = None
        self._client = httpx.Client(
            follow_redirects=False,
            verify=_trusted(),
            trust_env=use_proxies,
            timeout=httpx.Timeout(min(30, deadline), connect=min(10, deadline)),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
            headers={"Accept-Encoding": "gzip", "User-Agent": "retention-warehouse"},
        )

    def close(self) -> None:
        self._client.close()

    def request(
        self, method: str, url: httpx.URL, headers: dict[str, str], **content: Any
    ) -> httpx.Request:
        """What ``exchange`` sends; ``content`` is httpx's ``json`` or ``data``."""
        request = self._client.build_request(method, url, headers=headers, **content)
        request.extensions["trace"] = self._remember_socket
        return request

    @contextlib.contextmanager
    def exchange(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """The open response; raises Transient for every way a connection can fail."""
        late = threading.Event()
        timer = threading.Timer(self._deadline, self._cut, [late])
        timer.daemon = True
        timer.start()
        try:
            with contextlib.closing(self._client.send(request, stream=True)) as response:
                yield response
                if late.is_set():  # a body without a marked end seems to end where it was cut
                    raise httpx.ReadTimeout("cut at the deadline")
        except httpx.TransportError as error:
            raise Transient(self._failure(error, late=late.is_set())) from error
        except Transient as failure:
            if late.is_set():
                raise Transient(self._timed_out()) from failure
            raise
        finally:
            timer.cancel()

    def _remember_socket(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def _cut(self, late: threading.Event) -> None:
        late.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                # Not the TLS object's own shutdown: that one is not made for two threads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _failure(self, error: httpx.TransportError, *, late: bool) -> ExtractionError:
        if late or isinstance(error, httpx.TimeoutException):
            return self._timed_out()
        if "without sending complete" in str(error) or "incomplete" in str(error):
            return ExtractionError("the connection closed mid-body.", code="truncated_body")
        kind = type(error).__name__
        return ExtractionError(f"no connection to the vendor ({kind}).", code="unreachable")

    def _timed_out(self) -> ExtractionError:
        return ExtractionError(f"no complete answer in {self._deadline:g} s.", code="timed_out")
