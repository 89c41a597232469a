"""The DAG's tasks for what leaves the warehouse: silent until told, loud when refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from demo.servers.app import Servers
from retention.errors import ExtractionError
from retention.warehouse import Warehouse
from tests.reverse_etl.outbound_setup import in_crm
from tests.reverse_etl.outbound_world import postbox


@pytest.fixture
def airflow_connections(
    published: Warehouse, crm: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment in which a worker runs the tasks of `reverse_etl`."""
    settings = published.settings
    assert settings
    host = {"conn_type": "generic", "host": crm.urls["hubspot"], "password": crm.tokens["hubspot"]}
    monkeypatch.setenv("RETENTION_STATE", str(settings.state))
    monkeypatch.setenv("RETENTION_COMPANY", settings.company)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", published.url)
    monkeypatch.setenv("AIRFLOW_CONN_HUBSPOT_API", json.dumps(host))


def test_the_dags_tasks_plan_then_write_what_was_agreed_and_then_have_nothing_to_do(
    airflow_connections: None, crm: Servers
) -> None:
    from retention_airflow.reverse_etl import apply_write_back, plan_write_back

    agreed = plan_write_back.function()
    assert agreed
    assert "of 3 companies would change" in agreed["summary"]
    assert json.loads(json.dumps(agreed)) == agreed
    assert in_crm(crm, "1001")["retention_health_band"] == ""
    assert apply_write_back.function(agreed) == 3
    assert in_crm(crm, "1001")["retention_health_band"] == "red"
    assert plan_write_back.function() is None
    assert apply_write_back.function(agreed) == 0


def test_the_dags_digest_task_is_silent_until_switched_on_and_fails_when_a_mail_was_refused(
    airflow_connections: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retention_airflow.reverse_etl import send_digests
    from retention_airflow.tasks import FAILURES, PROGRESS

    heard: list[str] = []
    monkeypatch.setattr("retention_airflow.tasks.PROGRESS", [*PROGRESS, heard.append])
    send_digests.function()
    assert heard == ["no digest channel is configured"]
    people = tmp_path / "people.csv"
    people.write_text("csm_id,email,slack\no1,lina@example.com,\no2,hugo@example.com,\n")
    monkeypatch.setenv("RETENTION_DIGEST", "email")
    monkeypatch.setenv("RETENTION_DIGEST_RECIPIENTS", str(people))
    with postbox() as (box, server):
        box.refuse = 1
        fields = {"conn_type": "generic", "host": server.base_url, "extra": server.extra}
        monkeypatch.setenv("AIRFLOW_CONN_DIGEST_SMTP", json.dumps(fields))
        with pytest.raises(ExtractionError, match="1 of 2 digests were not sent"):
            send_digests.function()
        FAILURES.clear()
        send_digests.function()
    assert sorted(mail["To"] for mail in box.mails) == ["hugo@example.com", "lina@example.com"]
