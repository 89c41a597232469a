"""The DAGs: their list, tasks and settings, and the cost of parsing them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from retention import errors
from retention.sources import SOURCES
from retention.window import Window
from tests.places import ROOT

# Libraries that a DAG file must not import: each costs seconds at every parse.
HEAVY = ("great_expectations", "dbt", "duckdb", "pandas", "pyarrow", "psycopg", "demo")

INSPECT = """
import json, sys, time
from airflow.dag_processing.dagbag import DagBag
before = set(sys.modules)
bag = DagBag(sys.argv[1])
dags = {}
for dag in bag.dags.values():
    dags[dag.dag_id] = {
        "owners": sorted({t.owner for t in dag.tasks}),
        "retries": sorted({t.retries for t in dag.tasks}),
        "backoff": [bool(t.retry_exponential_backoff) for t in dag.tasks],
        "pools": sorted({t.pool for t in dag.tasks}),
        "outlets": sorted(o.name for t in dag.tasks for o in t.outlets),
        "tags": sorted(dag.tags), "docs": dag.doc_md or "", "tasks": sorted(dag.task_ids),
        "edges": sorted((t.task_id, d) for t in dag.tasks for d in t.downstream_task_ids),
        "catchup": dag.catchup, "max_active_runs": dag.max_active_runs,
        "timetable": type(dag.timetable).__name__,
        "at_once": sorted({str(t.max_active_tis_per_dag) for t in dag.tasks}),
    }
print(json.dumps({
    "errors": bag.import_errors, "dags": dags,
    "modules": sorted({m.split(".")[0] for m in set(sys.modules) - before}),
}))
"""


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Parse the DAG folder with Airflow in a separate process."""
    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", INSPECT, str(ROOT / "dags")],
        env={
            **os.environ,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": str(ROOT / "plugins"),
            "RETENTION_WRITE_BACK": "approve",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["errors"] == {}
    return found


def test_there_is_one_ingest_dag_per_source_plus_transform_and_reverse_etl(
    bag: dict[str, Any],
) -> None:
    ingests = {f"ingest_{source.name}" for source in SOURCES}
    assert set(bag["dags"]) == ingests | {"transform", "reverse_etl"}


def test_the_crm_is_written_after_the_approval_task(bag: dict[str, Any]) -> None:
    outbound = bag["dags"]["reverse_etl"]
    edges = {tuple(edge) for edge in outbound["edges"]}
    path = ["plan_write_back", "approve_write_back", "apply_write_back"]
    assert set(pairwise(path)) <= edges
    assert "send_digests" in outbound["tasks"]


def test_a_source_has_one_task_and_one_asset_per_stream(bag: dict[str, Any]) -> None:
    for source in SOURCES:
        dag = bag["dags"][f"ingest_{source.name}"]
        assert dag["tasks"] == sorted(f"load_{stream.name}" for stream in source.streams)
        assert dag["outlets"] == sorted(f"raw.{source.name}_{s.name}" for s in source.streams)
        assert dag["pools"] == [source.pool]


def test_every_dag_has_owner_tags_docs_and_retries_with_back_off(bag: dict[str, Any]) -> None:
    for dag in bag["dags"].values():
        assert dag["owners"]
        assert dag["owners"] != ["airflow"]
        assert dag["tags"]
        assert all(part in dag["docs"] for part in ("What it does", "When", "fails"))
        assert not re.search(r"\{[a-z_]+\}", dag["docs"])
        assert dag["retries"] == [3]
        assert all(dag["backoff"])
        assert dag["max_active_runs"] == 1
        assert dag["catchup"] is False


def test_only_publish_marts_updates_the_published_asset(bag: dict[str, Any]) -> None:
    transform = bag["dags"]["transform"]
    assert transform["outlets"] == ["publish"]
    edges = {tuple(edge) for edge in transform["edges"]}
    path = ["choose_day", "check_arrived", "build_marts", "check_marts", "publish_marts"]
    assert set(pairwise(path)) <= edges


def test_parsing_imports_no_slow_library(bag: dict[str, Any]) -> None:
    assert "retention_airflow" in bag["modules"]
    assert not set(HEAVY) & set(bag["modules"])


def test_loads_of_one_stream_do_not_run_concurrently(bag: dict[str, Any]) -> None:
    """A backfill runs many days at a time; concurrent loads of a stream are refused."""
    for source in SOURCES:
        assert bag["dags"][f"ingest_{source.name}"]["at_once"] == ["1"]


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (errors.ConfigurationError("no connection", code="missing_connection"), True),
        (errors.EmptyWindow("no length"), True),
        (errors.QuarantineRateExceeded("9 of 10 rows"), True),
        (errors.GateFailed("a critical check"), True),
        (errors.PublishError("not what was audited"), True),
        (errors.ExtractionError("HTTP 401", code="unauthorized"), True),
        (errors.ExtractionError("HTTP 503", code="server_error"), False),
        (errors.ExtractionError("HTTP 429", code="rate_limited"), False),
        (errors.ConfigurationError("no answer", code="warehouse_unreachable"), False),
        (errors.PublishError("the answer was lost", code="database"), False),
        (errors.AlreadyRunning("another load"), False),
        (OSError("a full disk"), False),
    ],
    ids=lambda value: getattr(value, "code", str(value)),
)
def test_a_final_error_is_not_retried(error: Exception, final: bool) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from retention_airflow.tasks import FAILURES, is_final, reported

    assert is_final(error) is final

    @reported
    def step() -> None:
        raise error

    with pytest.raises(AirflowFailException if final else type(error)):
        step()
    assert FAILURES.pop() is error


def test_the_window_of_a_run_ends_at_the_last_day_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retention_airflow.ingest import window_of

    monkeypatch.delenv("RETENTION_CLOCK", raising=False)
    noon = datetime(2026, 7, 5, 12, tzinfo=UTC)
    first = Window.of_day(date(2026, 7, 1))
    assert window_of(first.start, first.end, noon) == first
    assert window_of(None, None, noon) == Window.of_day(date(2026, 7, 4))
    clock = tmp_path / "clock"
    clock.write_text("2026-07-02\n")
    monkeypatch.setenv("RETENTION_CLOCK", str(clock))
    assert window_of(first.start, first.end, noon) == first
    assert window_of(None, None, noon) == Window.of_day(date(2026, 7, 2))


def test_airflow_loads_no_module_of_the_package_as_a_plugin() -> None:
    """Airflow would import each under its file name, which may shadow the standard library."""
    from airflow._shared.module_loading import find_path_from_directory

    found = find_path_from_directory(str(ROOT / "plugins"), ".airflowignore")
    assert [path for path in found if path.endswith(".py")] == []


def test_a_daily_run_has_a_data_interval_of_a_whole_day() -> None:
    """A plain cron string gives an empty interval, and nothing would be loaded.

    It is a UTC day, because `as_of` is the last complete UTC day.
    """
    from airflow.timetables.interval import CronDataIntervalTimetable

    for source in SOURCES:
        timetable = CronDataIntervalTimetable(source.schedule, timezone="UTC")
        interval = timetable.infer_manual_data_interval(
            run_after=datetime(2026, 7, 2, 12, tzinfo=UTC)
        )
        assert interval.start == datetime(2026, 7, 1, tzinfo=UTC)
        assert interval.end - interval.start == timedelta(days=1)
