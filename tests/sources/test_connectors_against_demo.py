"""The connectors read the whole demo company, day by day, without losing a record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from demo.company.simulation import simulate
from demo.company.world import World
from demo.servers.app import Servers, serve
from demo.servers.http_faults import hubspot_limit, login_page, server_error, truncated
from retention.errors import ExtractionError
from retention.landing.documents import Prepared, prepare
from retention.source import Connection, Record, Source, Stream
from retention.sources import hubspot, stripe, typeform
from retention.window import Window
from tests.end_to_end.truth import comparable, true_docs

FIRST = date(2026, 6, 30)
SOURCES = (hubspot.SOURCE, stripe.SOURCE, typeform.SOURCE)
STREAMS = [(source, stream) for source in SOURCES for stream in source.streams]
EACH = pytest.mark.parametrize(
    ("source", "stream"), STREAMS, ids=[f"{s.name}-{t.name}" for s, t in STREAMS]
)


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(seed=7, customers=40, days=735)


@pytest.fixture(scope="module")
def servers(world: World) -> Iterator[Servers]:
    with serve(world, FIRST) as running:
        yield running


def connected(servers: Servers, source: Source, window: Window) -> Connection:
    """Connect to a vendor whose clock is the last day of the window."""
    servers.clock.as_of = (window.end - timedelta(days=1)).date()  # type: ignore[misc]
    extra = {"limits": {"budget": 10, "deadline": 20}}
    url, token = servers.urls[source.name], servers.tokens[source.name]
    return Connection(source.conn_id, url, token, extra)


def read(servers: Servers, source: Source, stream: Stream, window: Window) -> list[Record]:
    """Read the stream as of the window's last day; every row must pass its record contract."""
    rows = list(stream.extract(connected(servers, source, window), stream, window))
    for row in rows:
        assert isinstance(row, Record), row
        assert isinstance(prepare(row, stream.record), Prepared), row
    return [row for row in rows if isinstance(row, Record)]


@EACH
def test_history_holds_every_current_record(
    world: World, servers: Servers, source: Source, stream: Stream
) -> None:
    """A1, A12, A18: no record lost, repeated or truncated, nested lists included."""
    rows = read(servers, source, stream, Window.through(FIRST))
    living = [row for row in rows if not row.deleted]
    truth = true_docs(world, source, stream, FIRST)
    assert len(truth) > 2
    assert len(living) == len({row.record_id for row in living})
    assert {row.record_id: comparable(stream, row.doc) for row in living} == truth


@EACH
def test_three_incremental_days_match_the_company(
    world: World, servers: Servers, source: Source, stream: Stream
) -> None:
    """A4: the history plus windows with their overlap equals the company at each day's end."""
    known = {row.record_id: row for row in read(servers, source, stream, Window.through(FIRST))}
    for days in (1, 2, 3):
        day = FIRST + timedelta(days=days)
        window = Window.of_day(day)
        window = Window(window.start - stream.overlap, window.end)  # type: ignore[operator]
        for row in read(servers, source, stream, window):
            before = known.get(row.record_id)
            assert before is None or before.updated_at <= row.updated_at  # type: ignore[operator]
            known[row.record_id] = row
        living = {key: row for key, row in known.items() if not row.deleted}
        truth = true_docs(world, source, stream, day)
        assert {key: comparable(stream, row.doc) for key, row in living.items()} == truth


@EACH
def test_reading_a_day_twice_gives_the_same_documents(
    servers: Servers, source: Source, stream: Stream
) -> None:
    """Equal documents with equal version times, so that landing writes nothing."""
    window = Window.of_day(FIRST + timedelta(days=1))
    assert read(servers, source, stream, window) == read(servers, source, stream, window)


def test_transient_faults_do_not_change_the_records(world: World, servers: Servers) -> None:
    """B2, B3, B6: a limit, a gateway error and a cut body cost requests, not records."""
    contacts = hubspot.SOURCE.stream("contacts")
    for number, fault in ((2, hubspot_limit("SECONDLY")), (4, server_error(503)), (6, truncated())):
        servers.faults.add("hubspot", fault, on=number)
    rows = read(servers, hubspot.SOURCE, contacts, Window.through(FIRST))
    living = {row.record_id: comparable(contacts, row.doc) for row in rows if not row.deleted}
    assert living == true_docs(world, hubspot.SOURCE, contacts, FIRST)


def test_a_login_page_is_an_error_not_an_empty_day(servers: Servers) -> None:
    """B3."""
    servers.faults.add("typeform", login_page(), on=1)
    with pytest.raises(ExtractionError, match="bad_body"):
        read(servers, typeform.SOURCE, typeform.SOURCE.streams[0], Window.of_day(FIRST))
