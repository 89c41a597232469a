"""Shared by the commands: options, argument parsing, the warehouse and the console."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from retention.errors import UsageError
from retention.settings import Settings
from retention.source import Source
from retention.sources import SOURCES

if TYPE_CHECKING:
    from retention.warehouse import Warehouse

console = Console(highlight=False)

Day = Annotated[str, typer.Option("--as-of", help="The last complete day, YYYY-MM-DD")]
OptionalDay = Annotated[
    str | None, typer.Option("--as-of", help="The last complete day, YYYY-MM-DD")
]
Accept = Annotated[
    str | None, typer.Option(help="Reason to publish despite an anomaly; stored with the gate")
]


def day(text: str) -> date:
    """Parse a date; raises UsageError for any other text."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date; write it as 2026-07-01.") from None


def moment(text: str) -> datetime:
    """Parse a time with a time zone; a date means its midnight in UTC."""
    try:
        return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    except ValueError:
        raise UsageError(f"{text!r} is not a time; write 2026-07-01T00:00:00+00:00.") from None


def source_named(name: str) -> Source:
    """Return the source of that name; raises UsageError that lists the known ones."""
    for source in SOURCES:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in SOURCES)
    raise UsageError(f"there is no source {name!r}; choose one of {known}.")


def enabled() -> list[Source]:
    """Return the sources of RETENTION_SOURCES in its order, or all when it is not set."""
    from retention.sources.enabled import enabled_sources

    return enabled_sources()


def warehouse() -> Warehouse:
    """Return the warehouse of this installation."""
    # Imported here: psycopg and pydantic would slow down every `--help`.
    from retention.warehouse import Warehouse

    return Warehouse.from_settings(Settings.from_env())
