"""The tasks that the DAGs wire together: read Airflow's connections, call ``retention``."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import Asset, BaseHook, task
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from retention import errors
from retention.source import Connection, Source
from retention.sources.enabled import enabled_sources
from retention.window import Window

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


RUNBOOK = Path(__file__).resolve().parents[1] / "dags" / "runbook"


def ingest_doc(source: Source) -> str:
    """What the on-call engineer reads in the web UI about the DAG of this source."""
    return (
        (RUNBOOK / "ingest.md")
        .read_text()
        .format(
            doc=source.doc.strip(),
            name=source.name,
            streams=", ".join(stream.name for stream in source.streams),
            schedule=source.schedule,
            freshness=f"{source.freshness.total_seconds() / 3600:.0f} hours",
            conn_id=source.conn_id,
        )
    )


def transform_doc() -> str:
    """What the on-call engineer reads in the web UI about `transform`."""
    return (RUNBOOK / "transform.md").read_text()


def raw_asset(source: str, stream: str) -> Asset:
    """The asset that a load of this stream emits."""
    return Asset(name=f"raw.{source}_{stream}", uri=f"retention://raw/{source}_{stream}")


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


def _say(line: str) -> None:
    log.info(line)
    for listener in PROGRESS:
        listener(line)


PUBLISHED = Asset(name="publish", uri="retention://publish")


def enabled_assets() -> list[Asset]:
    """The assets of every stream of every enabled source."""
    return [raw_asset(s.name, stream.name) for s in enabled_sources() for stream in s.streams]


def _warehouse() -> Warehouse:
    from retention.warehouse import Warehouse

    return Warehouse.from_url(BaseHook.get_connection("warehouse").get_uri())


def _connection(source: Source) -> Connection:
    from retention.connections import from_fields, variable

    try:
        found = BaseHook.get_connection(source.conn_id)
    except AirflowNotFoundException:
        raise errors.ConfigurationError(
            f"there is no connection {source.conn_id!r}.",
            code="missing_connection",
            where=source.name,
            mend=f"Add it in Airflow, or set {variable(source.conn_id)}.",
        ) from None
    return from_fields(source.conn_id, found.host or "", found.password or "", found.extra_dejson)


def window_of(start: datetime | None, end: datetime | None, run_after: datetime) -> Window:
    """The run's data interval, but never a day that the source does not hold yet.

    A run that was triggered without a date has no interval and means the last whole day.

    The demo company and a folder of files end on a day of their own, which RETENTION_CLOCK
    names a file for. A run for a later day reads that last day; a cursor that ran ahead of
    the source would skip what comes next.
    """
    if start is None or end is None:
        window = Window.of_day(run_after.date() - timedelta(days=1))
    else:
        window = Window(start, end)
    clock = os.environ.get("RETENTION_CLOCK")
    if not clock:
        return window
    last = Window.of_day(date.fromisoformat(Path(clock).read_text().strip()))
    return last if window.end > last.end else window


@task
@reported
def load_stream(source: str, stream: str, **context: Any) -> dict[str, Any]:
    """Load the data interval of one stream, and whatever the cursor shows to be missing."""
    from retention import steps

    declared = next(each for each in enabled_sources() if each.name == source)
    result = steps.load(
        _warehouse(),
        declared,
        declared.stream(stream),
        _connection(declared),
        window_of(
            context.get("data_interval_start"),
            context.get("data_interval_end"),
            context["dag_run"].run_after,
        ),
        run_id=context["run_id"],
    )
    _say(steps.loaded_line(result))
    return {"load_id": result.load_id, "versions_written": result.versions_written}


@task.short_circuit
@reported
def choose_day(**context: Any) -> str | None:
    """The newest complete day; nothing when that day is published and no load came since."""
    from retention import steps

    asked = context["params"].get("as_of")
    day = steps.day_to_build(_warehouse(), date.fromisoformat(asked) if asked else None)
    _say(f"building {day}" if day else "nothing new since the last publish")
    return day.isoformat() if day else None


@task
@reported
def check_arrived(day: str) -> None:
    """Gate 1; raises GateFailed."""
    from retention import steps

    report = steps.gate_arrived(_warehouse(), date.fromisoformat(day), enabled_sources())
    _say(report.summary())


@task
@reported
def build_marts(day: str) -> int:
    """Build every model for that day; returns the build's id."""
    from retention import steps

    result = steps.build(_warehouse(), date.fromisoformat(day))
    _say(str(result))
    return result.build_id


@task
@reported
def check_marts(build_id: int, **context: Any) -> None:
    """Gate 2; raises GateFailed."""
    from retention import steps

    report = steps.gate_marts(_warehouse(), build_id, accept=context["params"].get("accept"))
    _say(report.summary())


@task(outlets=[PUBLISHED])
@reported
def publish_marts(build_id: int, **context: Any) -> int:
    """Move the pointer that readers follow; the only task that owns the published asset."""
    from retention import steps

    result = steps.publish(_warehouse(), build_id, actor=f"airflow {context['run_id']}")
    _say(steps.published_line(result))
    return result.publish_id


def _outbound_connection(conn_id: str) -> Connection:
    from retention.connections import from_fields, variable

    try:
        found = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise errors.ConfigurationError(
            f"there is no connection {conn_id!r}.",
            code="missing_connection",
            where=conn_id,
            mend=f"Add it in Airflow, or set {variable(conn_id)}.",
        ) from None
    return from_fields(conn_id, found.host or "", found.password or "", found.extra_dejson)


def _published() -> Warehouse:
    """The warehouse with its readers' passwords: what goes out was read as any reader reads."""
    from dataclasses import replace

    from retention.settings import Settings

    return replace(_warehouse(), settings=Settings.from_env())


def outbound_doc() -> str:
    """What the on-call engineer reads in the web UI about `outbound`."""
    return (RUNBOOK / "outbound.md").read_text()


@task
@reported
def send_digests() -> None:
    """The digests that have not gone yet; raises ExtractionError when one was refused."""
    from retention.outbound import page, sending
    from retention.outbound.settings import Outbound

    outbound = Outbound.from_env()
    if not outbound.channels:
        _say("no digest is switched on")
        return
    done = sending.send_all(_published(), outbound, _outbound_connection)
    for each in done:
        _say(str(each))
    page.raise_for_failed(done)


@task.short_circuit
@reported
def plan_write_back() -> dict[str, Any] | None:
    """What the CRM lacks or has wrong, for a person to read; nothing skips what follows."""
    from retention.outbound import write_back
    from retention.outbound.hubspot import HubSpotWriter
    from retention.outbound.settings import Outbound

    with HubSpotWriter(_outbound_connection("hubspot_api")) as writer:
        planned = write_back.plan(_published(), Outbound.from_env(), writer)
    _say(planned.summary())
    if not planned.changes:
        return None
    return {"summary": planned.summary(), "changes": write_back.as_documents(planned)}


@task
@reported
def apply_write_back(agreed: dict[str, Any]) -> int:
    """Write what was agreed to and still differs; returns the number of companies."""
    from retention.outbound import write_back
    from retention.outbound.hubspot import HubSpotWriter
    from retention.outbound.settings import Outbound

    with HubSpotWriter(_outbound_connection("hubspot_api")) as writer:
        fresh = write_back.plan(_published(), Outbound.from_env(), writer)
        kept = write_back.only_agreed(fresh, agreed["changes"])
        written = write_back.apply(writer, kept)
    _say(f"{written:,} companies were written")
    return written
