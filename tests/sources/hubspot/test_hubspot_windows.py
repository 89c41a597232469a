"""HubSpot: a window is asked for as it is, and history ends at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from retention.sources.hubspot import SOURCE
from retention.window import Window
from tests.sources.hubspot.crm import (
    COMPANIES,
    DAY,
    HISTORY,
    Crm,
    company,
    fails,
    ids,
    millis,
    read,
    stamp,
)
from tests.vendor_replay import Replay


def test_the_window_is_sent_to_the_vendor() -> None:
    """Both ends, half-open, and the property that contacts call by another name."""
    contacts = SOURCE.stream("contacts")
    with Replay(Crm()) as server:
        read(server.connection(), stream=contacts)
        first, second, _ = Crm.filters(server.requests[0].body)
    assert first == {
        "propertyName": "lastmodifieddate",
        "operator": "GTE",
        "value": str(millis("2026-06-30T00:00:00Z")),
    }
    assert (second["operator"], second["value"]) == ("LT", str(millis("2026-07-01T00:00:00Z")))


def test_history_excludes_records_created_after_it() -> None:
    young = company(2) | {"createdAt": stamp(DAY.end)}
    with Replay(Crm([company(1), young])) as server:
        extraction = COMPANIES.extract(server.connection(), COMPANIES, HISTORY)
        assert ids(list(extraction)) == ["1"]
        assert extraction.complete  # type: ignore[attr-defined]


def test_a_window_from_the_future_is_refused() -> None:
    """E4: a poisoned cursor of the year 2999 would silently read nothing for ever."""
    start = datetime(2999, 1, 1, tzinfo=UTC)
    with Replay(Crm()) as server:
        assert fails(server, Window(start, start + timedelta(days=1))).code == "cursor_in_future"
