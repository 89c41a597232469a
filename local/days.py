"""Run the ingest and transform DAGs for the given days, one after the other, in Airflow."""

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
    """Run each day until one fails; return exit code 0 or that of the error."""
    settings = Settings.from_env()
    log = settings.airflow / "run.log"
    console, stderr = separate_consoles(log)
    PROGRESS.append(lambda line: console.print(f"    {line}", markup=False, soft_wrap=True))
    try:
        dags = _dags(settings)
        for day in days:
            _set_clock(settings, day)
            began = time.monotonic()
            console.print(f"[bold]{day}[/bold]")
            # `make run` sends nothing to other systems: `reverse_etl` runs only in `make up`.
            for dag_id in [*sorted(name for name in dags if "ingest_" in name), "transform"]:
                console.print(f"  [cyan]{dag_id}[/cyan]")
                if not _succeeds(dags[dag_id], day):
                    return _explain(dag_id, day, stderr, log)
            console.print(f"  [dim]{day} took {time.monotonic() - began:.1f} s[/dim]")
    except RetentionError as error:
        stderr.print(str(error), markup=False)
        return error.exit_code
    except Exception:  # file descriptor 2 goes to the log, so print the traceback here
        stderr.print(traceback.format_exc(), markup=False)
        return RetentionError.exit_code
    return 0


def separate_consoles(log: Path) -> tuple[Console, Console]:
    """Return consoles for stdout and stderr; redirect all other output to the log.

    Airflow prints each failure three times, with tracebacks, without Python's logging. The
    file descriptors are therefore redirected, and the consoles write to copies of them.
    """
    with log.open("ab") as file:
        consoles = []
        for number in (1, 2):
            original = os.fdopen(os.dup(number), "w", buffering=1)
            consoles.append(Console(file=original, highlight=False, soft_wrap=True))
            os.dup2(file.fileno(), number)
    return consoles[0], consoles[1]


def _dags(settings: Settings) -> dict[str, DAG]:
    bag = DagBag(settings.root / "dags")
    if bag.import_errors:
        raise ConfigurationError(
            f"the DAGs cannot be imported: {bag.import_errors}", hint="Correct the named file."
        )
    found: dict[str, DAG] = dict(bag.dags)
    return found


def _set_clock(settings: Settings, day: date) -> None:
    """Set the last day of the demo company, or of a folder of files."""
    clock = Path(os.environ["RETENTION_CLOCK"])
    if clock.parent == settings.demo:
        demo_servers.set_clock(settings, day)
    else:
        write_atomically(clock, day.isoformat())


def _succeeds(dag: Any, day: date) -> bool:
    """Run the DAG as the scheduler would at the end of that day."""
    for task in dag.tasks:
        # Report an error at once; the next `make run` tries again.
        task.retries = 0
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    conf = {"as_of": None}
    run = dag.test(logical_date=end, run_conf=conf if dag.dag_id == "transform" else None)
    return str(run.state) == "success"


def _explain(dag_id: str, day: date, stderr: Console, log: Path) -> int:
    """Print the error that stopped the run; return its exit code."""
    error = FAILURES[0] if FAILURES else RuntimeError("no task reported an error")
    stderr.print(f"{dag_id} failed for {day}: {error}", markup=False)
    stderr.print("Nothing was published; readers keep the last publish.", markup=False)
    stderr.print(f"See Airflow's log: {log}.", markup=False)
    if isinstance(error, RetentionError):
        return error.exit_code
    stderr.print("".join(traceback.format_exception(error)), markup=False)
    return RetentionError.exit_code


if __name__ == "__main__":
    sys.exit(main([date.fromisoformat(text) for text in sys.argv[1:]]))
