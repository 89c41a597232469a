"""`make up` and `make down`: Airflow's scheduler and web UI beside the database and the demo."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path

import psutil
from rich.console import Console

from local import demo_servers
from local.quickstart import migrate_airflow
from retention import postgres
from retention.errors import ConfigurationError, RetentionError
from retention.settings import Settings
from retention.warehouse import Warehouse

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
HEALTHY_WITHIN_SECONDS = 120
STOPPED_WITHIN_SECONDS = 20

console = Console(highlight=False)


def main() -> None:
    """`up`, or `down`, or `down --and-forget` before the state is deleted."""
    parser = argparse.ArgumentParser(prog="python -m local.services")
    parser.add_argument("verb", choices=["up", "down"])
    parser.add_argument("--and-forget", action="store_true")
    arguments = parser.parse_args()
    settings = Settings.from_env()
    try:
        if arguments.verb == "up":
            up(settings)
        else:
            down(settings, forget=arguments.and_forget)
    except RetentionError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), markup=False)
        sys.exit(error.exit_code)


def up(settings: Settings) -> None:
    """Start what does not run yet, wait until it answers, print addresses and where to log in."""
    environment = _environment(settings)
    migrate_airflow(settings, environment)
    running = _running(settings)
    port = running.get("port") or _free_port()
    environment |= {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_HOST": "127.0.0.1",
    }
    pids = {name: _start(settings, name, environment, running) for name in COMPONENTS}
    _pid_file(settings).write_text(json.dumps({"port": port, **pids}))
    _wait_until_healthy(port)
    _print_addresses(settings, port)


def down(settings: Settings, *, forget: bool) -> None:
    """Stop Airflow, the demo's servers and the embedded database; nothing else."""
    running = _running(settings)
    for name in COMPONENTS:
        if name in running:
            _stop(running[name])
            console.print(f"stopped {name}")
    _pid_file(settings).unlink(missing_ok=True)
    if demo_servers.stop(settings):
        console.print("stopped the demo company")
    if forget:
        postgres.destroy(settings)
    elif postgres.stop(settings):
        console.print("stopped Postgres")


def _environment(settings: Settings) -> dict[str, str]:
    path = settings.state / f"environment-{settings.company}.json"
    if not path.is_file():
        raise ConfigurationError("there is nothing to show yet.", mend="Run `make run` first.")
    environment: dict[str, str] = json.loads(path.read_text())
    Warehouse.from_settings(settings)
    clock = settings.demo / "clock"
    if settings.company == "demo" and clock.is_file():
        demo_servers.start(settings, date.fromisoformat(clock.read_text().strip()))
    return environment


def _start(
    settings: Settings, name: str, environment: dict[str, str], running: dict[str, int]
) -> int:
    if name in running:
        return running[name]
    log = settings.airflow / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", name],
            env={**os.environ, **environment},
            cwd=settings.airflow,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return process.pid


def _stop(pid: int) -> None:
    """End a component and what it forked, gently at first."""
    family = [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]
    os.kill(pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=STOPPED_WITHIN_SECONDS)
    for process in alive:
        process.kill()


def _running(settings: Settings) -> dict[str, int]:
    """The components of ours that still run, with their process ids, and the web UI's port."""
    try:
        noted: dict[str, int] = json.loads(_pid_file(settings).read_text())
    except (OSError, ValueError):
        return {}
    found = {name: pid for name, pid in noted.items() if name != "port" and _is(pid, name)}
    return found | ({"port": noted["port"]} if "api-server" in found else {})


def _is(pid: int, component: str) -> bool:
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
    return "airflow" in command and component.replace("-", "") in command.replace("-", "").replace(
        "_", ""
    )


def _pid_file(settings: Settings) -> Path:
    return settings.airflow / "components.json"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_healthy(port: int) -> None:
    """Scheduler, DAG processor and triggerer all report a heartbeat to the web server."""
    url = f"http://127.0.0.1:{port}/api/v2/monitor/health"
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    parts: dict[str, str] = {}
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                health = json.load(answer)
        except (urllib.error.URLError, OSError):
            time.sleep(1)
            continue
        parts = {name: part.get("status") or "" for name, part in health.items() if part}
        wanted = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        if all(parts.get(name) == "healthy" for name in wanted):
            return
        time.sleep(1)
    raise ConfigurationError(
        f"Airflow is not healthy after {HEALTHY_WITHIN_SECONDS} s: {parts or 'no answer'}.",
        mend=f"Read the logs beside {Settings.from_env().airflow / 'scheduler.log'}.",
    )


def _print_addresses(settings: Settings, port: int) -> None:
    passwords = settings.airflow / "passwords.json"
    password = json.loads(passwords.read_text()).get("admin") if passwords.is_file() else "?"
    console.print(f"Airflow      http://127.0.0.1:{port}   user admin, password {password}")
    console.print(f'Postgres     {settings.database}: psql "$(.venv/bin/retention dsn bi_reader)"')
    announced = settings.demo / "servers.json"
    if settings.company == "demo" and announced.is_file():
        for vendor, each in json.loads(announced.read_text()).items():
            console.print(f"{vendor:<12} {each['base_url']}")
    console.print("The DAGs start paused: unpause them in the web UI, or with")
    console.print("  .venv/bin/retention airflow dags unpause ingest_hubspot")
    console.print("`make down` stops it all.")


if __name__ == "__main__":
    main()
