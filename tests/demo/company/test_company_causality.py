"""The future changes nothing that was, and nobody else changes a customer."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from company_world import SHORT, all_versions, small_world

from demo.company.clock import add_months
from demo.company.world import START, World, simulate


@pytest.fixture
def small() -> World:
    return small_world()


@pytest.mark.parametrize("days", [61, 184, 275, 399])
def test_more_days_change_nothing_that_was(small: World, days: int) -> None:
    shorter = simulate(customers=60, days=days)
    end = datetime.combine(START + timedelta(days=days), datetime.min.time(), tzinfo=UTC)
    same_until(small, shorter, end)
    early = small.events.filter(pc.less(small.events["received_at"], pa.scalar(end)))
    assert early.num_rows > 1_000
    assert early.equals(shorter.events)
    for key, truth in shorter.truth.items():
        later = small.truth[key]
        assert truth.mrr.items() <= later.mrr.items()
        assert truth.satisfaction.items() <= later.satisfaction.items()
        assert truth.churns == [c for c in later.churns if c.ended_on < end.date()]
        assert truth.reactivated_on == [day for day in later.reactivated_on if day < end.date()]
        assert truth.nps == [answer for answer in later.nps if answer.answered_at < end]


def test_more_customers_change_nothing_of_the_earlier_ones(small: World) -> None:
    fewer = simulate(customers=41, days=SHORT)
    for vendor, stream, key, versions in all_versions(fewer):
        assert small.records[vendor, stream][key] == versions
    companies = pa.array(list(fewer.truth))
    kept = small.events.filter(pc.is_in(small.events["company_id"], companies))
    assert kept.equals(fewer.events)
    assert {key: small.truth[key] for key in fewer.truth} == fewer.truth


def same_until(longer: World, shorter: World, end: datetime) -> None:
    """Before ``end`` both know the same records in the same versions."""
    compared = 0
    for vendor, stream, key, versions in all_versions(longer):
        early = [version for version in versions if version.at < end]
        assert early == shorter.records[vendor, stream].get(key, []), (vendor, stream, key)
        compared += bool(early)
    assert compared == sum(len(records) for records in shorter.records.values()) > 1_500


def test_the_same_seed_gives_the_same_world_and_another_does_not() -> None:
    one, two, other = (simulate(seed=seed, customers=12, days=90) for seed in (7, 7, 8))
    assert one.records == two.records
    assert one.events.equals(two.events)
    assert one.records != other.records


def test_no_document_knows_of_anything_after_its_own_version(small: World) -> None:
    """Stamps of the past only, but for what is planned: periods, due dates, appointments."""
    planned = {
        "cancel_at", "current_period_end", "end", "period_end", "due_date", "next_payment_attempt",
        "trial_end", "billing_cycle_anchor", "resumes_at", "closedate", "due_on", "hs_timestamp",
        "hs_meeting_start_time", "hs_meeting_end_time",
    }  # fmt: skip
    for vendor, stream, _, versions in all_versions(small):
        for version in versions:
            for name, moment in moments(version.doc):
                if name not in planned and not (vendor == "stripe" and stream == "events"):
                    assert moment <= version.at, (vendor, stream, name, version)


def moments(doc: Any, name: str = "") -> Iterator[tuple[str, datetime]]:
    """All times found in a document, with the name of their field."""
    if isinstance(doc, dict):
        for key, value in doc.items():
            yield from moments(value, key)
    elif isinstance(doc, list):
        for value in doc:
            yield from moments(value, name)
    elif isinstance(doc, int) and 1_500_000_000 < doc < 2_500_000_000 and "amount" not in name:
        yield name, datetime.fromtimestamp(doc, UTC)
    elif isinstance(doc, str) and len(doc) >= 19 and doc[4:5] == "-" and doc[10:11] == "T":
        yield name, datetime.fromisoformat(doc)
    elif isinstance(doc, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", doc):
        yield name, datetime.fromisoformat(doc).replace(tzinfo=UTC)


def test_a_saved_world_is_the_same_world(small: World, tmp_path: Path) -> None:
    small.save(tmp_path / "world.pickle")
    again = World.load(tmp_path / "world.pickle")
    assert again.records == small.records
    assert again.events.equals(small.events)
    assert again.truth == small.truth
    assert [path.name for path in tmp_path.iterdir()] == ["world.pickle"]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:

    (tmp_path / "other").write_bytes(pickle.dumps({"not": "a world"}))
    with pytest.raises(TypeError, match="does not hold a World"):
        World.load(tmp_path / "other")


def test_months_are_counted_from_the_anchor() -> None:
    anchor = int(datetime(2024, 1, 31, 10, 5, tzinfo=UTC).timestamp())
    days = [datetime.fromtimestamp(add_months(anchor, n), UTC) for n in (0, 1, 2, 12, 13)]
    assert [d.strftime("%m-%d %H:%M") for d in days] == [
        "01-31 10:05", "02-29 10:05", "03-31 10:05", "01-31 10:05", "02-28 10:05",
    ]  # fmt: skip
