"""Health values for the CRM, received by a real server: what changed, and what was agreed to."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from demo.servers.app import Servers
from retention.errors import ExtractionError
from retention.reverse_etl import write_back
from retention.reverse_etl.hubspot import HubSpotWriter
from retention.source import Connection
from retention.warehouse import Warehouse
from tests.command_line import retention
from tests.demo.servers.small_world import crm_client
from tests.reverse_etl.outbound_setup import BY_MAIL, SCORES, in_crm
from tests.reverse_etl.outbound_world import DAY, show
from tests.vendor_replay import Answer, Replay, Request, json_answer


def writer(servers: Servers) -> HubSpotWriter:
    return HubSpotWriter(
        Connection("hubspot_api", servers.urls["hubspot"], servers.tokens["hubspot"])
    )


def test_writing_back_twice_changes_nothing_the_second_time(
    published: Warehouse, crm: Servers
) -> None:
    with writer(crm) as hubspot:
        planned = write_back.plan(published, BY_MAIL, hubspot)
        assert set(planned.companies) == {"1001", "1002", "1003"}
        assert planned.unknown == ["1002"]
        assert "1 have the band unknown" in planned.summary()
        assert write_back.apply(hubspot, planned) == 3
        second = write_back.plan(published, BY_MAIL, hubspot)
        assert second.changes == []
        assert write_back.apply(hubspot, second) == 0
    assert in_crm(crm, "1001") == {
        "retention_health_score": "41.50",
        "retention_health_band": "red",
        "retention_top_reason": "an invoice is 31 days past due",
        "retention_as_of": "2026-06-30",
        "retention_link": "https://bi.example.com/customer/1001",
    }
    unknown = in_crm(crm, "1002")
    assert (unknown["retention_health_score"], unknown["retention_health_band"]) == ("", "unknown")
    defined = crm_client(crm).crm.properties.core_api.get_all("companies").results
    assert set(write_back.FIELDS) <= {each.name for each in defined}


def test_only_what_changed_is_written_and_the_day_alone_is_no_news(
    published: Warehouse, crm: Servers
) -> None:
    with writer(crm) as hubspot:
        write_back.apply(hubspot, write_back.plan(published, BY_MAIL, hubspot))
        worse = SCORES | {"1003": ("60.00", "yellow", "one respondent's score fell by 3")}
        show(published, worse, date(2026, 7, 1))
        planned = write_back.plan(published, BY_MAIL, hubspot)
        assert planned.companies == {
            "1003": {"retention_health_score": "60.00", "retention_as_of": "2026-07-01"}
        }
        # A customer that left loses what the CRM still says, day included.
        show(published, SCORES | {"1001": ("", "", "")}, date(2026, 7, 2))
        gone = write_back.plan(published, BY_MAIL, hubspot).companies["1001"]
        assert gone == dict.fromkeys(write_back.FIELDS, "")
        # A week later the day is written, so that nobody takes it for dead.
        show(published, SCORES, date(2026, 7, 7))
        later = write_back.plan(published, BY_MAIL, hubspot).companies
        assert later["1001"] == {"retention_as_of": "2026-07-07"}


def test_a_company_that_the_crm_does_not_know_is_named_and_the_others_are_written(
    published: Warehouse, crm: Servers
) -> None:
    # 1007 is archived in the CRM.
    show(published, SCORES | {"1007": ("50.00", "red", "x")}, date(2026, 7, 1))
    with writer(crm) as hubspot:
        planned = write_back.plan(published, BY_MAIL, hubspot)
        assert planned.missing == ["1007"]
        assert "not in the CRM: 1007" in planned.summary()
        assert write_back.apply(hubspot, planned) == 3
        # Archived between the plan and the writing.
        late = {"1003": {"retention_health_band": "red"}, "1007": {"retention_health_band": "red"}}
        refused = hubspot.write(late)
    assert list(refused) == ["1007"]
    assert in_crm(crm, "1003")["retention_health_band"] == "red"


def test_a_busy_crm_is_asked_again_and_a_bad_company_is_found_in_its_batch() -> None:
    def vendor(request: Request) -> Answer:
        if request.number == 1:
            return json_answer({"message": "slow down"}, 429, Retry_After="0.1")
        if request.number == 2:
            return Answer(b"", 502)
        body = request.body if isinstance(request.body, dict) else json.loads(request.body)
        ids = [each["id"] for each in body["inputs"]]
        if "5" in ids:
            return json_answer({"status": "error", "message": "not a number", "category": "V"}, 400)
        return json_answer({"status": "COMPLETE", "results": [{"id": key} for key in ids]})

    with Replay(vendor) as server, HubSpotWriter(server.connection()) as hubspot:
        values = {str(n): {"retention_health_band": "red"} for n in range(10)}
        refused = hubspot.write(values)
    assert list(refused) == ["5"]
    assert "not a number" in refused["5"]


def test_only_what_somebody_agreed_to_is_written(published: Warehouse, crm: Servers) -> None:
    with writer(crm) as hubspot:
        agreed = write_back.as_documents(write_back.plan(published, BY_MAIL, hubspot))
        worse = SCORES | {"1003": ("60.00", "yellow", "one respondent's score fell by 3")}
        show(published, worse, DAY)
        fresh = write_back.plan(published, BY_MAIL, hubspot)
        kept = write_back.only_agreed(fresh, agreed)
    assert "retention_health_score" not in kept.companies["1003"]
    assert kept.companies["1001"]["retention_health_score"] == "41.50"


def test_the_command_shows_the_difference_and_writes_only_when_told(
    published: Warehouse, crm: Servers
) -> None:
    settings = published.settings
    assert settings
    host = {"host": crm.urls["hubspot"], "password": crm.tokens["hubspot"]}
    here = {
        "RETENTION_STATE": str(settings.state),
        "RETENTION_COMPANY": settings.company,
        "AIRFLOW_CONN_HUBSPOT_API": json.dumps(host),
    }
    shown = retention(here, "write-back")
    assert shown.code == 0, shown.err
    assert "41.50" in shown.out
    assert "Nothing was written" in shown.out
    assert in_crm(crm, "1001")["retention_health_band"] == ""
    assert "3 companies were written" in retention(here, "write-back", "--apply").out
    assert "0 companies were written" in retention(here, "write-back", "--apply").out


def test_a_refusal_names_the_company() -> None:
    class Refusing:
        vendor = "hubspot"

        def prepare(self, fields: Any) -> list[str]:
            return []

        def read(self, ids: Any, fields: Any) -> dict[str, write_back.Values]:
            return {}

        def write(self, values: Any) -> dict[str, str]:
            return {"1001": "no such company"}

    change = write_back.Change("1001", "x", "retention_health_band", "", "red")
    with pytest.raises(ExtractionError, match="company 1001: no such company"):
        write_back.apply(Refusing(), write_back.Plan(DAY, [change], 1))
