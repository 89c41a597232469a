"""The daily run under Airflow's scheduler, as `make up` starts it, on a small demo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from local import demo_servers
from retention.source import Connection
from retention.warehouse import postgres
from tests.retention_airflow.airflow_stack import Stack, prepared, until

pytestmark = [pytest.mark.slow, pytest.mark.system]

DAY = date(2026, 6, 30)
INGESTS = ("ingest_hubspot", "ingest_stripe", "ingest_typeform", "ingest_posthog")
PATH = ("choose_day", "check_arrived", "build_marts", "check_marts", "publish_marts")


@pytest.fixture(scope="module")
def unstarted() -> Iterator[Stack]:
    with prepared() as stack:
        yield stack


@pytest.fixture(scope="module")
def connections(unstarted: Stack) -> Iterator[dict[str, Connection]]:
    """Return the connections to the servers of a demo with 25 customers, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_DEMO_CUSTOMERS", "25")
        yield {each.conn_id: each for each in demo_servers.start(unstarted.settings, DAY)}


@pytest.fixture(scope="module")
def stack(unstarted: Stack, connections: dict[str, Connection]) -> Stack:
    """Run `make up` on an empty warehouse; Typeform has no connection."""
    unstarted.up([each for name, each in connections.items() if name != "typeform_api"])
    return unstarted


@pytest.fixture(scope="module")
def idle(stack: Stack) -> dict[str, Any]:
    """Return the first run of `transform`, on an empty warehouse."""
    stack.unpause("transform")
    return stack.finished("transform")


@pytest.fixture(scope="module")
def ingested(stack: Stack, idle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return one finished scheduled run of every ingest DAG."""
    for dag_id in INGESTS:
        stack.unpause(dag_id)
    return {dag_id: stack.finished(dag_id) for dag_id in INGESTS}


@pytest.fixture(scope="module")
def at_six(stack: Stack, ingested: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the run of `transform` of its next 06:00, which is moved to now."""
    assert len(stack.runs("transform")) == 1
    url = postgres.airflow_url(stack.settings).replace("+psycopg2", "")

    def come() -> bool:
        # The DAG processor overwrites the next run whenever it parses the file, so repeat the
        # update until the run exists.
        with psycopg.connect(url) as conn:
            conn.execute(
                "update dag set (next_dagrun, next_dagrun_data_interval_start,"
                " next_dagrun_data_interval_end, next_dagrun_create_after) ="
                " (now(), now(), now(), now()) where dag_id = 'transform'"
                " and next_dagrun_create_after > now()"
                " and (select count(*) from dag_run where dag_id = 'transform') = 1"
            )
        return len(stack.runs("transform")) == 2

    until(come, "the run of 06:00")
    return stack.runs("transform")[-1]


@pytest.fixture(scope="module")
def backfilled(stack: Stack, at_six: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return the cursors from before Airflow's backfill of two past days of Stripe."""
    before = stack.rows("select source, stream, cursor_at from ops.cursors order by 1, 2")
    done = stack.command(
        *("retention.cli", "airflow", "backfill", "create", "--dag-id", "ingest_stripe"),
        *("--from-date", "2026-06-10", "--to-date", "2026-06-11"),
    )
    assert done.returncode == 0, done.stderr
    stack.finished("ingest_stripe", 3)
    return before


@pytest.fixture(scope="module")
def repaired(
    stack: Stack, connections: dict[str, Connection], at_six: dict[str, Any], backfilled: object
) -> dict[str, Any]:
    """Add the connection of Typeform, trigger its DAG and return the run."""
    stack.finished("transform", 2)
    lacked = connections["typeform_api"]
    added = {
        "connection_id": lacked.conn_id,
        "conn_type": "generic",
        "host": lacked.base_url,
        "password": lacked.secret,
    }
    assert stack.api.post("/connections", json=added).status_code == 201
    response = stack.api.post("/dags/ingest_typeform/dagRuns", json={"logical_date": None})
    assert response.status_code == 200, response.text
    return stack.finished("ingest_typeform", 2)


def test_every_component_listens_on_loopback_only(stack: Stack) -> None:
    noted = json.loads((stack.settings.airflow / "components.json").read_text())
    pids = [pid for name, pid in noted.items() if name not in ("company", "port")]
    assert len(pids) == 4
    family = [p for pid in pids for p in (psutil.Process(pid), *_children(pid))]
    listening = {
        (each.laddr.ip, each.laddr.port)
        for process in family
        for each in process.net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", noted["port"])}


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_only_the_printed_password_opens_the_web_ui(stack: Stack) -> None:
    assert stack.token(stack.password).status_code == 201
    for guess in ("admin", "airflow", stack.password[:-1]):
        assert stack.token(guess).status_code == 401
    assert httpx.get(f"{stack.address}/api/v2/dags", timeout=30).status_code == 401
    kept = stack.settings.airflow / "passwords.json"
    assert kept.stat().st_mode & 0o077 == 0


def test_every_dag_is_imported_and_shows_its_runbook(stack: Stack) -> None:
    assert stack.get("/importErrors")["total_entries"] == 0
    assert stack.get("/plugins")["total_entries"] == 0
    assert {dag["dag_id"] for dag in stack.get("/dags")["dags"]} == {
        *INGESTS,
        "transform",
        "reverse_etl",
    }
    assert "When a task fails" in stack.get("/dags/ingest_stripe/details")["doc_md"]


def test_every_pool_exists(stack: Stack) -> None:
    assert {"hubspot", "stripe", "typeform"} <= {p["name"] for p in stack.get("/pools")["pools"]}


def test_without_a_day_to_build_the_other_tasks_are_skipped(
    stack: Stack, idle: dict[str, Any]
) -> None:
    states = {name: task["state"] for name, task in stack.tasks(idle).items()}
    assert states == dict.fromkeys(PATH, "skipped") | {"choose_day": "success"}
    assert idle["state"] == "success"


def test_a_run_loads_no_day_after_the_last_day_of_the_source(
    stack: Stack, ingested: dict[str, dict[str, Any]]
) -> None:
    (interval,) = {run["data_interval_end"][:10] for run in ingested.values()}
    assert interval > DAY.isoformat()
    ends = stack.rows("select distinct cursor_at from ops.cursors")
    assert ends == [(datetime(2026, 7, 1, tzinfo=UTC),)]


def test_a_missing_connection_fails_without_a_retry(
    stack: Stack, ingested: dict[str, dict[str, Any]]
) -> None:
    states = {dag_id: run["state"] for dag_id, run in ingested.items()}
    assert states == dict.fromkeys(INGESTS, "success") | {"ingest_typeform": "failed"}
    task = stack.tasks(ingested["ingest_typeform"])["load_responses"]
    assert (task["state"], task["try_number"], task["max_tries"]) == ("failed", 1, 3)
    run_id = ingested["ingest_typeform"]["dag_run_id"]
    log = stack.get(f"/dags/ingest_typeform/dagRuns/{run_id}/taskInstances/load_responses/logs/1")
    assert "[missing_connection] typeform" in json.dumps(log)


def test_a_failed_source_does_not_block_transform(stack: Stack, at_six: dict[str, Any]) -> None:
    assert at_six["run_type"] == "scheduled"
    stack.finished("transform", 2)
    tasks = stack.tasks(at_six)
    assert {tasks[name]["state"] for name in PATH} == {"success"}
    published = stack.rows("select as_of from ops.publishes where status = 'published'")
    assert published == [(DAY,)]


def test_a_backfill_loads_its_own_days_and_moves_no_cursor(
    stack: Stack, backfilled: list[tuple[Any, ...]]
) -> None:
    windows = stack.rows(
        "select stream, (window_end - interval '1 day')::date::text, status from ops.loads"
        " where run_id like 'backfill%' order by 1, 2"
    )
    assert windows == [
        (stream, day, "done")
        for stream in ("customers", "invoices", "subscriptions")
        for day in ("2026-06-10", "2026-06-11")
    ]
    after = stack.rows("select source, stream, cursor_at from ops.cursors order by 1, 2")
    assert [row for row in after if row[0] != "typeform"] == backfilled


def test_the_last_loaded_stream_triggers_transform(stack: Stack, repaired: dict[str, Any]) -> None:
    assert repaired["state"] == "success"
    until(lambda: len(stack.runs("transform")) == 3, "the run that the assets start")
    run = stack.runs("transform")[-1]
    assert run["run_type"] == "asset_triggered"
    until(lambda: stack.tasks(run)["check_arrived"]["state"] == "success", "gate 1")
    assert stack.tasks(run)["choose_day"]["state"] == "success"
