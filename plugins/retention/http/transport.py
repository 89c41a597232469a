"""HTTP exchanges over one connection, each with a hard deadline."""

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
    """Read the certificate authorities once; each read takes 0.1 s."""
    return httpx.create_ssl_context()


class Transport:
    """A single keep-alive connection; each exchange ends within ``deadline`` seconds.

    httpx timeouts bound a single read, so a server that sends one byte at a time can hold
    the client indefinitely. A timer therefore shuts the socket at the deadline.
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
        """Build the request for ``exchange``; ``content`` is httpx's ``json`` or ``data``."""
        request = self._client.build_request(method, url, headers=headers, **content)
        request.extensions["trace"] = self._remember_socket
        return request

    @contextlib.contextmanager
    def exchange(self, request: httpx.Request) -> Iterator[httpx.Response]:
        """Send the request and yield the open response; raises Transient on any failure."""
        late = threading.Event()
        timer = threading.Timer(self._deadline, self._cut, [late])
        timer.daemon = True
        timer.start()
        try:
            with contextlib.closing(self._client.send(request, stream=True)) as response:
                yield response
                if late.is_set():  # an unmarked body looks complete where the socket was shut
                    raise httpx.ReadTimeout("deadline exceeded")
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
                # The TLS object's own shutdown is not thread-safe.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _failure(self, error: httpx.TransportError, *, late: bool) -> ExtractionError:
        if late or isinstance(error, httpx.TimeoutException):
            return self._timed_out()
        if "without sending complete" in str(error) or "incomplete" in str(error):
            return ExtractionError(
                "the connection closed before the end of the body.", code="truncated_body"
            )
        kind = type(error).__name__
        return ExtractionError(f"no connection to the vendor ({kind}).", code="unreachable")

    def _timed_out(self) -> ExtractionError:
        return ExtractionError(
            f"no complete response within {self._deadline:g} s.", code="timed_out"
        )
