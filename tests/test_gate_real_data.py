"""The gate's own report on the public data: the defects of RavenStack in exact numbers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from retention import landing
from retention.gate import GateReport, check
from retention.sources.base import Connection
from retention.sources.files import SOURCE
from retention.usage.load import load_usage
from retention.warehouse import Warehouse
from retention.window import Window
from tests.files_folder import SHARED, needs_shared_data

pytestmark = needs_shared_data

# As the README beside the files states them, from a count with another tool.
STATED = {
    "claimed_churn_has_no_open_subscription": 110,
    "claimed_churn_has_a_churn_event": 35,
    "churn_event_has_claimed_churn": 277,
    "opened_after_signup": 1077,
    "opened_before_the_last_churn": 265,
    "answered_before_being_closed": 36,
    "lasts_a_day": 13,
    "seats_agree_with_the_account": 2405,
    "terms_of_one_account_do_not_overlap": 23880,
    "left_after_having_come": 53,
    "left_when_a_subscription_ended": 600 - 6,
    "came_back_after_having_left": 26,
    "used_after_signup": 13198,
    "used_after_its_subscription_starts": 19142,
    "used_before_its_subscription_ends": 290,
}


def report_on(wh: Warehouse, name: str, as_of: date, streams: list[str], lake: Path) -> GateReport:
    connection = Connection("files", str(SHARED / name))
    window = Window.through(as_of)
    for each in streams:
        stream = SOURCE.stream(each)
        if stream.kind == "usage":
            load_usage(wh, SOURCE, stream, connection, window, lake=lake)
        else:
            landing.load_stream(wh, SOURCE, stream, connection, window)
    return check(wh, "arrived", sources=[SOURCE], as_of=as_of)


def test_every_contradiction_of_ravenstack_is_told_with_its_exact_count(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    warehouse.migrate([SOURCE])
    streams = ["accounts", "subscriptions", "tickets", "churn_events", "usage_events"]
    report = report_on(warehouse, "ravenstack", date(2025, 1, 1), streams, tmp_path)
    assert report.passed, report.critical
    told = {outcome.expectation: outcome.unexpected for outcome in report.warnings}
    # The README counts overlaps of all terms of an account; ours of one product is a part of it.
    assert told.pop("terms_of_one_product_do_not_overlap") == 7936
    assert told == STATED


def test_fightchurn_contradicts_itself_nowhere(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.migrate([SOURCE])
    streams = ["accounts", "subscriptions", "usage_events"]
    report = report_on(warehouse, "fightchurn", date(2024, 8, 1), streams, tmp_path)
    assert report.passed, report.critical
    told = {outcome.expectation for outcome in report.warnings}
    assert told == {"terms_of_one_account_do_not_overlap"}, "add-ons run beside their plan"
