"""A running Airflow, and calls of its API with the printed address and password."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import quickstart
from local.environment import airflow_environment, write_environment
from retention.settings import Settings
from retention.source import Connection
from retention.warehouse import Warehouse
from tests.places import ROOT


@dataclass
class Stack:
    """A local Airflow; ``printed`` is the output of `make up`."""

    settings: Settings
    warehouse: Warehouse
    printed: str = ""
    api: httpx.Client = field(default_factory=httpx.Client)

    def up(self, connections: list[Connection], **variables: str) -> None:
        """Run `make up` with these connections and variables, and wait for the API."""
        environment = airflow_environment(
            self.settings, self.warehouse, connections, quickstart.DEMO_SOURCES
        )
        write_environment(self.settings, environment | variables)
        up = self.command("local.services", "up")
        assert up.returncode == 0, up.stderr
        self.printed = up.stdout
        token = self.token(self.password).json()["access_token"]
        self.api = httpx.Client(
            base_url=f"{self.address}/api/v2",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        until(lambda: self.get("/dags")["total_entries"] == 6, "the DAGs are listed")

    @property
    def address(self) -> str:
        return next(word for word in self.printed.split() if word.startswith("http://"))

    @property
    def password(self) -> str:
        return self.printed.split("password ")[1].split()[0]

    def token(self, password: str) -> httpx.Response:
        login = {"username": "admin", "password": password}
        return httpx.post(f"{self.address}/auth/token", json=login, timeout=30)

    def get(self, path: str) -> Any:
        answer = self.api.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/dags/{dag_id}/dagRuns?order_by=id")["dag_runs"]
        return found

    def tasks(self, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
        path = f"/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        return {task["task_id"]: task for task in self.get(path)["task_instances"]}

    def unpause(self, dag_id: str) -> None:
        assert self.api.patch(f"/dags/{dag_id}", json={"is_paused": False}).status_code == 200

    def finished(self, dag_id: str, count: int = 1) -> dict[str, Any]:
        """Wait until ``count`` runs of the DAG have ended; return the newest."""
        until(lambda: sum(_ended(run) for run in self.runs(dag_id)) >= count, self.story)
        return self.runs(dag_id)[-1]

    def story(self) -> str:
        """Return the state of loads, runs and builds, for the message of a timeout."""
        lines = self.rows("select source, stream, error from ops.loads where status != 'done'")
        for dag_id in ("transform", "ingest_hubspot", "ingest_stripe"):
            for run in self.runs(dag_id):
                tasks = self.tasks(run).items()
                states = {name: (task["state"], task["try_number"]) for name, task in tasks}
                lines.append((run["dag_run_id"], run["state"], states))
        lines += self.rows("select build_id, status, error from ops.builds")
        return "\n".join(map(str, lines))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect("loader") as conn:
            return conn.execute(query).fetchall()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        own = {name: value for name, value in os.environ.items() if name != "AIRFLOW_HOME"}
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=own | {"RETENTION_STATE": str(self.settings.state)},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def prepared() -> Iterator[Stack]:
    """Create an empty warehouse in its own state folder; stop and delete it at the end."""
    state = Path(tempfile.mkdtemp(prefix="retention-airflow-"))
    state.chmod(0o755)  # the server runs as a system user of its own
    settings = Settings(root=ROOT, state=state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_STATE", str(state))
        stack = Stack(settings, quickstart.prepare(settings))
        try:
            yield stack
        finally:
            down = stack.command("local.services", "down", "--and-forget")
            shutil.rmtree(state)
            assert down.returncode == 0, down.stderr


def _ended(run: dict[str, Any]) -> bool:
    return run["state"] in ("success", "failed")


def until(true: Callable[[], bool], what: str | Callable[[], str], patience: float = 600) -> None:
    """Wait for the condition; fail with ``what`` after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            story = what if isinstance(what, str) else what()
            pytest.fail(f"not within {patience} s: {story}")
        time.sleep(0.5)
