"""What every task has: retries that know when to stop, the warehouse, connections, listeners."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from retention import errors
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

# Which errors a second attempt cannot mend, by kind, unless the code says otherwise.
FINAL = (
    errors.UsageError,
    errors.ConfigurationError,
    errors.QuarantineRateExceeded,
    errors.GateFailed,
    errors.PublishError,
)
FINAL_CODES = ("unauthorized", "forbidden")
PASSING_CODES = ("warehouse_unreachable", "database", "publish_blocked")


def is_final(error: BaseException) -> bool:
    """Whether the task fails at once; what may pass is tried again, later and later."""
    code = getattr(error, "code", None)
    if code in PASSING_CODES:
        return False
    return code in FINAL_CODES or isinstance(error, FINAL)


def runbook(name: str) -> str:
    """What the on-call engineer reads in the web UI about a DAG."""
    folder = Path(__file__).resolve().parents[2] / "dags" / "runbook"
    return (folder / f"{name}.md").read_text()


# Who listens while the DAGs run in one process (`make run`): lines as they are known, and the
# errors that stopped a task. Under a scheduler nobody listens and the task's log has both.
PROGRESS: list[Callable[[str], None]] = []
FAILURES: list[BaseException] = []


def reported(step: Callable[..., T]) -> Callable[..., T]:
    """Keep the error of a task for whoever runs the DAG in this process.

    What no second attempt can mend fails the task for good.
    """

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
    log.info(line)
    for listener in PROGRESS:
        listener(line)


def warehouse() -> Warehouse:
    """The warehouse of Airflow's connection of that name, without its readers' passwords."""
    from retention.warehouse import Warehouse

    return Warehouse.from_url(BaseHook.get_connection("warehouse").get_uri())


def connection(conn_id: str, where: str = "") -> Connection:
    """Airflow's connection of that id; ConfigurationError says ``where`` it is missing."""
    from retention.connections import from_fields, variable

    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise errors.ConfigurationError(
            f"there is no connection {conn_id!r}.",
            code="missing_connection",
            where=where or conn_id,
            mend=f"Add it in Airflow, or set {variable(conn_id)}.",
        ) from None
    return from_fields(conn_id, found.host or "", found.password or "", found.extra_dejson)
