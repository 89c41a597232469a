"""Classify an HTTP response: document, retryable error or permanent error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from retention import jsondoc
from retention.errors import ExtractionError
from retention.http.retry import Transient, retry_after, vendor_clock

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    410: "not_found",
    413: "payload_too_large",
    422: "bad_request",
    429: "rate_limited",
}
_HINTS = {
    401: "Renew the access token of the connection.",
    403: "Give the token the scope this stream needs.",
}
_RETRYABLE = {408, 409, 423, 425, 429}


@dataclass(frozen=True)
class Reply:
    """A complete response; ``content`` is decoded and known to be complete."""

    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)

    def fields(self) -> dict[str, Any]:
        """Return its JSON object, or an empty dict when it has another content."""
        try:
            value = jsondoc.parse(self.content)
        except jsondoc.BadDocument:
            return {}
        return value if isinstance(value, dict) else {}


# A vendor's own error classification; None falls back to the status code.
Refusal = Callable[[Reply], "ExtractionError | Transient | None"]


def by_status(reply: Reply) -> ExtractionError | Transient:
    """Classify an error response by its status; 408, 409, 423, 425, 429 and 5xx are Transient."""
    code = _CODES.get(reply.status, "server_error" if reply.status >= 500 else "refused")
    if 300 <= reply.status < 400:
        return ExtractionError(
            f"HTTP {reply.status} redirect; redirects are not followed.",
            code="redirect_refused",
            hint="Set the host of the connection to the final address.",
        )
    error = ExtractionError(
        f"HTTP {reply.status} {vendor_message(reply)}", code=code, hint=_HINTS.get(reply.status, "")
    )
    if reply.status in _RETRYABLE or reply.status >= 500:
        return Transient(error, requested_wait(reply))
    return error


def requested_wait(reply: Reply) -> float | None:
    """Return the seconds of its Retry-After header, measured by the vendor's Date header."""
    now = vendor_clock(reply.headers.get("date"))
    return retry_after(reply.headers.get("retry-after"), now)


def document(reply: Reply, *, marked: bool) -> dict[str, Any]:
    """Return the JSON object of a successful response.

    ``marked`` means that HTTP framing proved the body complete. Raises truncated_body for
    an unmarked body that ends early, bad_body for HTML, a list or an invalid envelope, and
    Transient for an error object with status 200.
    """
    try:
        value = jsondoc.parse(reply.content)
    except jsondoc.BadDocument as error:
        html = reply.content.lstrip()[:1] == b"<"
        code = "bad_body" if marked or html else "truncated_body"
        kind = "an HTML page" if html else f"{len(reply.content)} bytes that are not JSON"
        raise ExtractionError(
            f"HTTP {reply.status} with {kind}.", code=code, hint=_LOGIN if html else ""
        ) from error
    if not isinstance(value, dict) or isinstance(value, jsondoc.RepeatedKeys):
        raise ExtractionError("the body is not a JSON object with unique keys.", code="bad_body")
    if value.get("status") == "error" or isinstance(value.get("error"), dict):
        message = f"error object with status {reply.status}: {vendor_message(reply)}"
        raise Transient(ExtractionError(message, code="bad_body"))
    return value


_LOGIN = "This looks like a login page or a proxy: check the host of the connection."


def vendor_message(reply: Reply) -> str:
    """Return the vendor's error message on one line, each field at most 200 characters."""
    fields = reply.fields()
    inner = fields.get("error")
    merged = fields | inner if isinstance(inner, dict) else fields
    names = ("code", "category", "errorType", "policyName", "type", "message", "description")
    return "; ".join(str(merged[name])[:200] for name in names if merged.get(name)) or "(no reason)"


def redact(message: str, secret: str) -> str:
    """Remove the secret and terminal control characters from a message."""
    shown = message.replace(secret, "***")
    return "".join(mark if mark.isprintable() else " " for mark in shown)


def end_is_marked(response: httpx.Response) -> bool:
    """Return whether HTTP framing marks the end of the body."""
    headers = response.headers
    return "content-length" in headers or "transfer-encoding" in headers


def require_marked_end(response: httpx.Response) -> None:
    """Raise unverifiable_body when neither HTTP framing nor gzip can detect truncation."""
    if not end_is_marked(response) and "gzip" not in response.headers.get("content-encoding", ""):
        raise ExtractionError(
            "the body has no length, no chunks and no gzip trailer.", code="unverifiable_body"
        )
