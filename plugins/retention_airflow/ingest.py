"""Tasks of ``ingest_<source>``: load the data interval of one stream."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, task

from retention.source import Source
from retention.sources.enabled import enabled_sources
from retention.window import Window
from retention_airflow.tasks import connection, reported, runbook, say, warehouse


def ingest_doc(source: Source) -> str:
    """Return the runbook of this source's DAG, shown in the web UI."""
    return runbook("ingest").format(
        doc=source.doc.strip(),
        name=source.name,
        streams=", ".join(stream.name for stream in source.streams),
        schedule=source.schedule,
        freshness=f"{source.freshness.total_seconds() / 3600:.0f} hours",
        conn_id=source.conn_id,
    )


def raw_asset(source: str, stream: str) -> Asset:
    """Return the asset that a load of this stream updates."""
    return Asset(name=f"raw.{source}_{stream}", uri=f"retention://raw/{source}_{stream}")


def window_of(start: datetime | None, end: datetime | None, run_after: datetime) -> Window:
    """Return the run's data interval, limited to the last day that the source has.

    A run that was triggered without a date has no interval and loads the last complete day.

    The demo company and a folder of files have a last day of their own, in the file that
    RETENTION_CLOCK names. A run for a later day loads that last day, because a cursor ahead
    of the source would skip later records.
    """
    if start is None or end is None:
        window = Window.of_day(run_after.date() - timedelta(days=1))
    else:
        window = Window(start, end)
    clock = os.environ.get("RETENTION_CLOCK")
    if not clock:
        return window
    last = Window.of_day(date.fromisoformat(Path(clock).read_text().strip()))
    return last if window.end > last.end else window


@task
@reported
def load_stream(source: str, stream: str, **context: Any) -> dict[str, Any]:
    """Load the data interval of one stream, extended back to the cursor."""
    from retention import steps

    declared = next(each for each in enabled_sources() if each.name == source)
    requested = declared.stream(stream)
    result = steps.load(
        warehouse(),
        declared,
        requested,
        connection(declared.conn_id, declared.name),
        window_of(
            context.get("data_interval_start"),
            context.get("data_interval_end"),
            context["dag_run"].run_after,
        ),
        run_id=context["run_id"],
    )
    say(steps.loaded_line(result, requested))
    return {"load_id": result.load_id, "versions_written": result.versions_written}
