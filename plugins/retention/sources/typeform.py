"""Typeform: every response to every form, partial ones included.

Completed responses are filtered by ``submitted_at``; Typeform's ``since`` and ``until`` are
inclusive and have a resolution of one second. A page holds 1,000 responses. The next page ends at
the last timestamp of this one, and responses on both are taken once; Typeform refuses page tokens
beside a window. Partial responses have no ``submitted_at``, and no filter finds their changes. They
are all listed with ``before`` tokens after the completed ones: a response completed meanwhile
belongs to the next window. The time of a version is ``submitted_at``, else ``staged_at``, else
``landed_at``, so a completed response replaces the partial one with the same token.

Each document gets ``form_id`` and ``form_title``, which identify the survey and its scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import quote

from retention.errors import ExtractionError
from retention.http.client import Client
from retention.source import Connection, Record, Rejected, Source, Stream
from retention.sources.contracts.typeform import Response
from retention.sources.extraction import Extraction, Progress, Reading, identity, instant
from retention.window import Window

_FORMS_PAGE, _PAGE = 200, 1000
_BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)  # Typeform was founded in 2012

Rows = Iterator[tuple[Any, str]]


def extract(connection: Connection, stream: Stream, window: Window) -> Extraction:
    """Yield the responses completed in the window and partial ones begun before its end."""
    client = Client(connection, headers=lambda secret: {"Authorization": f"Bearer {secret}"})
    reading = Reading("typeform", connection, stream, window, client)
    return Extraction(reading, _responses(reading))


def _responses(reading: Reading) -> Iterator[Record | Rejected]:
    received = 0
    for form in list(_forms(reading)):
        seen: set[str] = set()
        for doc, position in chain(_completed(reading, form), _partial(reading, form)):
            token = identity(doc, "token")
            if token is None or token not in seen:
                received += 1
                yield _record(reading, form, doc, position)
            seen.update([token] if token else [])
    reading.control_total = received


def _record(reading: Reading, form: dict[str, Any], doc: Any, position: str) -> Record | Rejected:
    position = f"form {form['id']} {position}"
    if not isinstance(doc, dict):
        return reading.record(doc, position, None)
    doc |= {"form_id": form["id"], "form_title": form.get("title") or ""}
    return reading.record(doc, position, _changed_at(doc))


def _changed_at(doc: dict[str, Any]) -> datetime | None:
    times = (instant(doc.get(name)) for name in ("submitted_at", "staged_at", "landed_at"))
    return next((moment for moment in times if moment), None)


def _forms(reading: Reading) -> Iterator[dict[str, Any]]:
    """Yield every form; raises incomplete_read when the pages hold fewer than announced."""
    number, received, promised = 0, 0, 1
    seen: set[str] = set()
    while received < promised:
        number += 1
        page = reading.get("/forms", {"page": number, "page_size": _FORMS_PAGE})
        forms, promised = reading.rows(page, "items"), _count(reading, page)
        if not forms and received < promised:
            raise _short(reading, received, promised)
        for form in forms:
            name = identity(form)
            if name is None:
                raise reading.error("a form without an id.", "bad_body")
            received += 1
            if name not in seen:
                yield form
            seen.add(name)


def _completed(reading: Reading, form: dict[str, Any]) -> Rows:
    """Yield the responses submitted in the window once each, newest first.

    Raises incomplete_read when fewer arrive than announced.
    """
    since = _text(reading.window.start or _BEGINNING)
    newest = until = reading.window.end - timedelta(microseconds=1)
    seen: set[str] = set()
    promised: int | None = None
    while True:
        page = _page(reading, form, response_type="completed", since=since, until=_text(until))
        rows, left = reading.rows(page, "items"), _count(reading, page)
        promised = left if promised is None else promised
        before = len(seen)
        for row, doc in enumerate(rows, 1):
            token = identity(doc, "token") or f"nameless {reading.page}/{row}"
            if token not in seen:
                yield doc, reading.at(row)
            seen.add(token)
        if len(rows) >= left:
            break
        if len(seen) == before:
            raise _short(reading, len(seen), promised)
        until = _oldest(reading, rows, until)
    if len(seen) < promised:
        again = _page(reading, form, response_type="completed", since=since, until=_text(newest))
        if len(seen) < (promised := _count(reading, again)):
            raise _short(reading, len(seen), promised)


def _partial(reading: Reading, form: dict[str, Any]) -> Rows:
    """Yield the partial responses begun before the window's end."""
    progress, token = Progress(reading), ""
    seen: set[str | None] = set()
    while True:
        place = {"before": token} if token else {}
        page = _page(reading, form, response_type="partial", **place)
        rows, left = reading.rows(page, "items"), _count(reading, page)
        for row, doc in enumerate(rows, 1):
            changed = _changed_at(doc) if isinstance(doc, dict) else None
            if changed is None or changed < reading.window.end:
                yield doc, reading.at(row)
        if len(rows) >= left:
            return
        last = identity(rows[-1], "token") if rows else None
        if last is None:
            raise _short(reading, len(rows), left)
        tokens = {identity(doc, "token") for doc in rows}
        token = progress.advance(last, brought_new=not tokens <= seen)
        seen |= tokens


def _page(reading: Reading, form: dict[str, Any], **asked: str) -> dict[str, Any]:
    target = f"/forms/{quote(str(form['id']), safe='')}/responses"
    return reading.get(target, {"page_size": _PAGE, **asked})


def _oldest(reading: Reading, rows: list[Any], until: datetime) -> datetime:
    times = [instant(doc.get("submitted_at")) for doc in rows if isinstance(doc, dict)]
    oldest = min((moment for moment in times if moment), default=None)
    if oldest is None:
        raise reading.error("no response of the page has submitted_at.", "bad_body")
    return min(until, oldest)


def _count(reading: Reading, page: dict[str, Any]) -> int:
    count = page.get("total_items")
    if not isinstance(count, int):
        raise reading.error("the page has no total_items.", "bad_body")
    return count


def _short(reading: Reading, received: int, promised: int) -> ExtractionError:
    return reading.error(f"{received} of {promised} items arrived.", "incomplete_read")


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


SOURCE = Source(
    name="typeform",
    conn_id="typeform_api",
    schedule="0 0 * * *",
    freshness=timedelta(hours=27),
    owner="customer-success",
    pool="typeform",
    doc=__doc__,
    streams=(
        Stream(
            name="responses",
            record=Response,
            extract=extract,
            key="token",
            updated_at="submitted_at",
            overlap=timedelta(hours=1),
        ),
    ),
)
