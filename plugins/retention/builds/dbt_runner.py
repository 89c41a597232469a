"""Run dbt inside this process with its environment, parsed project and cleaned results."""

from __future__ import annotations

import csv
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import conninfo_to_dict

from retention.builds import dbt_tests, manifest_cache
from retention.builds.nodes import NodeResult, clean, node_result, part_of
from retention.errors import AlreadyRunning, BuildError
from retention.settings import Settings
from retention.warehouse.connection import SESSION
from retention.warehouse.keyring import PSEUDONYM_KEY, secret

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

# Where the planner takes many rows for one, a nested loop costs minutes and a hash join that was
# not needed costs milliseconds. A join without an equality still loops.
PLANNING = {"enable_nestloop": "off"}

# dbt keeps its settings in process globals, so two runs would mix them.
_one_at_a_time = threading.Lock()


def target_path(settings: Settings, prefix: str = "") -> Path:
    """Return the folder of dbt's artifacts, one per company and schema prefix."""
    return settings.state / "dbt" / settings.company / f"{prefix}target"


@dataclass
class Project:
    """The dbt project of one warehouse, parsed once for all its commands."""

    settings: Settings
    prefix: str = ""
    _manifest: Any = None

    @property
    def manifest(self) -> Any:
        """Return the manifest, from the cache unless a project file changed.

        It is parsed without the day's variables, so that days, processes and companies share
        it. Parsing is always full: dbt's partial parsing keeps outdated seeds.
        """
        if self._manifest is None:
            database = os.environ["RETENTION_DBT_DBNAME"]
            path = manifest_cache.path_of(self.settings, self.prefix)
            self._manifest = manifest_cache.read(path, database) or self._parse(path)
        return self._manifest

    def _parse(self, path: Path) -> Any:
        from dbt.cli.main import dbtRunner

        manifest = self._invoke(dbtRunner(), ["parse", "--no-partial-parse"]).result
        written = target_path(self.settings, self.prefix) / "partial_parse.msgpack"
        manifest_cache.store(path, written)
        return manifest

    def run(self, command: Sequence[str]) -> list[NodeResult]:
        """Run one dbt command; return the result of every node, failed or not.

        Raises BuildError when dbt stops before it runs any node.
        """
        return [node_result(result) for result in self._results(command)]

    def build(self, command: Sequence[str]) -> list[NodeResult]:
        """Run one dbt command with tests of the same relations folded into one node.

        A folded node that fails runs again test by test, so that each failure has its own
        name and message.
        """
        nodes: list[NodeResult] = []
        broken: list[tuple[NodeResult, list[Any]]] = []
        with dbt_tests.folded(self.manifest) as folds:
            results = self._results(command)
        for result in results:
            node, tests = node_result(result), folds.get(result.node.unique_id, [])
            if tests and node.failed:
                broken.append((node, tests))
            nodes += [part_of(node, test, len(tests)) for test in tests] or [node]
        if not broken:
            return nodes
        names = [test.name for _, tests in broken for test in tests]
        variables = list(command[command.index("--vars") :][:2])
        # Keep run_results.json of the build, which a retry reads.
        again = self.run(["test", "--no-write-json", "--select", *names, *variables])
        known = {node.name: node for node in again}
        for node, tests in broken:
            if not any(known[test.name].failed for test in tests if test.name in known):
                again.append(node)
        found = {(node.kind, node.name): node for node in (*nodes, *again)}
        return list(found.values())

    def _results(self, command: Sequence[str]) -> list[Any]:
        from dbt.cli.main import dbtRunner

        response = self._invoke(dbtRunner(manifest=self.manifest), command)
        return list(response.result.results)

    def sources(self, name: str) -> set[str]:
        """Return the tables of that dbt source which the project declares."""
        known = self.manifest.sources.values()
        return {source.name for source in known if source.source_name == name}

    def _invoke(self, runner: Any, command: Sequence[str]) -> Any:
        # Quiet and without a log file: messages may quote data, and BuildError cleans them.
        quiet = ["--quiet", "--no-print", "--log-level-file", "none", "--log-level", "none"]
        response = runner.invoke([*quiet, *command, *_places(self.settings, self.prefix)])
        if response.exception is not None or response.result is None:
            raise BuildError(clean(str(response.exception or "dbt gave no result")))
        return response


@contextmanager
def project(wh: Warehouse, settings: Settings, prefix: str = "") -> Iterator[Project]:
    """Open the project with dbt's environment for the block.

    ``prefix`` is prepended to every schema that dbt writes to. Raises AlreadyRunning when
    this process already runs dbt.
    """
    with environment(wh, settings, prefix):
        yield Project(settings, prefix)


def run(wh: Warehouse, settings: Settings, command: Sequence[str]) -> list[NodeResult]:
    """Run one command in a newly opened project."""
    with project(wh, settings) as opened:
        return opened.run(command)


def invoke(wh: Warehouse, settings: Settings, args: Sequence[str]) -> int:
    """Run dbt with its output on the console; return its exit code."""
    with environment(wh, settings):
        from dbt.cli.main import dbtRunner

        places = _places(settings)
        response = dbtRunner().invoke([*args, *places])
    return 0 if response.success else 2 if response.exception else 1


@contextmanager
def environment(wh: Warehouse, settings: Settings, prefix: str = "") -> Iterator[None]:
    """Set the variables of the dbt profile for the block and restore them afterwards."""
    _keep_connections()
    if not _one_at_a_time.acquire(blocking=False):
        raise AlreadyRunning("this process already runs dbt.", hint="Try again later.")
    variables = {**_variables(wh, settings), "RETENTION_DBT_SCHEMA_PREFIX": prefix}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _one_at_a_time.release()


def _variables(wh: Warehouse, settings: Settings) -> Mapping[str, str]:
    parts = conninfo_to_dict(wh.url)
    # As connection options: dbt writes its variables into artifacts, and a role set by a
    # statement is lost at the first rollback.
    key = secret(settings, PSEUDONYM_KEY)
    session = {**SESSION, **PLANNING, "role": "transformer", "retention.pseudonym_key": key}
    return {
        "RETENTION_DBT_HOST": str(parts.get("host", "127.0.0.1")),
        "RETENTION_DBT_PORT": str(parts.get("port", 5432)),
        "RETENTION_DBT_DBNAME": str(parts.get("dbname", "")),
        "RETENTION_DBT_USER": str(parts.get("user", "")),
        "DBT_ENV_SECRET_PASSWORD": str(parts.get("password", "")),
        "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "RETENTION_DBT_POLICIES": json.dumps(policies(settings.root / "dbt_project")),
        "RETENTION_PROJECT_FINGERPRINT": manifest_cache.fingerprint(settings.root / "dbt_project"),
        "DO_NOT_TRACK": "1",
    }


def policies(project: Path) -> dict[str, str]:
    """Return the seed `policy` as the build will load it; empty for a project without it."""
    path = project / "seeds" / "policy.csv"
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["value"] for row in csv.DictReader(file)}


def _keep_connections() -> None:
    """Keep one session per thread: connecting for each node costs more than most nodes.

    dbt closes all sessions at the end of each command.
    """
    from dbt.adapters.postgres import PostgresConnectionManager

    PostgresConnectionManager.release = _release


def _release(manager: Any) -> None:
    connection = manager.get_if_exists()
    if connection is None or connection.state != "open":
        return
    try:
        connection.handle.rollback()
        connection.transaction_open = False
    except Exception:
        # Drop a broken session; the thread's next node opens a new one.
        manager.clear_thread_connection()


def _places(settings: Settings, prefix: str = "") -> list[str]:
    project = str(settings.root / "dbt_project")
    target = target_path(settings, prefix)
    return [
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", str(target), "--log-path", str(target.parent / "logs")),
    ]
