"""A TCP proxy in front of Postgres that drops the connection at the COMMIT of a load."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class LossyProxy:
    """Proxy that forwards all traffic and drops a connection that commits raw rows.

    ``passes_commit`` decides whether the server still receives the COMMIT; the client
    cannot distinguish the two cases.
    """

    def __init__(self, url: str, *, passes_commit: bool) -> None:
        parts = conninfo_to_dict(url)
        self._target = (str(parts["host"]), int(str(parts["port"])))
        self._passes_commit = passes_commit
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = make_conninfo(url, port=self._server.getsockname()[1])
        self.cut = threading.Event()
        self._committed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        upstream = socket.create_connection(self._target)
        lost = threading.Event()
        back = threading.Thread(target=self._answer, args=(upstream, client, lost), daemon=True)
        back.start()
        wrote_rows = False
        while data := _receive(client):
            wrote_rows = wrote_rows or b'into "raw"' in data
            if wrote_rows and b"COMMIT" in data and not self.cut.is_set():
                self._lose(data, upstream, lost)
                break
            upstream.sendall(data)
        _shut(client)
        _shut(upstream)

    def _lose(self, data: bytes, upstream: socket.socket, lost: threading.Event) -> None:
        self.cut.set()
        lost.set()
        if self._passes_commit:
            upstream.sendall(data)
            self._committed.wait(60)

    def _answer(
        self, upstream: socket.socket, client: socket.socket, lost: threading.Event
    ) -> None:
        while data := _receive(upstream):
            if lost.is_set():
                self._committed.set()
                break
            with contextlib.suppress(OSError):
                client.sendall(data)
        _shut(client)


@contextmanager
def lossy_proxy(url: str, *, passes_commit: bool) -> Iterator[str]:
    """Yield the URL of the proxy; at the end, assert that a commit was lost."""
    proxy = LossyProxy(url, passes_commit=passes_commit)
    try:
        yield proxy.url
        assert proxy.cut.is_set(), "the proxy never saw the commit"
    finally:
        proxy.close()


def _receive(end: socket.socket) -> bytes:
    try:
        return end.recv(1 << 16)
    except OSError:
        return b""


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
