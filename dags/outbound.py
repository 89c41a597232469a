"""Airflow DAG ``outbound``: digests and values for the CRM, whenever something was published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG

from retention.outbound.settings import write_back_mode
from retention_airflow.outbound import apply_write_back, plan_write_back, send_digests
from retention_airflow.tasks import RETRIES, runbook
from retention_airflow.transform import PUBLISHED

with DAG(
    dag_id="outbound",
    description="what is published → digests, CRM",
    doc_md=runbook("outbound"),
    schedule=[PUBLISHED],
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "customer-success", **RETRIES},
    tags=["outbound"],
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
                # Tomorrow's publish brings a plan of its own; an old one is not worth the wait.
                response_timeout=timedelta(hours=20),
                defaults="Reject",
            )
            planned >> approve_write_back >> written
