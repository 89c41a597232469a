"""Airflow DAG ``transform``: gate 1, build, gate 2, publish."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, AssetAll, AssetOrTimeSchedule, CronTriggerTimetable, Param, chain

from retention_airflow.tasks import RETRIES, runbook
from retention_airflow.transform import (
    build_marts,
    check_arrived,
    check_marts,
    choose_day,
    enabled_assets,
    publish_marts,
)

with DAG(
    dag_id="transform",
    description="raw → gate → staging, intermediate, marts → gate → publish",
    doc_md=runbook("transform"),
    # When every stream has been loaded, and at 06:00 UTC at the latest, so that one failed
    # source does not block the others (docs/decisions/platform.md,
    # "When the `transform` DAG runs").
    schedule=AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("0 6 * * *", timezone="UTC"),
        assets=AssetAll(*enabled_assets()),
    ),
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={
        "as_of": Param(None, type=["null", "string"], format="date", description="Day to build"),
        "accept": Param(
            None, type=["null", "string"], description="Reason to publish despite an anomaly"
        ),
    },
    default_args={"owner": "data-platform", **RETRIES},
    tags=["transform", "publish"],
):
    day = choose_day()
    arrived = check_arrived(day)
    build_id = build_marts(day)
    checked = check_marts(build_id)
    chain(arrived, build_id, checked, publish_marts(build_id))
