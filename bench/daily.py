"""Profile a daily run of the demo: the first load of two years, then an incremental day.

    python bench/daily.py [customers]

Prints the seconds of each step for both, its share of the incremental day, and the fixed
overhead: imports, dbt's own work, Airflow's bookkeeping. The figure to watch is the ratio
incremental day / first load.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from rich.console import Console
from rich.table import Table

from local import demo_servers
from local.environment import airflow_environment
from local.quickstart import DEMO_SOURCES, HISTORY_ENDS, migrate_airflow, prepare
from retention import steps
from retention.builds import phases
from retention.connections import find
from retention.settings import Settings
from retention.sources.enabled import enabled_sources
from retention.warehouse import Warehouse, postgres
from retention.window import Window

console = Console(highlight=False, width=100)
Times = dict[str, float]
STATISTICS = "statistics: survival, value, learned model"
DBT_OWN = "dbt: compiling, graph, artifacts"


def main() -> None:
    """Measure in a temporary state folder."""
    os.environ["RETENTION_DEMO_CUSTOMERS"] = sys.argv[1] if len(sys.argv) > 1 else "420"
    folder = Path(tempfile.mkdtemp(prefix="retention-bench-"))
    folder.chmod(0o755)
    os.environ["RETENTION_STATE"] = str(folder)
    settings = Settings.from_env()
    try:
        measure(settings)
    finally:
        demo_servers.stop(settings)
        postgres.destroy(settings)
        shutil.rmtree(folder, ignore_errors=True)


def measure(settings: Settings) -> None:
    """Measure the first load, an incremental day in this process, and one under Airflow."""
    warehouse = prepare(settings)
    connections = demo_servers.start(settings, HISTORY_ENDS)
    environment = airflow_environment(settings, warehouse, connections, DEMO_SOURCES)
    os.environ.update(environment)
    imports = _imports()
    first = run_day(warehouse, HISTORY_ENDS)
    demo_servers.set_clock(settings, HISTORY_ENDS + timedelta(days=1))
    further = run_day(warehouse, HISTORY_ENDS + timedelta(days=1))
    show(first, further)
    migrate_airflow(settings, environment)
    show_parsing(environment)
    airflow = run_under_airflow(settings, environment, HISTORY_ENDS + timedelta(days=2))
    own = sum(further.values())
    console.print(
        f"\nAnother day by `make run`, in a new process under Airflow:"
        f" {airflow:.1f} s, of which imports {sum(imports.values()):.1f} s"
        f" ({', '.join(f'{name} {seconds:.1f}' for name, seconds in imports.items())})"
        f" and process start, first use of each library and Airflow's bookkeeping about"
        f" {max(0.0, airflow - own - sum(imports.values())):.1f} s."
    )


def run_day(warehouse: Warehouse, day: date) -> Times:
    """Run one day and return the seconds of each step, without imports."""
    spent: Times = {}
    for source in enabled_sources():
        with timed(spent, f"extract and land {source.name}"):
            for stream in source.streams:
                window = Window.of_day(day)
                steps.load(warehouse, source, stream, find(source.conn_id), window)
    with timed(spent, "gate 1"):
        steps.gate_arrived(warehouse, day, enabled_sources())
    began, began_cpu = time.monotonic(), time.process_time()
    built = steps.build(warehouse, day)
    own, whole = time.process_time() - began_cpu, time.monotonic() - began
    computed = sum(node.seconds for node in built.nodes if node.kind == phases.KIND)
    spent[STATISTICS] = computed
    # dbt runs in this process and sleeps while Postgres works: its CPU time is its own work.
    spent[DBT_OWN] = max(0.0, own - computed)
    spent["dbt: SQL of models and tests"] = max(0.0, whole - max(own, computed))
    with timed(spent, "gate 2"):
        steps.gate_marts(warehouse, built.build_id)
    with timed(spent, "publish"):
        steps.publish(warehouse, built.build_id, actor="bench")
    return spent


def show_parsing(environment: dict[str, str]) -> None:
    """Print the seconds to parse each DAG file; the DAG processor does so every 30 s."""
    probe = (
        "import sys; from airflow.dag_processing.dagbag import DagBag\n"
        "for stat in DagBag(sys.argv[1]).dagbag_stats:"
        " print(f'{stat.file}: {stat.duration.total_seconds():.2f} s')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", probe, str(ROOT / "dags")],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    parsed = [line for line in done.stdout.splitlines() if ".py: " in line]
    console.print(f"\nParsing the DAG files (must stay under 1 s each): {', '.join(parsed)}")


def run_under_airflow(settings: Settings, environment: dict[str, str], day: date) -> float:
    """Run one day through the DAGs and return the wall seconds, including process start."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "local.days", day.isoformat()],
        env={**os.environ, **environment},
        cwd=settings.root,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - began


def show(first: Times, further: Times) -> None:
    """Print both days side by side with their ratio."""
    table = Table("step", "first load, s", "incremental day, s", "share", "ratio", box=None)
    whole = sum(further.values())
    for name, seconds in further.items():
        table.add_row(
            name,
            f"{first[name]:.2f}",
            f"{seconds:.2f}",
            f"{seconds / whole:.0%}",
            f"{seconds / first[name]:.2f}" if first[name] else "-",
        )
    before = sum(first.values())
    table.add_row("all", f"{before:.2f}", f"{whole:.2f}", "100%", f"{whole / before:.2f}")
    console.print(table)
    rest = further[DBT_OWN]
    console.print(
        f"\nFixed overhead of an incremental run: dbt itself, {rest:.1f} s ({rest / whole:.0%})"
    )


@contextmanager
def timed(spent: Times, name: str) -> Iterator[None]:
    """Add the block's seconds under that name."""
    began = time.monotonic()
    yield
    spent[name] = spent.get(name, 0.0) + time.monotonic() - began


def _imports() -> Times:
    """Measure the import time of each slow library in a new process."""
    probe = (
        "import json, sys, time; began = time.monotonic(); __import__(sys.argv[1]);"
        "print(json.dumps(time.monotonic() - began))"
    )
    found = {}
    for module in ("airflow.sdk", "great_expectations", "dbt.cli.main", "duckdb"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", probe, module],
            capture_output=True,
            text=True,
            check=True,
        )
        found[module.split(".")[0]] = float(json.loads(done.stdout.splitlines()[-1]))
    return found


if __name__ == "__main__":
    main()
