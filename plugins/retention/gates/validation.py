"""Run suites with Great Expectations and return counts, never values."""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from retention.errors import ConfigurationError
from retention.gates.report import Outcome
from retention.suites import Expectation, Suite

if TYPE_CHECKING:
    import psycopg

# Counts only: a partial list would put unexpected values (personal data) into results and docs.
DETAILS: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
# A count stops a run when its probability at the allowed rate is below this.
CHANCE = 0.001
_ERROR = re.compile(r"\((?:psycopg\.errors\.)?(\w+)\)|The column (\"[^\"]*\") in BatchData")


@dataclass(frozen=True)
class Examined:
    """A suite with its outcomes and the library's result, from which the docs are rendered."""

    suite: Suite
    outcomes: tuple[Outcome, ...]
    result: Any


@dataclass(frozen=True)
class Task:
    """A suite and the SELECT of the rows to check; ``expand`` completes its queries."""

    suite: Suite
    query: str
    expand: Callable[[str], str] = str


@cache
def great_expectations() -> Any:
    """Import the library once per process: the import takes seconds and logs."""
    # It queries the version of an installed Airflow, which logs to the console.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with quiet():
        import great_expectations

        # Registers the data source and the metrics that fetch no rows.
        import retention.gates.engine  # noqa: F401

    return great_expectations


@contextmanager
def quiet() -> Iterator[None]:
    """Disable logging for the block: the library's tracebacks contain SQL and values."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def configurations(
    suite: Suite, expand: Callable[[str], str] = str, rows: str = "select"
) -> list[Any]:
    """Convert the suite's expectations to objects of the library; ``rows`` is their query.

    Raises ConfigurationError for an unknown type or argument. A suite of plain dicts would
    drop those with only a log line, and pass.
    """
    great_expectations()
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    made = []
    for number, entry in enumerate(suite.expectations):
        kwargs = dict(entry.kwargs)
        if isinstance(kwargs.get("unexpected_rows_query"), str):
            kwargs["unexpected_rows_query"] = _filled(kwargs["unexpected_rows_query"], expand, rows)
        try:
            made.append(
                ExpectationConfiguration(
                    type=entry.type,
                    kwargs=kwargs,
                    severity=entry.severity,
                    notes=entry.notes or None,
                    meta={"number": number, "name": entry.label},
                ).to_domain_obj()
            )
        except Exception as error:
            raise ConfigurationError(
                f"{entry.label}: {_one_line(error)}",
                code="broken_suite",
                where=f"expectations/{suite.name}.yml",
            ) from error
    return made


def examine(connect: Callable[[], psycopg.Connection], tasks: Sequence[Task]) -> list[Examined]:
    """Run every task in one context over one engine.

    The first run returns only success flags; failed checks run again for their counts. A
    check that cannot be evaluated (missing column, error in its SQL) fails as critical,
    whatever severity its suite has.
    """
    gx = great_expectations()
    with quiet():
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        # The creator returns open connections, so the context has no password. All assets come
        # at once: the context writes its whole configuration whenever one is added.
        source = context.data_sources.add_counted_postgres(
            "warehouse",
            connection_string="postgresql+psycopg://gate@127.0.0.1/warehouse",
            kwargs={"creator": connect},
            assets=[
                {"type": "query", "name": task.suite.name, "query": task.query} for task in tasks
            ],
        )
        try:
            return [_examine(source.get_asset(task.suite.name), task) for task in tasks]
        finally:
            source.get_engine().dispose()


def _examine(asset: Any, task: Task) -> Examined:
    made = configurations(task.suite, task.expand, task.query)
    batch = asset.get_batch(asset.build_batch_request())
    result = _run(batch, task.suite.name, made, "BOOLEAN_ONLY")
    failed = {r.expectation_config.meta["number"] for r in result.results if not r.success}
    if failed:
        chosen = [each for each in made if each.meta["number"] in failed]
        details = _run(batch, task.suite.name, chosen, DETAILS)
        found = {r.expectation_config.meta["number"]: r for r in details.results}
        result.results = [found.get(r.expectation_config.meta["number"], r) for r in result.results]
    outcomes = _outcomes(task.suite, result.results, failed)
    return Examined(task.suite, outcomes, result)


def _filled(query: str, expand: Callable[[str], str], rows: str) -> str:
    """Replace ``{batch}`` by the rows as a relation named batch.

    The library names the relation only in some queries. It also requires its placeholder,
    which therefore remains as a comment.
    """
    relation = f"({rows}) as batch".replace("{", "{{").replace("}", "}}")
    return expand(query).replace("{batch}", relation) + " /* {batch} */"


def _run(batch: Any, name: str, made: list[Any], form: Any) -> Any:
    """Validate without storing anything in the context."""
    suite = great_expectations().ExpectationSuite(name=name, expectations=made)
    return batch.validate(suite, result_format=form)


def _outcomes(suite: Suite, results: Sequence[Any], failed: set[int]) -> tuple[Outcome, ...]:
    by_number = {r.expectation_config.meta["number"]: r for r in results}
    missing = set(range(len(suite.expectations))) - set(by_number)
    if missing:
        raise ConfigurationError(
            f"{len(missing)} of {len(suite.expectations)} checks have no result.",
            where=f"expectations/{suite.name}.yml",
        )
    return tuple(
        _outcome(suite, entry, by_number[number], number in failed)
        for number, entry in enumerate(suite.expectations)
    )


def _outcome(suite: Suite, entry: Expectation, result: Any, failed: bool) -> Outcome:
    error = exception_of(result)
    counts = result.result or {}
    unexpected, checked = counts.get("unexpected_count"), counts.get("element_count")
    if entry.type == "unexpected_rows_expectation":
        unexpected = counts.get("observed_value")
    severity, notes = entry.severity, entry.notes
    if error:
        severity, notes = "critical", f"could not be evaluated ({error}). {notes}"
    elif failed and may_be_chance(entry.kwargs.get("mostly"), unexpected, checked):
        severity = "info" if severity == "info" else "warning"
        notes = f"Not significant for so few rows. {notes}"
    return Outcome(
        suite=suite.name,
        expectation=entry.label,
        severity=severity,
        success=not failed,
        column=entry.column,
        unexpected=_whole(unexpected) if failed else None,
        checked=_whole(checked) if failed else None,
        notes=notes.strip(),
        observed={"type": entry.type, **({"error": error} if error else {})},
    )


def may_be_chance(mostly: Any, unexpected: Any, checked: Any) -> bool:
    """Return whether the count is plausible at the rate that ``mostly`` allows.

    True when the binomial tail probability of ``unexpected`` of ``checked`` is at least
    CHANCE: one bad row of three is plausible, thirty of a hundred are not.
    """
    if not isinstance(mostly, float) or not 0 < mostly < 1 or not unexpected or not checked:
        return False
    rate, tail = 1 - mostly, 0.0
    for hits in range(unexpected, checked + 1):
        ways = math.lgamma(checked + 1) - math.lgamma(hits + 1) - math.lgamma(checked - hits + 1)
        term = math.exp(ways + hits * math.log(rate) + (checked - hits) * math.log(mostly))
        tail += term
        # Above the mean the terms decrease; below it the tail soon reaches CHANCE.
        if tail >= CHANCE or term < CHANCE / checked**2:
            break
    return tail >= CHANCE


def exception_of(result: Any) -> str:
    """Return the class of the error of an expectation, or ''; its message may quote data."""
    info = result.exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        if isinstance(entry, dict) and entry.get("raised_exception"):
            match = _ERROR.search(str(entry.get("exception_message")))
            if match is None:
                return "error"
            return match.group(1) or f"no column {match.group(2)}"
    return ""


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
