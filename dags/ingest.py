"""Airflow DAGs ``ingest_<source>``: one per source, one task per stream and daily window."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from retention.sources.enabled import enabled_sources
from retention_airflow.ingest import ingest_doc, load_stream, raw_asset
from retention_airflow.tasks import RETRIES

for source in enabled_sources():
    with DAG(
        dag_id=f"ingest_{source.name}",
        description=source.doc.splitlines()[0],
        doc_md=ingest_doc(source),
        # A plain cron string has an empty data interval in Airflow 3 and would load nothing.
        schedule=CronDataIntervalTimetable(source.schedule, timezone="UTC"),
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        # A load extends its window back to the cursor, so missed days need no runs of their
        # own. Start a backfill explicitly.
        catchup=False,
        max_active_runs=1,
        default_args={"owner": source.owner, **RETRIES},
        tags=["ingest", source.name],
    ):
        for stream in source.streams:
            load_stream.override(
                task_id=f"load_{stream.name}",
                pool=source.pool,
                # Of two concurrent loads of a stream (a backfill) one raises AlreadyRunning.
                max_active_tis_per_dag=1,
                outlets=[raw_asset(source.name, stream.name)],
            )(source.name, stream.name)
