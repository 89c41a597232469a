"""HubSpot: nothing is lost between the search's wall, its late index and its lists."""

from __future__ import annotations

from datetime import timedelta

from retention.window import Window
from tests.sources.hubspot.crm import COMPANIES, DAY, NOON, Crm, company, ids, read
from tests.vendor_replay import Answer, Replay, Request


def test_25000_changes_are_read_despite_the_search_limit_of_10000() -> None:
    """A1: all of them, in no more requests than full pages take."""
    crm = Crm([company(n, NOON + timedelta(seconds=n % 3600)) for n in range(1, 25_001)])
    with Replay(crm) as server:
        extraction = COMPANIES.extract(server.connection(), COMPANIES, DAY)
        assert len(set(ids(list(extraction)))) == 25_000
        assert extraction.control_total == 25_000  # type: ignore[attr-defined]
        assert extraction.requests == len(server.requests) <= 126  # type: ignore[attr-defined]


def test_12000_changes_with_one_time_stamp_are_all_read() -> None:
    """A2: a bulk edit gives them one time stamp; the ids still tell them apart."""
    with Replay(Crm([company(n) for n in range(1, 12_001)])) as server:
        assert len(set(ids(read(server.connection())))) == 12_000
        assert len(server.requests) < 200


def test_a_change_between_two_pages_loses_no_record() -> None:
    """A3: what changes meanwhile leaves the window; its neighbours keep their place."""
    crm = Crm([company(n) for n in range(1, 501)])

    def vendor(request: Request) -> Answer:
        if request.number == 2:
            crm.docs[7] = company(7, DAY.end + timedelta(hours=1))  # already read
            crm.docs[450] = company(450, DAY.end + timedelta(hours=1))  # not read yet
        return crm(request)

    with Replay(vendor) as server:
        first = set(ids(read(server.connection())))
        assert first == {str(n) for n in range(1, 501)} - {"450"}
        following = Window(DAY.end, DAY.end + timedelta(days=1))
        assert {"7", "450"} <= set(ids(read(server.connection(), following)))


def test_the_overlap_covers_a_late_index() -> None:
    """A4: visible 90 s after its own time stamp, behind the cursor; the next load has it."""
    late = company(1, DAY.end - timedelta(seconds=30))
    crm = Crm()
    with Replay(crm) as server:
        assert read(server.connection()) == []
        crm.docs[1] = late
        overlapping = Window(DAY.end - COMPANIES.overlap, DAY.end + timedelta(days=1))
        assert ids(read(server.connection(), overlapping)) == ["1"]
        assert COMPANIES.overlap >= timedelta(minutes=30)
