"""`make up` and `make down`: Airflow's scheduler and web UI, the database and the demo."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import date
from pathlib import Path

import psutil
from rich.console import Console

from local import demo_servers, ports
from local.environment import write_environment
from local.quickstart import migrate_airflow
from retention.connections import as_environment
from retention.errors import ConfigurationError, RetentionError
from retention.settings import Settings
from retention.warehouse import Warehouse, postgres
from retention.warehouse.keyring import secret
from retention.warehouse.ports import HOST

BOOKMARKED_PORT = 8080
HEALTH = "/api/v2/monitor/health"
# The log servers listen on every address. On one machine they are not needed: the web server
# reads the log files.
COMPONENTS = {
    "api-server": (),
    "scheduler": ("--skip-serve-logs",),
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
HEALTHY_WITHIN_SECONDS = 300

console = Console(highlight=False, soft_wrap=True)


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
    """Start the components that do not run, wait until they are healthy, print addresses."""
    running = _running(settings)
    environment = _environment(settings)
    migrate_airflow(settings, environment)
    _keep_password(settings)
    with ports.chosen(BOOKMARKED_PORT) as free:
        port = running.get("port") or free
        environment |= {
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__BASE_URL": f"http://{HOST}:{port}",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
            # The web UI shows the task's log.
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        }
        pids = {name: _start(settings, name, environment, running) for name in COMPONENTS}
        noted = {"company": settings.company, "port": port, **pids}
        _pid_file(settings).write_text(json.dumps(noted))
        ports.wait_until_open(pids["api-server"], port)
    _wait_until_healthy(settings, port, pids)
    _print_addresses(settings, port)


def down(settings: Settings, *, forget: bool) -> None:
    """Stop Airflow, the demo's servers and the embedded database; ``forget`` deletes its data."""
    running = {name: pid for name, pid in _noted(settings).items() if _is(pid, name)}
    _stop(list(running.values()), patience=5 if forget else 30)
    for name in running:
        console.print(f"stopped {name}")
    _pid_file(settings).unlink(missing_ok=True)
    if demo_servers.stop(settings):
        console.print("stopped the demo company")
    if forget:
        postgres.destroy(settings)
    elif postgres.stop(settings):
        console.print("stopped Postgres")


def _environment(settings: Settings) -> dict[str, str]:
    """Read the variables of `make run`; start what they point to and update the addresses."""
    path = settings.state / f"environment-{settings.company}.json"
    if not path.is_file():
        raise ConfigurationError(
            "this installation has not been set up.", hint="Run `make run` first."
        )
    environment: dict[str, str] = json.loads(path.read_text())
    environment["AIRFLOW_CONN_WAREHOUSE"] = Warehouse.from_settings(settings).url
    environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = postgres.airflow_url(settings)
    clock = Path(environment["RETENTION_CLOCK"])
    if clock.parent == settings.demo and clock.is_file():
        day = date.fromisoformat(clock.read_text().strip())
        found = as_environment(demo_servers.start(settings, day))
        environment |= {name: value for name, value in found.items() if name in environment}
    write_environment(settings, environment)
    return environment


def _keep_password(settings: Settings) -> None:
    """Write the generated admin password where Airflow reads it, for the owner only."""
    path = settings.airflow / "passwords.json"
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)
    path.write_text(json.dumps({"admin": password(settings)}))


def password(settings: Settings) -> str:
    """Return the password of the web UI's user admin; it is generated once."""
    return secret(settings, "airflow_admin")[:24]


def _start(
    settings: Settings, name: str, environment: dict[str, str], running: dict[str, int]
) -> int:
    if name in running:
        return running[name]
    with (settings.airflow / f"{name}.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", name, *COMPONENTS[name]],
            env={**os.environ, **environment},
            cwd=settings.airflow,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return process.pid


def _stop(pids: list[int], *, patience: float) -> None:
    """Terminate all components and their children; kill those alive after ``patience`` s."""
    families: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            families += [*process.children(recursive=True), process]
            process.terminate()
    _, alive = psutil.wait_procs(families, timeout=patience)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _running(settings: Settings) -> dict[str, int]:
    """Return the running components with their process ids, and the web UI's port.

    Raises ConfigurationError when they run with the environment of another company.
    """
    noted = _noted(settings)
    found = {name: pid for name, pid in noted.items() if _is(pid, name)}
    if not found:
        return {}
    company = json.loads(_pid_file(settings).read_text()).get("company")
    if company != settings.company:
        raise ConfigurationError(f"Airflow runs for {company!r}.", hint="Run `make down` first.")
    return found | {"port": noted["port"]}


def _noted(settings: Settings) -> dict[str, int]:
    try:
        noted: dict[str, int] = json.loads(_pid_file(settings).read_text())
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in noted.items() if name != "company"}


def _is(pid: int, component: str) -> bool:
    """Return whether that process is this component; Airflow writes its name with - or _."""
    if component not in COMPONENTS:
        return False
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
    return "airflow" in command and component in command.replace("_", "-")


def _pid_file(settings: Settings) -> Path:
    return settings.airflow / "components.json"


def _wait_until_healthy(settings: Settings, port: int, pids: dict[str, int]) -> None:
    """Scheduler, DAG processor and triggerer all report a heartbeat to the web server."""
    deadline = time.monotonic() + HEALTHY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        # First: what answers when the web server of ours has stopped is somebody else's.
        for name, pid in pids.items():
            if not _is(pid, name):
                raise ConfigurationError(
                    f"Airflow's {name} has stopped.",
                    hint=f"Read {settings.airflow / name}.log, then `make down` and `make up`.",
                )
        parts = _health(port)
        wanted = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        if all(parts.get(name) == "healthy" for name in wanted):
            return
        time.sleep(0.5)
    raise ConfigurationError(
        f"Airflow is not healthy after {HEALTHY_WITHIN_SECONDS} s: {_health(port) or 'no answer'}.",
        hint=f"Read the logs in {settings.airflow}.",
    )


def _health(port: int) -> dict[str, str]:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{HEALTH}", timeout=5) as answer:
            health = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return {}
    return {name: part.get("status") or "" for name, part in health.items() if part}


def _print_addresses(settings: Settings, port: int) -> None:
    address = f"http://{HOST}:{port}"
    console.print(f"Airflow      {address}   user admin, password {password(settings)}")
    console.print(f'Postgres     {settings.database}: psql "$(.venv/bin/retention dsn bi_reader)"')
    announced = settings.demo / "servers.json"
    if settings.company == "demo" and announced.is_file():
        for vendor, each in json.loads(announced.read_text()).items():
            console.print(f"{vendor:<12} {each['base_url']}")
    console.print("The DAGs start paused: unpause them in the web UI. `make down` stops it all.")


if __name__ == "__main__":
    main()
