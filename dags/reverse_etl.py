"""Airflow DAG ``reverse_etl``: digests and values for the CRM, after every publish."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG

from retention.reverse_etl.settings import write_back_mode
from retention_airflow.reverse_etl import apply_write_back, plan_write_back, send_digests
from retention_airflow.tasks import RETRIES, runbook
from retention_airflow.transform import PUBLISHED

with DAG(
    dag_id="reverse_etl",
    description="what is published → digests, CRM",
    doc_md=runbook("reverse_etl"),
    schedule=[PUBLISHED],
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "customer-success", **RETRIES},
    tags=["reverse_etl"],
):
    send_digests()
    mode = write_back_mode()
    if mode != "off":
        planned = plan_write_back()
        written = apply_write_back(planned)
        if mode == "approve":
            approve_write_back = ApprovalOperator(
                task_id="approve_write_back",
                subject="Write health values to the CRM?",
                body="{{ ti.xcom_pull(task_ids='plan_write_back')['summary'] }}. "
                "`retention write-back` shows every value.",
                # The next day's publish creates a new plan, so an unanswered one expires.
                response_timeout=timedelta(hours=20),
                defaults="Reject",
            )
            planned >> approve_write_back >> written
