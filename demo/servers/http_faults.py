"""Define the HTTP faults that ``fault_schedule`` applies, one function per fault."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from demo.servers.transport import dumps

Headers = dict[str, str]
App = Callable[..., Awaitable[None]]


@dataclass
class Exchange:
    """One request to a vendor's app and its response."""

    app: App
    scope: dict[str, Any]
    receive: Callable[..., Awaitable[Any]]
    send: Callable[..., Awaitable[None]]

    async def pass_on(self) -> None:
        """Let the app answer normally."""
        await self.app(self.scope, self.receive, self.send)

    async def answer(self) -> tuple[int, Headers, bytes]:
        """Return the app's response without sending it."""
        sent: list[dict[str, Any]] = []

        async def keep(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(self.scope, self.receive, keep)
        start = sent[0]
        headers = {key.decode(): value.decode() for key, value in start["headers"]}
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return start["status"], headers, body

    async def start(self, status: int, headers: Headers) -> None:
        """Send the status line and headers."""
        pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        await self.send({"type": "http.response.start", "status": status, "headers": pairs})

    async def write(self, body: bytes, *, more: bool = False) -> None:
        """Send the body or a part of it."""
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def reply(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole response with the correct content length."""
        await self.start(status, {**headers, "content-length": str(len(body))})
        await self.write(body)

    def hang_up(self) -> None:
        """Drop the connection without sending another byte."""
        self.send.__self__.transport.abort()  # type: ignore[attr-defined]


Fault = Callable[[Exchange], Awaitable[None]]


def answered(status: int, body: Any = b"", headers: Headers | None = None) -> Fault:
    """Answer with this status and body (bytes unchanged, anything else as JSON)."""

    async def fault(exchange: Exchange) -> None:
        raw = body if isinstance(body, bytes) else dumps(body)
        kind = "text/html" if isinstance(body, bytes) else "application/json"
        await exchange.reply(status, {"content-type": kind, **(headers or {})}, raw)

    return fault


def server_error(status: int = 500) -> Fault:
    """Answer with a gateway's HTML error page."""
    return answered(status, f"<html><body><h1>{status}</h1></body></html>".encode())


def login_page() -> Fault:
    """Answer with status 200 and an HTML page, as a proxy or an expired session does."""
    return answered(200, b"<!doctype html><title>Log in</title><form></form>")


def hubspot_limit(policy: str = "SECONDLY", retry_after: str | None = None) -> Fault:
    """Answer with HubSpot's 429 for the policy SECONDLY, TEN_SECONDLY_ROLLING or DAILY."""
    body = {
        "status": "error",
        "message": f"You have reached your {policy.lower()} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": "c033cdaa-2c40-4a64-ae48-b4cec88dad24",
        "policyName": policy,
        "requestId": "3d3e35b7-0dae-4b9f-a6e3-9c230cbcf8dd",
    }
    return answered(429, body, {"retry-after": retry_after} if retry_after else None)


def stripe_limit(code: str = "rate_limit", retry_after: str | None = None) -> Fault:
    """Answer with Stripe's 429 with the code rate_limit or lock_timeout."""
    messages = {
        "rate_limit": "Request rate limit exceeded.",
        "lock_timeout": "This object cannot be accessed right now because another API request "
        "or Stripe process is currently accessing it.",
    }
    body = {"error": {"code": code, "message": messages[code], "type": "invalid_request_error"}}
    headers = {"stripe-should-retry": "true"}
    return answered(429, body, {**headers, "retry-after": retry_after} if retry_after else headers)


def typeform_limit(retry_after: str | None = None) -> Fault:
    """Answer with Typeform's 429."""
    body = {"code": "TOO_MANY_REQUESTS", "description": "Request limit exceeded"}
    return answered(429, body, {"retry-after": retry_after} if retry_after else None)


LIMITS: dict[str, Callable[[], Fault]] = {
    "hubspot": hubspot_limit,
    "stripe": stripe_limit,
    "typeform": typeform_limit,
}


def truncated(share: float = 0.5) -> Fault:
    """Announce the full length, send a part of the body and drop the connection."""

    async def fault(exchange: Exchange) -> None:
        status, headers, body = await exchange.answer()
        await exchange.start(status, {**headers, "content-length": str(len(body))})
        await exchange.write(body[: int(len(body) * share)], more=True)
        await asyncio.sleep(0.05)  # let the part reach the client before the connection drops
        exchange.hang_up()

    return fault


def truncated_gzip(share: float = 0.5) -> Fault:
    """Send a truncated gzip body whose Content-Length matches the truncated size."""

    async def fault(exchange: Exchange) -> None:
        status, headers, body = await exchange.answer()
        packed = gzip.compress(body)
        await exchange.reply(
            status, {**headers, "content-encoding": "gzip"}, packed[: int(len(packed) * share)]
        )

    return fault


def reset() -> Fault:
    """Drop the connection without a response."""

    async def fault(exchange: Exchange) -> None:
        exchange.hang_up()

    return fault


def hang(seconds: float) -> Fault:
    """Answer only after ``seconds``."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await exchange.pass_on()

    return fault


def drip(bytes_per_second: int) -> Fault:
    """Send the body at ``bytes_per_second``, in ten chunks a second."""

    async def fault(exchange: Exchange) -> None:
        status, headers, body = await exchange.answer()
        await exchange.start(status, {**headers, "content-length": str(len(body))})
        step = max(1, bytes_per_second // 10)
        for at in range(0, len(body), step):
            await exchange.write(body[at : at + step], more=at + step < len(body))
            await asyncio.sleep(0.1)

    return fault


def edited(change: Callable[[Any], Any]) -> Fault:
    """Change the JSON of the response: a looping cursor, a lost page, schema drift."""

    async def fault(exchange: Exchange) -> None:
        status, headers, body = await exchange.answer()
        await exchange.reply(status, headers, dumps(change(json.loads(body))))

    return fault


def lagging(lag: timedelta) -> Fault:
    """Answer from an index that is ``lag`` behind."""

    async def fault(exchange: Exchange) -> None:
        exchange.scope["demo.lag"] = lag
        await exchange.pass_on()

    return fault
