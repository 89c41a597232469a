"""Days and moments: read in the file's form and zone, written in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from retention.sources.files.amounts import number
from retention.sources.files.mapping import FieldRule
from retention.sources.files.value import CellError, as_text

EPOCHS = {"epoch_seconds": Decimal(1), "epoch_milliseconds": Decimal(1000)}
MICROSECONDS = {
    "milliseconds": 1_000,
    "seconds": 1_000_000,
    "minutes": 60_000_000,
    "hours": 3_600_000_000,
    "days": 86_400_000_000,
}
_EARLIEST, _LATEST = 1970, 2100


def instant(value: Any, rule: FieldRule, zone: ZoneInfo) -> datetime:
    """The moment in UTC; a time without a zone is taken in ``zone``, a date is its midnight."""
    if rule.unit in EPOCHS:
        return _since_epoch(number(value), EPOCHS[rule.unit])
    moment = _parsed(value, rule.format)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return _in_range(moment.astimezone(UTC), value)
    except OverflowError as error:
        raise CellError("bad_timestamp", f"{value!r} is out of range") from error


def utc_text(moment: datetime) -> str:
    """``2024-05-31T08:00:00Z``, with a fraction only where there is one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def add(moment: datetime, amount: Decimal, unit: str) -> datetime:
    """The moment so much later."""
    try:
        return moment + timedelta(microseconds=int(amount * MICROSECONDS[unit]))
    except OverflowError as error:
        raise CellError("bad_timestamp", f"{amount} {unit} is out of range") from error


def _since_epoch(ticks: Decimal, per_second: Decimal) -> datetime:
    try:
        return _in_range(
            add(datetime(1970, 1, 1, tzinfo=UTC), ticks / per_second, "seconds"), ticks
        )
    except (OverflowError, InvalidOperation) as error:
        raise CellError("bad_timestamp", f"{ticks} is no time since 1970") from error


def day(value: Any, rule: FieldRule) -> str:
    """The calendar day as it was written, or the UTC day of a moment that has a zone."""
    if rule.unit in EPOCHS:
        return instant(value, rule, ZoneInfo("UTC")).date().isoformat()
    moment = _parsed(value, rule.format)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    return _in_range(moment, value).date().isoformat()


def _parsed(value: Any, form: str | None) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the zone comes later
    text = as_text(value).strip()
    try:
        if form:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone comes later
        if not re.match(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError(text)
        return datetime.fromisoformat(text)
    except ValueError as error:
        wanted = f"in the form {form!r}" if form else "such as 2024-05-31 or 2024-05-31T08:00:00Z"
        epoch = ". Set `unit: epoch_seconds` if it counts from 1970" if text.isdigit() else ""
        raise CellError("bad_timestamp", f"{text!r} is no date {wanted}{epoch}") from error


def _in_range(moment: datetime, value: Any) -> datetime:
    if not _EARLIEST <= moment.year < _LATEST:
        message = f"{as_text(value)!r} is not between {_EARLIEST} and {_LATEST}"
        raise CellError("bad_timestamp", message)
    return moment
