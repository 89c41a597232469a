"""JSON on the wire, and the exception that becomes a vendor's own error body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

try:
    import orjson

    def dumps(payload: Any) -> bytes:
        """Encode ``payload`` as compact UTF-8 JSON."""
        return orjson.dumps(payload)

except ImportError:  # the demo needs no compiled JSON encoder, it is only quicker with one
    import json

    def dumps(payload: Any) -> bytes:
        """Encode ``payload`` as compact UTF-8 JSON."""
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


Handler = Callable[[Request], Awaitable[Response]]


class WireError(Exception):
    """An answer that is not a success; the vendor's app turns it into a response."""

    def __init__(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(body)
        self.status = status
        self.body = body
        self.headers = headers or {}


def reply(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``payload`` as a JSON response."""
    return Response(dumps(payload), status, headers, media_type="application/json")


async def on_wire_error(_: Request, error: Exception) -> Response:
    """The exception handler that every vendor's app registers for WireError."""
    if not isinstance(error, WireError):
        raise error
    return reply(error.body, error.status, error.headers)


def bearer(request: Request) -> str:
    """The token of an ``Authorization: Bearer`` header, or an empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
