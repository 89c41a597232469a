"""Encode JSON responses and vendor error responses."""

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

except ImportError:  # a compiled encoder is faster but not required
    import json

    def dumps(payload: Any) -> bytes:
        """Encode ``payload`` as compact UTF-8 JSON."""
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


Handler = Callable[[Request], Awaitable[Response]]


class ApiError(Exception):
    """An error response; the vendor's app sends it with its own body."""

    def __init__(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(body)
        self.status = status
        self.body = body
        self.headers = headers or {}


def reply(payload: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return ``payload`` as a JSON response."""
    return Response(dumps(payload), status, headers, media_type="application/json")


async def on_api_error(_: Request, error: Exception) -> Response:
    """Handle ApiError; every vendor's app registers this handler."""
    if not isinstance(error, ApiError):
        raise error
    return reply(error.body, error.status, error.headers)


def bearer(request: Request) -> str:
    """Return the token of an ``Authorization: Bearer`` header, or an empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
