"""Faulty data stops a run: readers keep the last publish, and a repaired source publishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from demo.company.simulation import simulate
from demo.company.world import World
from demo.servers import data_faults
from demo.servers.app import Servers, serve
from retention import migration, steps
from retention.errors import GateFailed
from retention.source import Connection
from retention.sources import SOURCES, hubspot, stripe, typeform
from retention.warehouse import Warehouse
from retention.window import Window
from tests.loading import query

pytestmark = pytest.mark.slow

FIRST = date(2026, 6, 30)
BAD = FIRST + timedelta(days=1)
LOADED = (hubspot.SOURCE, stripe.SOURCE, typeform.SOURCE)
READ_BY_BI = (
    "select (select as_of from publish.as_of), (select publish_id from publish.as_of),"
    " (select count(*) from publish.dim_customers),"
    " (select max(as_of_date) from publish.fct_mrr_daily),"
    " (select sum(mrr_reporting_amount) from publish.fct_mrr_daily)"
)


def unknown_outcome(doc: dict[str, Any]) -> bool:
    """A meeting that took place, in a word that nobody agreed on."""
    doc["properties"]["hs_meeting_outcome"] = "HELD"
    return True


def prices_in_the_wrong_unit(doc: dict[str, Any]) -> bool:
    """Invoice lines billed in thousandths of a cent: the price and the amount of the line."""
    priced = [line for line in doc["lines"]["data"] if line["price"]["type"] == "recurring"]
    for line in priced:
        line["price"]["unit_amount"] *= 1000
        line["amount"] *= 1000
    return bool(priced)


FAULTS: dict[str, tuple[str, str, Callable[[dict[str, Any]], bool]]] = {
    "unknown_outcome": ("hubspot", "meetings", unknown_outcome),
    "prices_in_the_wrong_unit": ("stripe", "invoices", prices_in_the_wrong_unit),
}


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with serve(simulate(seed=7, customers=30, days=740), FIRST) as running:
        yield running


@pytest.fixture(scope="module")
def company(module_warehouse: Warehouse, servers: Servers) -> Warehouse:
    """The demo company loaded and published as of the first day."""
    migration.migrate(module_warehouse, SOURCES)
    load(module_warehouse, servers, FIRST)
    transform(module_warehouse, FIRST)
    return module_warehouse


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fault in FAULTS.items():
        monkeypatch.setitem(data_faults.DATA_FAULTS, name, fault)


def load(wh: Warehouse, servers: Servers, day: date) -> None:
    servers.clock.as_of = day  # type: ignore[misc]
    for source in LOADED:
        connection = Connection(
            source.conn_id, servers.urls[source.name], servers.tokens[source.name]
        )
        for stream in source.streams:
            steps.load(wh, source, stream, connection, Window.of_day(day))


def transform(wh: Warehouse, day: date, accept: str | None = None) -> None:
    steps.transform(wh, day, LOADED, actor="test", accept=accept)


def reads(wh: Warehouse) -> tuple[Any, ...]:
    (row,) = query(wh, READ_BY_BI, "bi_reader")
    return row


def builds(wh: Warehouse) -> int:
    return int(query(wh, "select count(*) from ops.builds")[0][0])


def test_faulty_data_stops_before_the_build_and_a_repair_publishes(
    company: Warehouse, servers: Servers, faults: None
) -> None:
    yesterday, built = reads(company), builds(company)
    assert yesterday[0] == FIRST
    servers.data_faults.switch_on(BAD, ["unknown_outcome"])
    load(company, servers, BAD)
    with pytest.raises(GateFailed) as raised:
        transform(company, BAD)
    said = str(raised.value)
    assert raised.value.exit_code == 6
    assert "gate arrived" in said
    assert "raw_hubspot_meetings: expect_column_values_to_be_in_set(outcome)" in said
    assert reads(company) == yesterday
    assert builds(company) == built

    servers.data_faults.switch_off()
    load(company, servers, BAD)
    transform(company, BAD)
    assert reads(company)[0] == BAD
    assert reads(company)[1] > yesterday[1]


def test_what_only_shows_in_the_marts_stops_the_publish_unless_a_person_accepts_it(
    company: Warehouse, servers: Servers, faults: None
) -> None:
    before = reads(company)
    day = next_day_with_a_renewal(servers.world, before[0])
    servers.data_faults.switch_on(day, ["prices_in_the_wrong_unit"])
    load(company, servers, day)
    with pytest.raises(GateFailed, match="marts_fct_mrr_spans: mrr_like_last_publish"):
        transform(company, day)
    assert reads(company) == before

    ((build_id,),) = query(company, "select max(build_id) from ops.builds")
    report = steps.gate_marts(company, build_id, accept="the yen list was agreed with finance")
    steps.publish(company, build_id, actor="test")
    assert reads(company)[0] == day
    accepted = [o for o in report.warnings if o.expectation == "mrr_like_last_publish"]
    assert "the yen list was agreed with finance" in accepted[0].notes


def next_day_with_a_renewal(world: World, after: date) -> date:
    """The first later day on which an invoice with a running price is written."""
    days = {
        version.at.date()
        for versions in world.records["stripe", "invoices"].values()
        for version in versions[:1]
        if any(line["price"]["type"] == "recurring" for line in version.doc["lines"]["data"])
    }
    return min(day for day in days if day > after)
