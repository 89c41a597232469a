"""One read of one stream: its requests, its place in an error, its records and their count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from retention import jsondoc
from retention.errors import ExtractionError
from retention.http.client import Client
from retention.source import Connection, Record, Rejected, Stream
from retention.window import Window

_DRIFT = timedelta(days=1)


class Reading:
    """What an extractor holds while it reads: ask with ``get`` and ``post``, check, yield.

    ``control_total`` is the number of records the vendor says there are; ``complete`` is set
    by a read that listed every living record, so that an id it lacks is gone.
    """

    def __init__(
        self, source: str, connection: Connection, stream: Stream, window: Window, client: Client
    ) -> None:
        self.connection = connection
        self.stream = stream
        self.window = window
        self.client = client
        self.control_total: int | None = None
        self.complete = False
        self.page = 0
        self._name = f"{source}/{stream.name} {window}"

    @property
    def where(self) -> str:
        return f"{self._name} page {self.page}"

    def get(self, target: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The next page; cursor_in_future when the window begins after the vendor's today."""
        self.page += 1
        document = self.client.get(target, params, where=self.where)
        self._require_past()
        return document

    def post(self, target: str, body: Any) -> dict[str, Any]:
        """As ``get``, for reads that the vendor wants as a POST."""
        self.page += 1
        document = self.client.post(target, body, where=self.where)
        self._require_past()
        return document

    def rows(self, document: dict[str, Any], name: str) -> list[Any]:
        """The list of that name in a page; a page without it is bad_body, never "no rows"."""
        rows = document.get(name)
        if not isinstance(rows, list):
            raise self.error(f"the page has no list {name!r}.", "bad_body")
        return rows

    def at(self, row: int) -> str:
        """Where a row of the present page stands."""
        return f"page {self.page} row {row}"

    def error(self, message: str, code: str, mend: str = "") -> ExtractionError:
        return ExtractionError(message, code=code, where=self.where, mend=mend)

    def record(
        self, doc: Any, position: str, updated_at: datetime | None, *, deleted: bool = False
    ) -> Record | Rejected:
        """The document as a Record, or Rejected where its JSON is flawed or it has no id."""
        found = jsondoc.flaw(doc)
        record_id = identity(doc, self.stream.key)
        if found is None and record_id is None:
            found = "missing_key", f"{self.stream.key} is missing, empty or no id"
        if found or record_id is None:
            code, reason = found or ("missing_key", "no id")
            return Rejected(code, reason, position, jsondoc.text(doc), record_id)
        return Record(record_id, doc, updated_at, position, deleted)

    def _require_past(self) -> None:
        start, now = self.window.start, self.client.vendor_now
        if start is not None and now is not None and start > now + _DRIFT:
            raise self.error(
                f"the window begins after the vendor's own clock, {now:%Y-%m-%d %H:%M}Z.",
                "cursor_in_future",
                "Correct the stream's row in ops.cursors; nothing was read.",
            )


class Extraction(Iterator[Record | Rejected]):
    """The records of a Reading, and the counts that belong into its ledger row."""

    def __init__(self, reading: Reading, records: Iterator[Record | Rejected]) -> None:
        self._reading = reading
        self._records = self._closing(records)

    def __next__(self) -> Record | Rejected:
        return next(self._records)

    @property
    def requests(self) -> int:
        """Requests sent until now, retries included."""
        return self._reading.client.requests

    @property
    def control_total(self) -> int | None:
        """How many records the vendor said there are, where it says so."""
        return self._reading.control_total

    @property
    def complete(self) -> bool:
        """True after the end when every living record was listed."""
        return self._reading.complete

    def _closing(self, records: Iterator[Record | Rejected]) -> Iterator[Record | Rejected]:
        with self._reading.client:
            yield from records


Read = Callable[[Reading], Iterator[Record | Rejected]]


class Progress:
    """Refuses the page token that was followed before: pagination_loop, whatever the cycle."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._seen: set[str] = set()

    def advance(self, token: str) -> str:
        if token in self._seen:
            raise self._reading.error("the vendor hands out a page a second time.", _LOOP)
        self._seen.add(token)
        return token


_LOOP = "pagination_loop"


def identity(doc: Any, key: str = "id") -> str | None:
    """The id at a dotted path as text, or None; 7 and "7" are one id."""
    for name in key.split("."):
        doc = doc.get(name) if isinstance(doc, dict) else None
    if isinstance(doc, bool) or not isinstance(doc, int | str):
        return None
    return str(doc).strip() or None


def instant(value: Any) -> datetime | None:
    """The moment that an ISO text, or a count of seconds or milliseconds, names; else None."""
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            moment = datetime.fromisoformat(value.strip())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        count = int(value)
        # 10**11 seconds is the year 5138, 10**11 milliseconds the year 1973.
        return datetime.fromtimestamp(count / 1000 if abs(count) >= 10**11 else count, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
