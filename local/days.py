"""Run the ingest and transform DAGs for the given days, one day after the other, in Airflow."""

from __future__ import annotations

import logging
import sys
import time
import traceback
import warnings
from datetime import UTC, date, datetime, timedelta
from typing import Any

warnings.filterwarnings("ignore")

from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.sdk import DAG  # noqa: E402
from rich.console import Console  # noqa: E402

from local import demo_servers  # noqa: E402
from retention.errors import ConfigurationError, RetentionError  # noqa: E402
from retention.settings import Settings  # noqa: E402
from retention_airflow import FAILURES, PROGRESS  # noqa: E402

console = Console(highlight=False)


def main(days: list[date]) -> int:
    """Exit code 0, or that of the first error; later days are not tried after a failed one."""
    settings = Settings.from_env()
    PROGRESS.append(lambda line: console.print(f"    {line}", markup=False, soft_wrap=True))
    dags = _dags(settings)
    for day in days:
        demo_servers.set_clock(settings, day)
        began = time.monotonic()
        console.print(f"[bold]{day}[/bold]")
        for dag_id in [*sorted(name for name in dags if name != "transform"), "transform"]:
            if not _succeeds(dags[dag_id], day):
                return _explain(dag_id, day)
        console.print(f"  [dim]{day} took {time.monotonic() - began:.1f} s[/dim]")
    return 0


def _dags(settings: Settings) -> dict[str, DAG]:
    bag = DagBag(settings.root / "dags")
    if bag.import_errors:
        raise ConfigurationError(f"the DAGs do not import: {bag.import_errors}")
    found: dict[str, DAG] = dict(bag.dags)
    return found


def _succeeds(dag: Any, day: date) -> bool:
    """Run the DAG as the scheduler would at the end of that day."""
    console.print(f"  [cyan]{dag.dag_id}[/cyan]")
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    conf = {"as_of": None}
    run = dag.test(logical_date=end, run_conf=conf if dag.dag_id == "transform" else None)
    return str(run.state) == "success"


def _explain(dag_id: str, day: date) -> int:
    """Say on stderr what stopped the run, and what readers see now; return the exit code."""
    error = FAILURES[0] if FAILURES else RuntimeError("see the log above")
    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    stderr.print(f"{dag_id} failed for {day}: {error}", markup=False)
    stderr.print("Nothing was published; readers keep the last publish.", markup=False)
    if isinstance(error, RetentionError):
        return error.exit_code
    traceback.print_exception(error)
    return RetentionError.exit_code


if __name__ == "__main__":
    # What went wrong is told once, by `_explain`; Airflow would tell it three times over.
    logging.disable(logging.CRITICAL)
    sys.exit(main([date.fromisoformat(text) for text in sys.argv[1:]]))
