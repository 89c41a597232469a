"""Tasks of ``transform``: gate 1, build, gate 2, publish."""

from __future__ import annotations

from datetime import date
from typing import Any

from airflow.sdk import Asset, task

from retention.sources.enabled import enabled_sources
from retention_airflow.ingest import raw_asset
from retention_airflow.tasks import reported, say, warehouse

PUBLISHED = Asset(name="publish", uri="retention://publish")


def enabled_assets() -> list[Asset]:
    """Return the assets of all streams of all enabled sources."""
    return [raw_asset(s.name, stream.name) for s in enabled_sources() for stream in s.streams]


@task.short_circuit
@reported
def choose_day(**context: Any) -> str | None:
    """Return the day to build; None when it is published and nothing was loaded since."""
    from retention import steps

    requested = context["params"].get("as_of")
    day = steps.day_to_build(warehouse(), date.fromisoformat(requested) if requested else None)
    say(f"building {day}" if day else "nothing new since the last publish")
    return day.isoformat() if day else None


@task
@reported
def check_arrived(day: str) -> None:
    """Run gate 1; raises GateFailed."""
    from retention import steps

    report = steps.gate_arrived(warehouse(), date.fromisoformat(day), enabled_sources())
    say(report.summary())


@task
@reported
def build_marts(day: str) -> int:
    """Build all models for that day; return the build_id."""
    from retention import steps

    result = steps.build(warehouse(), date.fromisoformat(day))
    say(str(result))
    return result.build_id


@task
@reported
def check_marts(build_id: int, **context: Any) -> None:
    """Run gate 2; raises GateFailed."""
    from retention import steps

    report = steps.gate_marts(warehouse(), build_id, accept=context["params"].get("accept"))
    say(report.summary())


@task(outlets=[PUBLISHED])
@reported
def publish_marts(build_id: int, **context: Any) -> int:
    """Publish the build; the only task that updates the published asset."""
    from retention import steps

    result = steps.publish(warehouse(), build_id, actor=f"airflow {context['run_id']}")
    say(steps.published_line(result))
    return result.publish_id
