"""Run the ingest and transform DAGs for the given days, one day after the other, in Airflow."""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.sdk import DAG  # noqa: E402
from rich.console import Console  # noqa: E402

from demo.servers.clock import write_atomically  # noqa: E402
from local import demo_servers  # noqa: E402
from retention.errors import ConfigurationError, RetentionError  # noqa: E402
from retention.settings import Settings  # noqa: E402
from retention_airflow.tasks import FAILURES, PROGRESS  # noqa: E402


def main(days: list[date]) -> int:
    """Exit code 0, or that of the first error; later days are not tried after a failed one."""
    settings = Settings.from_env()
    log = settings.airflow / "run.log"
    console, stderr = told_apart(log)
    PROGRESS.append(lambda line: console.print(f"    {line}", markup=False, soft_wrap=True))
    try:
        dags = _dags(settings)
        for day in days:
            _set_clock(settings, day)
            began = time.monotonic()
            console.print(f"[bold]{day}[/bold]")
            # What is published stays on this machine: `outbound` runs under Airflow only.
            for dag_id in [*sorted(name for name in dags if "ingest_" in name), "transform"]:
                console.print(f"  [cyan]{dag_id}[/cyan]")
                if not _succeeds(dags[dag_id], day):
                    return _explain(dag_id, day, stderr, log)
            console.print(f"  [dim]{day} took {time.monotonic() - began:.1f} s[/dim]")
    except RetentionError as error:
        stderr.print(str(error), markup=False)
        return error.exit_code
    except Exception:  # what is written to file descriptor 2 from here on, nobody would see
        stderr.print(traceback.format_exc(), markup=False)
        return RetentionError.exit_code
    return 0


def told_apart(log: Path) -> tuple[Console, Console]:
    """Consoles for the person who waits; all else that this process writes goes to the log.

    Airflow tells each failure three times over, with tracebacks, past Python's logging. So the
    file descriptors themselves are turned away, and the person is written to over copies.
    """
    with log.open("ab") as file:
        consoles = []
        for number in (1, 2):
            person = os.fdopen(os.dup(number), "w", buffering=1)
            consoles.append(Console(file=person, highlight=False, soft_wrap=True))
            os.dup2(file.fileno(), number)
    return consoles[0], consoles[1]


def _dags(settings: Settings) -> dict[str, DAG]:
    bag = DagBag(settings.root / "dags")
    if bag.import_errors:
        raise ConfigurationError(f"the DAGs do not import: {bag.import_errors}")
    found: dict[str, DAG] = dict(bag.dags)
    return found


def _set_clock(settings: Settings, day: date) -> None:
    """Show the demo's world at the end of that day, or note that a folder ends there."""
    clock = Path(os.environ["RETENTION_CLOCK"])
    if clock.parent == settings.demo:
        demo_servers.set_clock(settings, day)
    else:
        write_atomically(clock, day.isoformat())


def _succeeds(dag: Any, day: date) -> bool:
    """Run the DAG as the scheduler would at the end of that day."""
    for task in dag.tasks:
        # A person waits: an error is told at once, and the next `make run` tries again.
        task.retries = 0
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    conf = {"as_of": None}
    run = dag.test(logical_date=end, run_conf=conf if dag.dag_id == "transform" else None)
    return str(run.state) == "success"


def _explain(dag_id: str, day: date, stderr: Console, log: Path) -> int:
    """Say what stopped the run, and what readers see now; return the exit code."""
    error = FAILURES[0] if FAILURES else RuntimeError("no task said why")
    stderr.print(f"{dag_id} failed for {day}: {error}", markup=False)
    stderr.print("Nothing was published; readers keep the last publish.", markup=False)
    stderr.print(f"Airflow's own account is in {log}.", markup=False)
    if isinstance(error, RetentionError):
        return error.exit_code
    stderr.print("".join(traceback.format_exception(error)), markup=False)
    return RetentionError.exit_code


if __name__ == "__main__":
    sys.exit(main([date.fromisoformat(text) for text in sys.argv[1:]]))
