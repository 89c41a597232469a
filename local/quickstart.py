"""`make run`: from an empty machine to published marts; Airflow runs the DAGs of each day."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from local import demo_servers
from local.environment import airflow_environment, write_environment
from retention import migration
from retention.errors import AlreadyRunning, ConfigurationError, RetentionError, UsageError
from retention.publishing.pointer import current
from retention.reports import report
from retention.settings import Settings
from retention.source import Connection
from retention.sources import SOURCES
from retention.warehouse import Warehouse, postgres
from retention.warehouse.keyring import locked

# The demo's first load reads two years; then two further days, one at a time.
HISTORY_ENDS = date(2026, 6, 30)
FURTHER_DAYS = 2
DEMO_SOURCES = ["hubspot", "stripe", "typeform", "posthog"]

console = Console(highlight=False)


def main() -> None:
    """Run; print a RetentionError as one line on stderr and exit with its code."""
    arguments = _arguments()
    try:
        run(arguments.data, arguments.as_of)
    except RetentionError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), markup=False)
        sys.exit(error.exit_code)


def run(data: str | None, as_of: str | None) -> None:
    """Load a folder, or the demo company through the day ``as_of``.

    Raises AlreadyRunning while another run uses this state folder: both would start the demo's
    servers and write Airflow's tables.
    """
    day = _day(as_of) if as_of else None
    if data:
        os.environ["RETENTION_COMPANY"] = company_of(Path(data))
    settings = Settings.from_env()
    with _only_run(settings):
        _run(settings, data, day)


@contextmanager
def _only_run(settings: Settings) -> Iterator[None]:
    try:
        with locked(settings.state / "run.lock", wait=False):
            yield
    except BlockingIOError as error:
        raise AlreadyRunning(
            f"another `make run` uses {settings.state}.",
            hint="Wait until it has ended, or set RETENTION_STATE to another folder.",
        ) from error


def _run(settings: Settings, data: str | None, day: date | None) -> None:
    began = time.monotonic()
    if data:
        if day is None:
            raise UsageError("a folder needs AS_OF=<date>, the last day it is complete for.")
        connections, sources = [files_connection(settings, Path(data))], ["files"]
        days = [day]
        warehouse = prepare(settings)
    else:
        warehouse = prepare(settings)
        days = days_to_load(warehouse, day)
        with step("Demo company: simulated and served on 127.0.0.1"):
            connections = demo_servers.start(settings, days[0])
        sources = DEMO_SOURCES
    environment = airflow_environment(settings, warehouse, connections, sources)
    write_environment(settings, environment)
    migrate_airflow(settings, environment)
    load_days(environment, days)
    console.print()
    report.show(warehouse, console)
    console.print(f"\n[dim]Done in {time.monotonic() - began:.0f} s.[/dim]")


def prepare(settings: Settings) -> Warehouse:
    """Start and migrate the database."""
    with step("Postgres: embedded, on 127.0.0.1" if not settings.warehouse_url else "Postgres"):
        warehouse = Warehouse.from_settings(settings)
        migration.migrate(warehouse, SOURCES)
    return warehouse


def days_to_load(warehouse: Warehouse, requested: date | None) -> list[date]:
    """Return the unpublished days of the demo, through ``requested`` or 2026-07-02.

    Never empty: without a new day it returns the newest one, whose loads are idempotent.
    """
    shown = current(warehouse)
    last = shown.as_of if shown else None
    goal = requested or max(last or HISTORY_ENDS, HISTORY_ENDS + timedelta(days=FURTHER_DAYS))
    first = HISTORY_ENDS if last is None else last + timedelta(days=1)
    if requested and requested < first:
        return [requested]
    return [first + timedelta(days=n) for n in range((goal - first).days + 1)] or [goal]


def company_of(folder: Path) -> str:
    """Derive the company name, and so the database name, from a folder name."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_")
    return name if name[:1].isalpha() else f"data_{name}"


def files_connection(settings: Settings, folder: Path) -> Connection:
    """Return the connection to a folder, with its mapping.yml or demo/mappings/<its name>'s."""
    folder = folder.resolve()
    if not folder.is_dir():
        raise ConfigurationError(
            f"there is no folder {folder}.", code="missing_folder", hint="Correct DATA=<folder>."
        )
    kept = settings.root / "demo" / "mappings" / folder.name / "mapping.yml"
    extra = {"mapping": str(kept)} if kept.is_file() else {}
    if (folder / "mapping.yml").is_file():
        extra = {"mapping": str(folder / "mapping.yml")}
    return Connection("files_folder", str(folder), extra=extra)


def migrate_airflow(settings: Settings, environment: dict[str, str]) -> None:
    """Migrate Airflow's metadata tables, once per version of Airflow."""
    stamp = settings.airflow / "migrated"
    version = _airflow_version()
    if stamp.is_file() and stamp.read_text() == version + postgres.airflow_url(settings):
        return
    with step("Airflow: its metadata tables in the same Postgres"):
        done = subprocess.run(
            [sys.executable, "-m", "local.airflow_metadata"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ConfigurationError(f"Airflow cannot create its tables:\n{done.stderr[-2000:]}")
        stamp.write_text(version + postgres.airflow_url(settings))


def load_days(environment: dict[str, str], days: list[date]) -> None:
    """Run the DAGs for each day in a process with Airflow's environment."""
    done = subprocess.run(
        [sys.executable, "-m", "local.days", *(day.isoformat() for day in days)],
        env={**os.environ, **environment},
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)


class step:  # noqa: N801 - reads as a verb where it is used: `with step("...")`
    """Print a step, then its duration."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.began = time.monotonic()
        console.print(f"{self.what} ...", end="")

    def __exit__(self, kind: object, *rest: object) -> None:
        outcome = "failed" if kind else f"{time.monotonic() - self.began:.1f} s"
        console.print(f" [dim]{outcome}[/dim]")


def _airflow_version() -> str:
    from importlib.metadata import version

    return version("apache-airflow")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"AS_OF={text} is not a date; write it as 2026-07-01.") from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--data")
    parser.add_argument("--as-of")
    return parser.parse_args()


if __name__ == "__main__":
    main()
