"""Restrict requests to the scheme, host and port of the connection."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import httpx

from retention.errors import ConfigurationError, ExtractionError

if TYPE_CHECKING:  # the sources import this module
    from retention.source import Connection


class PinnedHost:
    """The host of a connection: resolves paths and ``next`` links, and rejects other hosts.

    ``PinnedHost(connection).address("/v1/events")`` keeps a path prefix of ``base_url``.
    """

    def __init__(self, connection: Connection) -> None:
        base = _parsed(connection.base_url)
        if base is None or base.scheme not in ("http", "https") or not base.host:
            raise ConfigurationError(
                f"{connection.base_url!r} is not an http(s) URL.",
                where=connection.conn_id,
                hint="Give the connection a host such as https://api.example.com.",
            )
        self._base = base
        self.loopback = _is_loopback(base.host)
        plain = base.scheme == "http" and not self.loopback
        if plain and not connection.extra.get("allow_plain_http"):
            raise ConfigurationError(
                "plain http would send the secret unencrypted.",
                code="plain_http",
                where=connection.conn_id,
                hint="Use https, or set allow_plain_http in the connection's extra.",
            )

    def address(self, target: str) -> httpx.URL:
        """Return the URL of a path or link; raises ExtractionError for any other host."""
        if target.startswith("/") and not target.startswith("//"):
            target = f"{self._origin()}{self._base.path.rstrip('/')}{target}"
        url = _parsed(target)
        if url is None or url.userinfo or _origin_of(url) != _origin_of(self._base):
            raise ExtractionError(
                f"the link {target[:120]!r} is outside {self._origin()}.",
                code="host_not_allowed",
                hint="Nothing was sent there; check the address of the connection.",
            )
        return url

    def _origin(self) -> str:
        return f"{self._base.scheme}://{self._base.netloc.decode('ascii')}"


def _parsed(address: str) -> httpx.URL | None:
    # Parsers disagree whether these characters end the host; no valid link contains them.
    if any(mark in address for mark in ("\\", "\t", "\r", "\n", "\0", " ")):
        return None
    try:
        return httpx.URL(address)
    except (httpx.InvalidURL, TypeError, ValueError):
        return None


def _origin_of(url: httpx.URL) -> tuple[str, bytes, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.raw_host.lower(), url.port or default


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
