"""`outbound` under Airflow's real scheduler: nothing reaches the CRM before a person agreed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from demo.servers.app import Servers, serve
from retention.source import Connection
from tests.demo_servers.small_world import AS_OF, small_world
from tests.outbound.outbound_setup import SCORES, in_crm
from tests.outbound.outbound_world import show
from tests.scheduling.airflow_stack import Stack, prepared, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with serve(small_world(), AS_OF, folder=tmp_path_factory.mktemp("crm")) as running:
        yield running


@pytest.fixture(scope="module")
def stack(crm: Servers) -> Iterator[Stack]:
    """`make up` over a warehouse with a publish, and write-back that asks a person."""
    with prepared() as built:
        show(built.warehouse, SCORES)
        hubspot = Connection("hubspot_api", crm.urls["hubspot"], crm.tokens["hubspot"])
        built.up([hubspot], RETENTION_WRITE_BACK="approve")
        yield built


def test_the_crm_is_written_to_when_a_person_has_approved_and_not_before(
    stack: Stack, crm: Servers
) -> None:
    stack.unpause("outbound")
    asked = stack.api.post("/dags/outbound/dagRuns", json={"logical_date": None})
    assert asked.status_code == 200, asked.text
    run = asked.json()

    def state(task: str) -> str | None:
        return stack.tasks(run)[task]["state"]

    def states() -> str:
        return str({name: (task["state"], task["note"]) for name, task in stack.tasks(run).items()})

    until(lambda: state("approve_write_back") in ("awaiting_input", "deferred"), states)
    where = f"/dags/outbound/dagRuns/{run['dag_run_id']}/taskInstances/approve_write_back/-1"
    question = stack.get(f"{where}/hitlDetails")
    assert "of 3 companies would change" in json.dumps(question)
    assert state("send_digests") == "success"
    assert in_crm(crm, "1001")["retention_health_band"] == ""
    # An answer before the scheduler has seen the task pause costs it a try: apache/airflow#67287.
    paused = re.compile("executor event with state success .*task_id='approve_write_back'")
    scheduler = stack.settings.airflow / "scheduler.log"
    until(lambda: paused.search(scheduler.read_text()) is not None, states)
    agreed = stack.api.patch(f"{where}/hitlDetails", json={"chosen_options": ["Approve"]})
    assert agreed.status_code == 200, agreed.text
    until(lambda: state("apply_write_back") == "success", states)
    assert in_crm(crm, "1001")["retention_health_band"] == "red"
