"""What an answer is worth: a document, an error that may pass, or an error that will not."""

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
_MENDS = {
    401: "Renew the access token of the connection.",
    403: "Give the token the scope this stream needs.",
}
_MAY_PASS = {408, 409, 423, 425, 429}


@dataclass(frozen=True)
class Reply:
    """A complete answer; ``content`` is decoded and proven to be whole."""

    status: int
    headers: httpx.Headers = field(repr=False)
    content: bytes = field(repr=False)

    def fields(self) -> dict[str, Any]:
        """The JSON object it holds; empty when it holds anything else."""
        try:
            value = jsondoc.parse(self.content)
        except jsondoc.BadDocument:
            return {}
        return value if isinstance(value, dict) else {}


# A vendor's own reading of a refusal: what to raise, or None where the status says it all.
Refusal = Callable[[Reply], "ExtractionError | Transient | None"]


def by_status(reply: Reply) -> ExtractionError | Transient:
    """The error of a refusal by its status alone; 429 and 5xx are Transient."""
    code = _CODES.get(reply.status, "server_error" if reply.status >= 500 else "refused")
    if 300 <= reply.status < 400:
        return ExtractionError(
            f"redirected ({reply.status}), which is never followed.",
            code="redirect_refused",
            mend="Give the connection the final address.",
        )
    error = ExtractionError(
        f"HTTP {reply.status} {said(reply)}", code=code, mend=_MENDS.get(reply.status, "")
    )
    if reply.status in _MAY_PASS or reply.status >= 500:
        return Transient(error, asked_wait(reply))
    return error


def asked_wait(reply: Reply) -> float | None:
    """The seconds its Retry-After asks for, by the vendor's own clock."""
    now = vendor_clock(reply.headers.get("date"))
    return retry_after(reply.headers.get("retry-after"), now)


def document(reply: Reply, *, marked: bool) -> dict[str, Any]:
    """The JSON object of a successful answer.

    ``marked`` says that HTTP itself proved the body whole. Raises truncated_body for an
    unmarked body that stops early, bad_body for a page of HTML, a list or a flawed envelope,
    and Transient for an error that came with status 200.
    """
    try:
        value = jsondoc.parse(reply.content)
    except jsondoc.BadDocument as error:
        html = reply.content.lstrip()[:1] == b"<"
        code = "bad_body" if marked or html else "truncated_body"
        kind = "an HTML page" if html else f"{len(reply.content)} bytes that are no JSON"
        raise ExtractionError(
            f"HTTP {reply.status} with {kind}.", code=code, mend=_LOGIN if html else ""
        ) from error
    if not isinstance(value, dict) or isinstance(value, jsondoc.RepeatedKeys):
        raise ExtractionError("the answer is not one plain JSON object.", code="bad_body")
    if value.get("status") == "error" or isinstance(value.get("error"), dict):
        raise Transient(ExtractionError(f"an error as success: {said(reply)}", code="bad_body"))
    return value


_LOGIN = "It looks like a login page or a proxy: check the address."


def said(reply: Reply) -> str:
    """The vendor's own words about a refusal, short and on one line."""
    fields = reply.fields()
    inner = fields.get("error")
    told = fields | inner if isinstance(inner, dict) else fields
    names = ("code", "category", "errorType", "policyName", "type", "message", "description")
    return "; ".join(str(told[name])[:200] for name in names if told.get(name)) or "(no reason)"


def harmless(message: str, secret: str) -> str:
    """The message without the secret and without characters that a terminal obeys."""
    shown = message.replace(secret, "***")
    return "".join(mark if mark.isprintable() else " " for mark in shown)


def end_is_marked(response: httpx.Response) -> bool:
    """Whether HTTP tells where the body ends, rather than the connection just closing."""
    headers = response.headers
    return "content-length" in headers or "transfer-encoding" in headers


def require_marked_end(response: httpx.Response) -> None:
    """Raise unverifiable_body where neither HTTP nor gzip could tell a cut body from a whole."""
    if not end_is_marked(response) and "gzip" not in response.headers.get("content-encoding", ""):
        raise ExtractionError("nothing marks the end of the body.", code="unverifiable_body")
