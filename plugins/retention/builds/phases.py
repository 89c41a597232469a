"""Phases of a build: dbt, the statistics on its models, then dbt on the models reading those."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from retention.builds.dbt_runner import Project
from retention.builds.nodes import NodeResult, clean
from retention.statistics import STATISTICS, Statistic, tables

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

# Unit tests do not depend on the data; the test suite runs them.
COMMAND = ("build", "--exclude-resource-type", "unit_test", "--threads", "4")
READERS = "tag:statistics+"
KIND = "statistic"
Phase = Callable[[], list[NodeResult]]


@dataclass(frozen=True)
class Day:
    """The parameters of one build."""

    as_of: date
    known_at: datetime
    build_id: int
    full_refresh: bool = False
    prefix: str = ""

    @property
    def arguments(self) -> list[str]:
        """Return the dbt options with the build's variables."""
        variables = {
            "as_of": self.as_of.isoformat(),
            "known_at": self.known_at.isoformat(),
            "build_id": self.build_id,
        }
        refresh = ["--full-refresh"] if self.full_refresh else []
        return [*refresh, "--vars", json.dumps(variables)]


def of(
    wh: Warehouse, project: Project, day: Day, done: Sequence[NodeResult] = ()
) -> Iterator[Phase]:
    """Yield the phases to run in order; ``done`` are the nodes of an earlier attempt.

    A project whose models read no statistic has one phase.
    """
    wanted = [known for known in STATISTICS if known.name in project.sources("statistics")]
    build = partial(project.build, [*COMMAND, *day.arguments])
    # A retry names each failed or skipped test, so it runs them unfolded.
    names = [node.name for node in done if node.failed or node.status == "skipped"]
    again = partial(project.run, [*COMMAND, "--select", *names, *day.arguments])
    if not wanted:
        yield again if done else build
        return
    in_dbt = any(node.failed and node.kind != KIND for node in done)
    in_last_phase = in_dbt and any(node.kind == KIND for node in done)
    if not in_last_phase:
        if in_dbt:
            yield again
        elif not done:
            yield partial(project.build, [*COMMAND, "--exclude", READERS, *day.arguments])
        yield partial(compute, wh, wanted, day)
        yield partial(project.build, [*COMMAND, "--select", READERS, *day.arguments])
    else:
        yield again


def compute(wh: Warehouse, statistics: Iterable[Statistic], day: Day) -> list[NodeResult]:
    """Compute and store each statistic until one fails; return a NodeResult for each."""
    results: list[NodeResult] = []
    for statistic in statistics:
        results.append(_computed(wh, statistic, day))
        if results[-1].failed:
            break
    return results


def _computed(wh: Warehouse, statistic: Statistic, day: Day) -> NodeResult:
    clock = time.monotonic()
    status, rows, message = "success", None, ""
    try:
        rows = tables.write(wh, statistic, day.as_of, day.known_at, day.prefix)
    # Any exception of a library fails the build with the name of the statistic.
    except Exception as error:
        status, message = "error", clean(f"{type(error).__name__}: {error}")
    seconds = round(time.monotonic() - clock, 3)
    return NodeResult(statistic.name, KIND, statistic.path, status, seconds, rows, message)
