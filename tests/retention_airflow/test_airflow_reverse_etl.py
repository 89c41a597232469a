"""`reverse_etl` under Airflow's scheduler: the CRM is written only after an approval."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from demo.servers.app import Servers, serve
from retention.source import Connection
from tests.demo.servers.small_world import AS_OF, small_world
from tests.retention_airflow.airflow_stack import Stack, prepared, until
from tests.reverse_etl.outbound_setup import SCORES, in_crm
from tests.reverse_etl.outbound_world import show

pytestmark = [pytest.mark.slow, pytest.mark.system, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with serve(small_world(), AS_OF, folder=tmp_path_factory.mktemp("crm")) as running:
        yield running


@pytest.fixture(scope="module")
def stack(crm: Servers) -> Iterator[Stack]:
    """Run `make up` on a warehouse with a publish, with write-back in mode approve."""
    with prepared() as built:
        show(built.warehouse, SCORES)
        hubspot = Connection("hubspot_api", crm.urls["hubspot"], crm.tokens["hubspot"])
        built.up([hubspot], RETENTION_WRITE_BACK="approve")
        yield built


def test_the_crm_is_written_only_after_an_approval(stack: Stack, crm: Servers) -> None:
    stack.unpause("reverse_etl")
    response = stack.api.post("/dags/reverse_etl/dagRuns", json={"logical_date": None})
    assert response.status_code == 200, response.text
    run = response.json()

    def state(task: str) -> str | None:
        return stack.tasks(run)[task]["state"]

    def states() -> str:
        return str({name: (task["state"], task["note"]) for name, task in stack.tasks(run).items()})

    until(lambda: state("approve_write_back") in ("awaiting_input", "deferred"), states)
    where = f"/dags/reverse_etl/dagRuns/{run['dag_run_id']}/taskInstances/approve_write_back/-1"
    question = stack.get(f"{where}/hitlDetails")
    assert "of 3 companies would change" in json.dumps(question)
    # A task of its own beside the question, which may come first.
    until(lambda: state("send_digests") == "success", states)
    assert in_crm(crm, "1001")["retention_health_band"] == ""
    # An approval before the scheduler saw the task pause fails the task: apache/airflow#67287.
    paused = re.compile("executor event with state success .*task_id='approve_write_back'")
    scheduler = stack.settings.airflow / "scheduler.log"
    until(lambda: paused.search(scheduler.read_text()) is not None, states)
    agreed = stack.api.patch(f"{where}/hitlDetails", json={"chosen_options": ["Approve"]})
    assert agreed.status_code == 200, agreed.text
    until(lambda: state("apply_write_back") == "success", states)
    assert in_crm(crm, "1001")["retention_health_band"] == "red"
