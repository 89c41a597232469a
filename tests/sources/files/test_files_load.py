"""A folder of files in the warehouse: loaded once, changed, thinned out, taken away."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ExtractionError, QuarantineRateExceeded
from retention.landing import land as landing
from retention.landing.land import LoadResult
from retention.source import Connection
from retention.sources.files import SOURCE
from retention.usage.load import load_usage
from retention.warehouse import Warehouse
from retention.window import Window
from tests.places import FIXTURES, SHARED, needs_shared_data
from tests.sources.files.files_folder import folder

UGLY = FIXTURES / "files" / "ugly"

DAY = Window.of_day(date(2024, 8, 1))
TEN = "".join(f"{n},name {n}\n" for n in range(10))


def load(wh: Warehouse, root: Path, stream: str, window: Window = DAY) -> LoadResult:
    found = SOURCE.stream(stream)
    return landing.load_stream(wh, SOURCE, found, Connection("files", str(root)), window)


def rows(wh: Warehouse, query: Any) -> list[tuple[Any, ...]]:
    with wh.connect("loader") as conn:
        return conn.execute(query).fetchall()


def test_loading_a_folder_twice_changes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    root = folder(tmp_path, accounts_csv=f"id,name\n{TEN}")
    assert load(warehouse, root, "accounts").versions_written == 10
    assert load(warehouse, root, "accounts").versions_written == 0


def test_a_record_that_vanished_from_the_folder_is_deleted(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, folder(tmp_path, accounts_csv=f"id,name\n{TEN}"), "accounts")
    load(warehouse, folder(tmp_path, accounts_csv=f"id,name\n{TEN[:-9]}"), "accounts")
    gone = rows(warehouse, "select record_id from raw.files_accounts where deleted")
    assert gone == [("9",)]


def test_a_folder_that_lost_more_than_half_stops_and_deletes_nothing(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, folder(tmp_path, accounts_csv=f"id,name\n{TEN}"), "accounts")
    few = folder(tmp_path, accounts_csv="id,name\n0,name 0\n1,name 1\n")
    with pytest.raises(ExtractionError) as caught:
        load(warehouse, few, "accounts")
    assert caught.value.code == "delete_guard"
    assert rows(warehouse, "select count(*) from raw.files_accounts where deleted") == [(0,)]


def test_a_stream_that_vanished_from_the_mapping_stops(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    load(warehouse, folder(tmp_path, accounts_csv=f"id,name\n{TEN}"), "accounts")
    other = "streams: {owners: {file: accounts.csv, fields: {owner_id: id}}}"
    with pytest.raises(ExtractionError) as caught:
        load(warehouse, folder(tmp_path, other), "accounts")
    assert caught.value.code == "delete_guard"


def test_a_contract_violation_is_quarantined_with_file_and_line(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    mapping = """
streams:
  survey_responses:
    file: nps.csv
    fields:
      response_id: id
      survey: {value: nps}
      account_id: account
      score: score
      answered_at: at
"""
    sound = "".join(f"{n},A,9,2024-05-01\n" for n in range(40))
    content = f"id,account,score,at\n{sound}40,A,11,2024-05-01\n41,A,x,2024-05-01\n"
    load(warehouse, folder(tmp_path, mapping, nps_csv=content), "survey_responses")
    held = rows(warehouse, "select record_id, position from ops.quarantine order by 1")
    assert held == [("40", "nps.csv line 42"), ("41", "nps.csv line 43")]
    assert rows(warehouse, "select count(*) from raw.files_survey_responses") == [(40,)]


def test_a_folder_with_too_many_unreadable_rows_loads_nothing(warehouse: Warehouse) -> None:
    with pytest.raises(QuarantineRateExceeded):
        load(warehouse, UGLY, "accounts")
    assert rows(warehouse, "select status, versions_written from ops.loads") == [("failed", 0)]


def test_decimals_reach_the_warehouse_digit_by_digit(warehouse: Warehouse, tmp_path: Path) -> None:
    mapping = """
streams:
  goals: {file: goals.csv, fields: {goal_id: id, account_id: id, target: target}}
"""
    content = "id,target\n1,0.1234567890123456789\n2,92233720368547.75808\n"
    load(warehouse, folder(tmp_path, mapping, goals_csv=content), "goals")
    query = "select doc ->> 'target' from raw.files_goals order by record_id"
    assert rows(warehouse, query) == [("0.1234567890123456789",), ("92233720368547.75808",)]


@pytest.mark.parametrize(
    ("name", "counts", "events"),
    [
        ("fightchurn", {"accounts": 510, "subscriptions": 3073}, 507_147),
        (
            "ravenstack",
            {"accounts": 500, "subscriptions": 5000, "tickets": 2000, "churn_events": 600},
            25_000,
        ),
    ],
)
class TestRealData:
    """The public data sets arrive whole, nothing quarantined, by the paths of production."""

    pytestmark = needs_shared_data

    def test_every_record_and_every_event_arrives(
        self,
        warehouse: Warehouse,
        tmp_path: Path,
        name: str,
        counts: dict[str, int],
        events: int,
    ) -> None:
        window = Window.through(date(2025, 1, 1))
        for stream, count in counts.items():
            result = load(warehouse, SHARED / name, stream, window)
            assert (result.versions_written, result.rejected) == (count, 0)
        connection = Connection("files", str(SHARED / name))
        usage = SOURCE.stream("usage_events")
        load_usage(warehouse, SOURCE, usage, connection, window, lake=tmp_path)
        query = "select sum(events)::bigint from raw.files_usage_daily"
        assert rows(warehouse, query) == [(events,)]
        assert rows(warehouse, "select count(*) from ops.quarantine") == [(0,)]
