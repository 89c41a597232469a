"""Retry transient failures with back-off, Retry-After and a time budget."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import tenacity

from retention.errors import ExtractionError

T = TypeVar("T")


class Transient(Exception):
    """A retryable failure; ``error`` is raised when the retry budget is used up.

    ``wait`` is the vendor's requested wait in seconds, or None.
    """

    def __init__(self, error: ExtractionError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


def retry_after(value: str | None, now: datetime) -> float | None:
    """Parse a Retry-After header into seconds; None when it is absent or unusable.

    A past time or a negative number is unusable: the back-off applies, not a wait of zero.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value, now)
    return seconds if 0 < seconds < float("inf") else None


def vendor_clock(date_header: str | None) -> datetime:
    """Return the time of the vendor's Date header, or of this machine without one."""
    try:
        return _as_utc(parsedate_to_datetime(date_header or ""))
    except ValueError:
        return datetime.now(UTC)  # noqa: TID251 - a Retry-After date needs a clock


def call_with_retries(
    attempt: Callable[[], T], *, budget: float, first_wait: float = 0.5, longest: float = 30.0
) -> T:
    """Call ``attempt``, again after each Transient, within ``budget`` seconds.

    Raises the ExtractionError at once when the next wait would exceed the budget; its
    message names the earliest time for another try.
    """
    backoff = tenacity.wait_exponential(multiplier=first_wait, max=longest)

    def wait(state: tenacity.RetryCallState) -> float:
        requested = _transient(state).wait
        if requested is not None:
            return requested + random.uniform(0, min(0.25, requested / 10))  # noqa: S311
        return backoff(state) * random.uniform(0.5, 1)  # noqa: S311

    def give_up(state: tenacity.RetryCallState) -> T:
        failure = _transient(state)
        raise _exhausted(failure, state) from failure

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Transient),
        wait=wait,
        stop=tenacity.stop_before_delay(budget),
        retry_error_callback=give_up,
    )(attempt)


def _exhausted(failure: Transient, state: tenacity.RetryCallState) -> ExtractionError:
    error = failure.error
    tries = f"{state.attempt_number} tries in {state.seconds_since_start or 0:.0f} s"
    again = ""
    if failure.wait is not None:
        at = vendor_clock(None) + timedelta(seconds=min(failure.wait, 10 * 365 * 86400))
        again = f" Try again after {at:%Y-%m-%d %H:%M:%S}Z."
    return ExtractionError(
        f"{error.message} ({tries}).{again}", code=error.code, where=error.where, hint=error.hint
    )


def _transient(state: tenacity.RetryCallState) -> Transient:
    failure = state.outcome.exception() if state.outcome else None
    if not isinstance(failure, Transient):
        raise TypeError("only Transient is retried")
    return failure


def _seconds_until(date: str, now: datetime) -> float:
    try:
        return (_as_utc(parsedate_to_datetime(date)) - now).total_seconds()
    except ValueError:
        return -1


def _as_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
