"""Read one stream once: send requests, locate errors, yield and count records."""

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
    """State of an extractor during a read: request pages with ``get`` and ``post``, check, yield.

    ``control_total`` is the number of records that the vendor reports. ``complete`` is set after a
    read that listed every live record, so that a missing id means a deletion.
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
        """Request a page; raise cursor_in_future if the window starts after the vendor's clock."""
        self.page += 1
        document = self.client.get(target, params, where=self.where)
        self._require_past()
        return document

    def post(self, target: str, body: Any) -> dict[str, Any]:
        """Request a page as ``get`` does, for reads that the vendor expects as a POST."""
        self.page += 1
        document = self.client.post(target, body, where=self.where)
        self._require_past()
        return document

    def rows(self, document: dict[str, Any], name: str) -> list[Any]:
        """Return the list of that name in a page; raise bad_body if the page has none."""
        rows = document.get(name)
        if not isinstance(rows, list):
            raise self.error(f"the page has no list {name!r}.", "bad_body")
        return rows

    def at(self, row: int) -> str:
        """Return the position of a row of the current page."""
        return f"page {self.page} row {row}"

    def error(self, message: str, code: str, hint: str = "") -> ExtractionError:
        return ExtractionError(message, code=code, where=self.where, hint=hint)

    def record(
        self, doc: Any, position: str, updated_at: datetime | None, *, deleted: bool = False
    ) -> Record | Rejected:
        """Return the document as a Record, or Rejected if its JSON is invalid or it has no id."""
        found = jsondoc.flaw(doc)
        record_id = identity(doc, self.stream.key)
        if found is None and record_id is None:
            found = "missing_key", f"{self.stream.key} is missing, empty or not an id"
        if found or record_id is None:
            code, reason = found or ("missing_key", "no id")
            return Rejected(code, reason, position, jsondoc.text(doc), record_id)
        return Record(record_id, doc, updated_at, position, deleted)

    def _require_past(self) -> None:
        start, now = self.window.start, self.client.vendor_now
        if start is not None and now is not None and start > now + _DRIFT:
            raise self.error(
                f"the window starts after the vendor's clock, {now:%Y-%m-%d %H:%M}Z.",
                "cursor_in_future",
                "Correct the stream's row in ops.cursors; nothing was read.",
            )


class Extraction(Iterator[Record | Rejected]):
    """The records of a Reading, and the counts for the load's row in ``ops``."""

    def __init__(self, reading: Reading, records: Iterator[Record | Rejected]) -> None:
        self._reading = reading
        self._records = self._closing(records)

    def __next__(self) -> Record | Rejected:
        return next(self._records)

    @property
    def requests(self) -> int:
        """Return the number of requests sent so far, retries included."""
        return self._reading.client.requests

    @property
    def control_total(self) -> int | None:
        """Return the number of records that the vendor reports, if it does."""
        return self._reading.control_total

    @property
    def complete(self) -> bool:
        """Return whether the read listed every live record; known after the last record."""
        return self._reading.complete

    def _closing(self, records: Iterator[Record | Rejected]) -> Iterator[Record | Rejected]:
        with self._reading.client:
            yield from records


Read = Callable[[Reading], Iterator[Record | Rejected]]


class Progress:
    """Raise pagination_loop when paging does not advance.

    It does not when a page token repeats, whatever the length of the cycle, or when new tokens
    bring nothing new for ``BARREN_PAGES`` pages in a row.
    """

    BARREN_PAGES = 20

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._seen: set[str] = set()
        self._barren = 0

    def advance(self, token: str, *, brought_new: bool) -> str:
        """Return the token of the next page; ``brought_new``: this page had an unseen record."""
        if token in self._seen:
            raise self._reading.error("the vendor returned the same page token twice.", _LOOP)
        self._seen.add(token)
        self._barren = 0 if brought_new else self._barren + 1
        if self._barren >= self.BARREN_PAGES:
            raise self._reading.error(
                f"{self._barren} pages in a row have nothing new, and the vendor announces more.",
                _LOOP,
                "Nothing was stored. Load again; if it repeats, report it to the vendor.",
            )
        return token


_LOOP = "pagination_loop"


def identity(doc: Any, key: str = "id") -> str | None:
    """Return the id at a dotted path as text, or None; 7 and "7" are the same id."""
    for name in key.split("."):
        doc = doc.get(name) if isinstance(doc, dict) else None
    if isinstance(doc, bool) or not isinstance(doc, int | str):
        return None
    return str(doc).strip() or None


def instant(value: Any) -> datetime | None:
    """Parse ISO text, or a count of seconds or milliseconds, to a datetime; else None."""
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
            moment = datetime.fromisoformat(value.strip())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        count = int(value)
        # 10**11 seconds is the year 5138; 10**11 milliseconds is the year 1973.
        return datetime.fromtimestamp(count / 1000 if abs(count) >= 10**11 else count, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
