"""Build all models for one day with dbt, one build at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from retention.builds import dbt_runner, phases
from retention.builds.nodes import NodeResult, clean
from retention.errors import BuildError, UsageError
from retention.settings import Settings

if TYPE_CHECKING:
    import psycopg
    from rich.table import Table

    from retention.warehouse import Warehouse

LOCK = "build"


@dataclass(frozen=True)
class BuildResult:
    """A successful build."""

    build_id: int
    as_of: date
    known_at: datetime
    nodes: tuple[NodeResult, ...]
    seconds: float

    @property
    def models(self) -> int:
        return sum(node.kind == "model" for node in self.nodes)

    @property
    def tests(self) -> int:
        return sum(node.kind == "test" for node in self.nodes)

    def __str__(self) -> str:
        return (
            f"build {self.build_id} of {self.as_of}: {self.models} models, {self.tests} tests "
            f"in {self.seconds:.1f} s"
        )

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table("model", "seconds", "rows", box=None, title=str(self))
        slowest = sorted(self.nodes, key=lambda node: -node.seconds)
        for node in [node for node in slowest if node.kind == "model"]:
            rows = "" if node.rows is None else f"{node.rows:,}"
            table.add_row(node.name, f"{node.seconds:.2f}", rows)
        return table


def build(
    wh: Warehouse, as_of: date, known_at: datetime | None = None, *, full_refresh: bool = False
) -> BuildResult:
    """Build and test every model as of the end of the day ``as_of``.

    ``known_at`` is the transaction time: only records loaded until then are used. It defaults
    to now. Raises AlreadyRunning while another build runs, and BuildError with model, message
    and file of the first failure. A build never changes the published marts.
    """
    day = _day(as_of)
    with _lock(wh) as guard:
        started = _begin(wh, day, known_at)
        return _run(wh, guard, started, full_refresh=full_refresh)


def retry(wh: Warehouse) -> BuildResult:
    """Resume the newest build at the failed model, with the same ``as_of`` and ``known_at``.

    Raises UsageError (nothing_to_retry) when the newest build did not fail, or ran with
    another state folder.
    """
    with _lock(wh) as guard:
        started = _resume(wh)
        refresh = bool(_artifacts(_settings(wh)).get("full_refresh"))
        return _run(wh, guard, started, full_refresh=refresh)


def invoke_dbt(settings: Settings, args: Sequence[str]) -> int:
    """Run a dbt command with this warehouse's profile; return its exit code."""
    from retention.warehouse import Warehouse

    return dbt_runner.invoke(Warehouse.from_settings(settings), settings, args)


def manifest_path(settings: Settings) -> Path:
    """Return the path of the manifest of the company's last build."""
    return dbt_runner.target_path(settings) / "manifest.json"


@dataclass(frozen=True)
class _Started:
    build_id: int
    as_of: date
    known_at: datetime
    done: tuple[NodeResult, ...] = ()


def _run(
    wh: Warehouse, guard: psycopg.Connection, started: _Started, *, full_refresh: bool = False
) -> BuildResult:
    clock = time.monotonic()
    nodes = started.done
    day = phases.Day(started.as_of, started.known_at, started.build_id, full_refresh)
    try:
        with dbt_runner.project(wh, _settings(wh)) as project:
            for phase in phases.of(wh, project, day, started.done):
                nodes = _merged(nodes, phase())
                raise_for_failed(nodes)
        # In the transaction that holds the lock, so that a build without the lock cannot finish.
        _record(guard, started.build_id, "done", nodes)
        guard.commit()
    except BaseException as error:
        guard.rollback()
        with wh.connect("transformer") as conn:
            _record(conn, started.build_id, "failed", nodes, clean(str(error)))
        raise
    seconds = time.monotonic() - clock
    return BuildResult(started.build_id, started.as_of, started.known_at, nodes, seconds)


@contextmanager
def _lock(wh: Warehouse) -> Iterator[psycopg.Connection]:
    with wh.connect("transformer") as guard:
        # This transaction holds the lock and stays idle while dbt runs.
        guard.execute("set local idle_in_transaction_session_timeout = 0")
        wh.lock(guard, LOCK)
        yield guard


def _begin(wh: Warehouse, day: date, known_at: datetime | None) -> _Started:
    with wh.connect("transformer") as conn:
        conn.execute(
            "update ops.builds set status = 'failed', finished_at = clock_timestamp(),"
            " error = 'the process ended before the build finished' where status = 'running'"
        )
        known = known_at or wh.known_at(conn)
        row = conn.execute(
            "insert into ops.builds (as_of, known_at, status) values (%s, %s, 'running')"
            " returning build_id",
            [day, known],
        ).fetchone()
    return _Started(int(row[0]) if row else 0, day, known)


def _resume(wh: Warehouse) -> _Started:
    with wh.connect("transformer") as conn:
        row = conn.execute(
            "select build_id, as_of, known_at, status, models from ops.builds"
            " order by build_id desc limit 1"
        ).fetchone()
    in_artifacts = _artifacts(_settings(wh)).get("vars", {}).get("build_id")
    if row is None or row[3] != "failed" or row[0] != in_artifacts:
        raise UsageError(
            "the newest build did not fail in this state folder, so there is nothing to retry.",
            code="nothing_to_retry",
            hint="Run `retention build`.",
        )
    done = tuple(NodeResult(**node) for node in row[4] or ())
    return _Started(row[0], row[1], row[2], done)


def _artifacts(settings: Settings) -> dict[str, Any]:
    """Return the arguments of the last dbt command of this state folder."""
    try:
        text = (dbt_runner.target_path(settings) / "run_results.json").read_text("utf-8")
        return dict(json.loads(text)["args"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _merged(before: Sequence[NodeResult], now: Sequence[NodeResult]) -> tuple[NodeResult, ...]:
    found = {(node.kind, node.name): node for node in (*before, *now)}
    return tuple(found.values())


def raise_for_failed(nodes: Sequence[NodeResult]) -> None:
    """Raise BuildError with the first failed node and the number of further failures."""
    failed = [node for node in nodes if node.failed]
    if not failed:
        return
    first, more = failed[0], len(failed) - 1
    raise BuildError(
        f"{first.message or first.status}" + (f"; {more} more failed" if more else "") + ".",
        where=f"{first.kind} {first.name} ({first.path})",
        hint="Readers keep the last publish. Correct it and run the build again.",
    )


def _record(
    conn: psycopg.Connection,
    build_id: int,
    status: str,
    nodes: Sequence[NodeResult],
    error: str | None = None,
) -> None:
    conn.execute(
        "update ops.builds set status = %s, finished_at = clock_timestamp(), models = %s,"
        " error = %s where build_id = %s",
        [status, Jsonb([node.as_dict() for node in nodes]), error, build_id],
    )


def _day(as_of: date) -> date:
    """Return the day; raises UsageError for anything but a date, which goes into dbt's vars."""
    if isinstance(as_of, datetime) or not isinstance(as_of, date):
        raise UsageError(f"as_of is a date, not {as_of!r}.")
    return as_of


def _settings(wh: Warehouse) -> Settings:
    """Return the settings of the warehouse, or those of the environment."""
    return wh.settings or Settings.from_env()
