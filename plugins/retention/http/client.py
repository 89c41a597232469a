"""HTTP client shared by all sources: pinned host, complete-body check, bounded retries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from retention.errors import ConfigurationError, ExtractionError
from retention.http import responses
from retention.http.body import decoded
from retention.http.host_pinning import PinnedHost
from retention.http.responses import Refusal, Reply
from retention.http.retry import Transient, call_with_retries, vendor_clock
from retention.http.transport import Transport

if TYPE_CHECKING:  # the sources import this module
    from retention.source import Connection

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """Limits of a client: seconds and bytes.

    ``deadline`` bounds one exchange, ``budget`` all tries of it. ``body`` and ``file`` are
    the maximum bytes of a document and a download; ``pace`` is the minimum time between two
    requests.
    """

    deadline: float = 60
    budget: float = 300
    body: int = 64 << 20
    file: int = 8 << 30
    pace: float = 0

    @classmethod
    def of(cls, connection: Connection) -> Limits:
        """Read ``limits`` from the connection's extra; the rest keep their defaults."""
        try:
            return cls(**connection.extra.get("limits", {}))
        except TypeError as error:
            raise ConfigurationError(
                "the connection's extra sets an unknown limit.",
                where=connection.conn_id,
                hint=f"Known limits: {', '.join(cls.__dataclass_fields__)}.",
            ) from error


@dataclass(frozen=True)
class Call:
    """One request; ``where`` names source, stream, window and page in an error."""

    method: str
    target: str
    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    form: dict[str, str] | None = None
    where: str = ""


class Client:
    """``with Client(connection, headers=...) as client: client.get("/v1/things")``.

    Every failure is an ExtractionError with a stable code and without the secret.
    ``requests`` counts the requests sent, retries included. ``renew`` fetches a new secret,
    once, after a 401. ``vendor_now`` is the time of the last Date header.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        headers: Callable[[str], dict[str, str]],
        refusal: Refusal = responses.by_status,
        renew: Callable[[Client], str] | None = None,
    ) -> None:
        _require_secret(connection)
        self.requests = 0
        self.vendor_now: datetime | None = None
        self.limits = Limits.of(connection)
        self._pin = PinnedHost(connection)
        self._transport = Transport(
            deadline=self.limits.deadline, use_proxies=not self._pin.loopback
        )
        self._secret = connection.secret
        self._headers = headers
        self._refusal = refusal
        self._renew = renew
        self._last_sent = 0.0

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def get(
        self, target: str, params: dict[str, Any] | None = None, *, where: str = ""
    ) -> dict[str, Any]:
        """Return the JSON object at a path or link of the pinned host."""
        return self._call(Call("GET", target, params or {}, where=where), self._document)

    def post(self, target: str, body: Any, *, where: str = "") -> dict[str, Any]:
        """Return the JSON object of a read that the vendor implements as a POST."""
        return self._call(Call("POST", target, body=body, where=where), self._document)

    def form(self, target: str, fields: dict[str, str], *, where: str = "") -> dict[str, Any]:
        """Return the JSON object for a posted form, as token endpoints require."""
        return self._call(Call("POST", target, form=fields, where=where), self._document)

    def download(self, target: str, path: Path, *, where: str = "") -> int:
        """Download a file to ``path``, completely or not at all; return its size in bytes.

        Raises ExtractionError (unverifiable_body) for a body without length, chunks or gzip:
        one truncated at a line end looks complete.
        """
        part = path.with_name(path.name + ".part")

        def save(response: httpx.Response) -> int:
            responses.require_marked_end(response)
            with part.open("wb") as file:
                return sum(map(file.write, self._pieces(response, self.limits.file)))

        try:
            size = self._call(Call("GET", target, where=where), save)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return size

    def _document(self, response: httpx.Response) -> dict[str, Any]:
        return responses.document(self._reply(response), marked=responses.end_is_marked(response))

    def _call(self, call: Call, read: Callable[[httpx.Response], T]) -> T:
        try:
            url = self._pin.address(call.target).copy_merge_params(call.params)
            return call_with_retries(
                lambda: self._exchange(call, url, read), budget=self.limits.budget
            )
        except ExtractionError as error:
            raise self._with_context(error, call) from error.__cause__

    def _exchange(self, call: Call, url: httpx.URL, read: Callable[[httpx.Response], T]) -> T:
        self._keep_pace()
        self.requests += 1
        headers = self._headers(self._secret)
        request = self._transport.request(call.method, url, headers, json=call.body, data=call.form)
        with self._transport.exchange(request) as response:
            if "date" in response.headers:
                self.vendor_now = vendor_clock(response.headers["date"])
            try:
                if response.is_success:
                    return read(response)
                refused = self._reply(response)
            except ExtractionError as error:
                # A truncated body may arrive completely at the next try.
                raise (Transient(error) if error.code == "truncated_body" else error) from error
        raise self._error_of(refused)

    def _error_of(self, reply: Reply) -> ExtractionError | Transient:
        if reply.status == 401 and self._renew is not None:
            renew, self._renew = self._renew, None
            self._secret = renew(self)
            return Transient(ExtractionError("the token had expired.", code="unauthorized"), 0)
        return self._refusal(reply) or responses.by_status(reply)

    def _reply(self, response: httpx.Response) -> Reply:
        content = b"".join(self._pieces(response, self.limits.body))
        return Reply(response.status_code, response.headers, content)

    def _pieces(self, response: httpx.Response, cap: int) -> Iterator[bytes]:
        encoding = response.headers.get("content-encoding", "").strip().lower()
        return decoded(response.iter_raw(), encoding, cap)

    def _keep_pace(self) -> None:
        wait = self._last_sent + self.limits.pace - time.monotonic()
        if self._last_sent and wait > 0:
            time.sleep(wait)
        self._last_sent = time.monotonic()

    def _with_context(self, error: ExtractionError, call: Call) -> ExtractionError:
        """Add method, target and place; remove the secret, which a vendor may echo."""
        message = f"{call.method} {call.target.split('?')[0][:120]}: {error.message}"
        return ExtractionError(
            responses.redact(message, self._secret),
            code=error.code,
            where=error.where or call.where,
            hint=error.hint,
        )


def _require_secret(connection: Connection) -> None:
    if not connection.base_url or not connection.secret:
        missing = "secret" if connection.base_url else "address"
        raise ConfigurationError(
            f"the connection has no {missing}.",
            code=f"missing_{missing}",
            where=connection.conn_id,
            hint="Set its host, and the vendor's access token as its password.",
        )
