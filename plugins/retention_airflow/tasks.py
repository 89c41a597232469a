"""Shared by all tasks: retry policy, warehouse, connections and progress listeners."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from retention import errors
from retention.settings import root
from retention.source import Connection

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay": timedelta(minutes=2),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=30),
}

# Errors that a retry cannot fix, by class; RETRYABLE_CODES are exceptions.
FINAL = (
    errors.UsageError,
    errors.ConfigurationError,
    errors.QuarantineRateExceeded,
    errors.GateFailed,
    errors.PublishError,
)
FINAL_CODES = ("unauthorized", "forbidden")
RETRYABLE_CODES = ("warehouse_unreachable", "database", "publish_blocked")


def is_final(error: BaseException) -> bool:
    """Return whether the task fails without a retry."""
    code = getattr(error, "code", None)
    if code in RETRYABLE_CODES:
        return False
    return code in FINAL_CODES or isinstance(error, FINAL)


def runbook(name: str) -> str:
    """Return the runbook of a DAG, shown in the web UI."""
    folder = root() / "dags" / "runbook"
    return (folder / f"{name}.md").read_text()


# Progress listeners and task errors for `make run`, which runs the DAGs in one process. Under
# a scheduler there are no listeners, and the task log has both.
PROGRESS: list[Callable[[str], None]] = []
FAILURES: list[BaseException] = []


def reported(step: Callable[..., T]) -> Callable[..., T]:
    """Decorate a task: record its error in FAILURES and do not retry a final error."""

    @functools.wraps(step)
    def run(*args: Any, **kwargs: Any) -> T:
        try:
            return step(*args, **kwargs)
        except Exception as error:
            FAILURES.append(error)
            if is_final(error):
                raise AirflowFailException(str(error)) from error
            raise

    return run


def say(line: str) -> None:
    """Log a line of progress and pass it to the listeners of `make run`."""
    log.info(line)
    for listener in PROGRESS:
        listener(line)


def warehouse() -> Warehouse:
    """Return the warehouse of Airflow's connection ``warehouse``, without reader passwords."""
    from retention.warehouse import Warehouse

    return Warehouse.from_url(BaseHook.get_connection("warehouse").get_uri())


def connection(conn_id: str, where: str = "") -> Connection:
    """Read Airflow's connection of that id; raises ConfigurationError when it is missing."""
    from retention.connections import from_fields, variable

    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise errors.ConfigurationError(
            f"there is no connection {conn_id!r}.",
            code="missing_connection",
            where=where or conn_id,
            hint=f"Add it in Airflow, or set {variable(conn_id)}.",
        ) from None
    return from_fields(conn_id, found.host or "", found.password or "", found.extra_dejson)
