"""dbt inside this process: its environment, its parsed project, its results, and no secrets."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import conninfo_to_dict

from retention.builds import dbt_tests, parsed
from retention.builds.nodes import NodeResult, clean, node_result, part_of
from retention.errors import AlreadyRunning, BuildError
from retention.keyring import PSEUDONYM_KEY, secret
from retention.settings import Settings
from retention.warehouse import SESSION

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

# dbt keeps its settings in globals of the process.
_one_at_a_time = threading.Lock()


def target_path(settings: Settings, prefix: str = "") -> Path:
    """Where dbt keeps its artefacts: one folder per company, so that two never mix.

    With a prefix of schemas there is one more: what is parsed for one does not hold for others.
    """
    return settings.state / "dbt" / settings.company / f"{prefix}target"


@dataclass
class Project:
    """The dbt project of one warehouse: parsed once, for as many commands as there are."""

    settings: Settings
    prefix: str = ""
    _manifest: Any = None

    @property
    def manifest(self) -> Any:
        """Parsed without the variables of the day, so that it holds from one day, one process and
        one company to the next. Whole, whenever a file has changed: what dbt's partial parsing
        keeps of a seed is older than the seed.
        """
        if self._manifest is None:
            database = os.environ["RETENTION_DBT_DBNAME"]
            place = parsed.place(self.settings, self.prefix)
            self._manifest = parsed.read(place, database) or self._parse(place)
        return self._manifest

    def _parse(self, place: Path) -> Any:
        from dbt.cli.main import dbtRunner

        manifest = self._invoke(dbtRunner(), ["parse", "--no-partial-parse"]).result
        written = target_path(self.settings, self.prefix) / "partial_parse.msgpack"
        parsed.keep(place, written)
        return manifest

    def run(self, command: Sequence[str]) -> list[NodeResult]:
        """Run one dbt command; the result of every node, failed or not.

        Raises BuildError when dbt stops before it runs anything.
        """
        return [node_result(result) for result in self._results(command)]

    def build(self, command: Sequence[str]) -> list[NodeResult]:
        """The same with tests folded where they read the same; a fold that fails is run again
        test by test, so that what failed has its own name and message.
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
        # The results on disk stay those of the build, which a retry looks at.
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
        """The tables of that source that the models read."""
        known = self.manifest.sources.values()
        return {source.name for source in known if source.source_name == name}

    def _invoke(self, runner: Any, command: Sequence[str]) -> Any:
        # Quiet and without a log file: messages reach people through BuildError, cleaned.
        quiet = ["--quiet", "--no-print", "--log-level-file", "none", "--log-level", "none"]
        response = runner.invoke([*quiet, *command, *_places(self.settings, self.prefix)])
        if response.exception is not None or response.result is None:
            raise BuildError(clean(str(response.exception or "dbt gave no result")))
        return response


@contextmanager
def project(wh: Warehouse, settings: Settings, prefix: str = "") -> Iterator[Project]:
    """The project, with dbt's environment for the length of the block.

    With a prefix every schema that it writes to begins with it.

    Raises AlreadyRunning when this process is running dbt already.
    """
    with environment(wh, settings, prefix):
        yield Project(settings, prefix)


def run(wh: Warehouse, settings: Settings, command: Sequence[str]) -> list[NodeResult]:
    """One command in a project of its own."""
    with project(wh, settings) as opened:
        return opened.run(command)


def invoke(wh: Warehouse, settings: Settings, args: Sequence[str]) -> int:
    """Dbt as a person calls it, with its output on the console; its exit code."""
    with environment(wh, settings):
        from dbt.cli.main import dbtRunner

        places = _places(settings)
        response = dbtRunner().invoke([*args, *places])
    return 0 if response.success else 2 if response.exception else 1


@contextmanager
def environment(wh: Warehouse, settings: Settings, prefix: str = "") -> Iterator[None]:
    """The profile's variables for the length of the block; as they were before, after it."""
    _keep_connections()
    if not _one_at_a_time.acquire(blocking=False):
        raise AlreadyRunning("this process is running dbt already.", mend="Try again later.")
    wanted = {**_variables(wh, settings), "RETENTION_DBT_SCHEMA_PREFIX": prefix}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
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
    # Connection options, because a variable of dbt would be written into its artefacts.
    # The role too: one set by a statement would be gone with the first rollback.
    key = secret(settings, PSEUDONYM_KEY)
    session = {**SESSION, "role": "transformer", "retention.pseudonym_key": key}
    return {
        "RETENTION_DBT_HOST": str(parts.get("host", "127.0.0.1")),
        "RETENTION_DBT_PORT": str(parts.get("port", 5432)),
        "RETENTION_DBT_DBNAME": str(parts.get("dbname", "")),
        "RETENTION_DBT_USER": str(parts.get("user", "")),
        "DBT_ENV_SECRET_PASSWORD": str(parts.get("password", "")),
        "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "RETENTION_PROJECT_FINGERPRINT": parsed.fingerprint(settings.root / "dbt_project"),
        "DO_NOT_TRACK": "1",
    }


def _keep_connections() -> None:
    """A session per thread instead of one per node: to connect costs more than most nodes do.

    dbt closes them all at the end of each command.
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
        # What is broken is not kept: the thread's next node connects anew.
        manager.clear_thread_connection()


def _places(settings: Settings, prefix: str = "") -> list[str]:
    project = str(settings.root / "dbt_project")
    target = target_path(settings, prefix)
    return [
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", str(target), "--log-path", str(target.parent / "logs")),
    ]
