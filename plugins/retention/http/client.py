"""The HTTP client of every source: one pinned host, whole bodies only, patience with a limit."""

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
from retention.http import replies
from retention.http.body import decoded
from retention.http.pin import Pin
from retention.http.replies import Refusal, Reply
from retention.http.retry import Transient, patiently, vendor_clock
from retention.http.wire import Wire

if TYPE_CHECKING:  # the sources import this module
    from retention.source import Connection

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """``deadline`` seconds for one exchange, ``budget`` seconds for all tries of it.

    ``body`` and ``file`` are the most bytes a document and a download may have; ``pace`` is
    the least number of seconds between two requests.
    """

    deadline: float = 60
    budget: float = 300
    body: int = 64 << 20
    file: int = 8 << 30
    pace: float = 0

    @classmethod
    def of(cls, connection: Connection) -> Limits:
        """The defaults, as far as ``limits`` in the connection's extra does not set them."""
        try:
            return cls(**connection.extra.get("limits", {}))
        except TypeError as error:
            raise ConfigurationError(
                "its extra has limits that do not exist.",
                where=connection.conn_id,
                mend=f"There are {', '.join(cls.__dataclass_fields__)}.",
            ) from error


@dataclass(frozen=True)
class Call:
    """What to ask; ``where`` names source, stream, window and page in an error."""

    method: str
    target: str
    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    form: dict[str, str] | None = None
    where: str = ""


class Client:
    """``with Client(connection, headers=...) as client: client.get("/v1/things")``.

    Every failure is an ExtractionError with a stable code, and none of them holds the secret.
    ``requests`` counts what was sent, retries included. ``renew`` fetches a new secret, once,
    when the vendor calls the present one expired. ``vendor_now`` is the vendor's own clock.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        headers: Callable[[str], dict[str, str]],
        refusal: Refusal = replies.by_status,
        renew: Callable[[Client], str] | None = None,
    ) -> None:
        _require_secret(connection)
        self.requests = 0
        self.vendor_now: datetime | None = None
        self.limits = Limits.of(connection)
        self._pin = Pin(connection)
        self._wire = Wire(deadline=self.limits.deadline, use_proxies=not self._pin.loopback)
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
        self._wire.close()

    def get(
        self, target: str, params: dict[str, Any] | None = None, *, where: str = ""
    ) -> dict[str, Any]:
        """The JSON object at a path or link of the pinned host."""
        return self._tried(Call("GET", target, params or {}, where=where), self._document)

    def post(self, target: str, body: Any, *, where: str = "") -> dict[str, Any]:
        """The JSON object answering a read that the vendor wants as a POST."""
        return self._tried(Call("POST", target, body=body, where=where), self._document)

    def form(self, target: str, fields: dict[str, str], *, where: str = "") -> dict[str, Any]:
        """The JSON object answering a posted form, as token endpoints want it."""
        return self._tried(Call("POST", target, form=fields, where=where), self._document)

    def download(self, target: str, path: Path, *, where: str = "") -> int:
        """Write a file's bytes to ``path`` and return their number; all of them or nothing.

        A body whose end nothing marks (no length, no chunks, no gzip) is refused: one cut at
        a line end could not be told from a whole one.
        """
        part = path.with_name(path.name + ".part")

        def save(response: httpx.Response) -> int:
            replies.require_marked_end(response)
            with part.open("wb") as file:
                return sum(map(file.write, self._pieces(response, self.limits.file)))

        try:
            size = self._tried(Call("GET", target, where=where), save)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return size

    def _document(self, response: httpx.Response) -> dict[str, Any]:
        return replies.document(self._reply(response), marked=replies.end_is_marked(response))

    def _tried(self, call: Call, read: Callable[[httpx.Response], T]) -> T:
        try:
            url = self._pin.address(call.target).copy_merge_params(call.params)
            return patiently(lambda: self._once(call, url, read), budget=self.limits.budget)
        except ExtractionError as error:
            raise self._told(error, call) from error.__cause__

    def _once(self, call: Call, url: httpx.URL, read: Callable[[httpx.Response], T]) -> T:
        self._keep_pace()
        self.requests += 1
        headers = self._headers(self._secret)
        request = self._wire.request(call.method, url, headers, json=call.body, data=call.form)
        with self._wire.exchange(request) as response:
            if "date" in response.headers:
                self.vendor_now = vendor_clock(response.headers["date"])
            try:
                if response.is_success:
                    return read(response)
                refused = self._reply(response)
            except ExtractionError as error:
                # The next try may well get the whole of what this one got a part of.
                raise (Transient(error) if error.code == "truncated_body" else error) from error
        raise self._judged(refused)

    def _judged(self, reply: Reply) -> ExtractionError | Transient:
        if reply.status == 401 and self._renew is not None:
            renew, self._renew = self._renew, None
            self._secret = renew(self)
            return Transient(ExtractionError("the token had expired.", code="unauthorized"), 0)
        return self._refusal(reply) or replies.by_status(reply)

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

    def _told(self, error: ExtractionError, call: Call) -> ExtractionError:
        """The error with its place, and without the secret whatever the vendor echoed."""
        message = f"{call.method} {call.target.split('?')[0][:120]}: {error.message}"
        return ExtractionError(
            replies.harmless(message, self._secret),
            code=error.code,
            where=error.where or call.where,
            mend=error.mend,
        )


def _require_secret(connection: Connection) -> None:
    if not connection.base_url or not connection.secret:
        missing = "secret" if connection.base_url else "address"
        raise ConfigurationError(
            f"the connection has no {missing}.",
            code=f"missing_{missing}",
            where=connection.conn_id,
            mend="Fill in its host and, as its password, the vendor's access token.",
        )
