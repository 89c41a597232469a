"""When to ask a vendor again, how long to wait, and when to give up."""

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
    """A failure that may pass: ``error`` is what it becomes when the patience runs out.

    ``wait`` is the number of seconds the vendor asked for, None when it did not say.
    """

    def __init__(self, error: ExtractionError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


def retry_after(value: str | None, now: datetime) -> float | None:
    """The seconds a Retry-After header asks for; None when it is absent or says nothing usable.

    A time that has passed and a negative number mean "no wait known", never "hammer on".
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value, now)
    return seconds if 0 < seconds < float("inf") else None


def vendor_clock(date_header: str | None) -> datetime:
    """What time it is at the vendor, by its Date header; by this machine when it sends none."""
    try:
        return _as_utc(parsedate_to_datetime(date_header or ""))
    except ValueError:
        return datetime.now(UTC)  # noqa: TID251 - a deadline given as a date needs a clock


def patiently(
    attempt: Callable[[], T], *, budget: float, first_wait: float = 0.5, longest: float = 30.0
) -> T:
    """The result of ``attempt``, asked again after each Transient within ``budget`` seconds.

    A wait that would overrun the budget is not begun: the error is raised at once, with the
    time from which the vendor will answer again.
    """
    backoff = tenacity.wait_exponential(multiplier=first_wait, max=longest)

    def wait(state: tenacity.RetryCallState) -> float:
        asked = _transient(state).wait
        if asked is not None:
            return asked + random.uniform(0, min(0.25, asked / 10))  # noqa: S311
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
        again = f" It may be asked again from {at:%Y-%m-%d %H:%M:%S}Z."
    return ExtractionError(
        f"{error.message} ({tries}).{again}", code=error.code, where=error.where, mend=error.mend
    )


def _transient(state: tenacity.RetryCallState) -> Transient:
    failure = state.outcome.exception() if state.outcome else None
    if not isinstance(failure, Transient):
        raise TypeError("only a Transient is retried")
    return failure


def _seconds_until(date: str, now: datetime) -> float:
    try:
        return (_as_utc(parsedate_to_datetime(date)) - now).total_seconds()
    except ValueError:
        return -1


def _as_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
