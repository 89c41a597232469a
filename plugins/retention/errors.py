"""Errors of a run, each with the exit code that a scheduler can act on.

RetentionError                 exit 1   any failure without a more specific class
├── UsageError                 exit 2   the command was called wrongly; nothing was changed
│   └── EmptyWindow            exit 2   a window of zero or negative length
├── ConfigurationError         exit 3   a connection, setting or mapping is missing or invalid
├── ExtractionError            exit 4   a source broke its contract; nothing was committed
│   └── QuarantineRateExceeded exit 4   too many rows of one window are unreadable
├── BuildError                 exit 5   a dbt model or test failed; readers keep the last publish
├── GateFailed                 exit 6   a critical check failed; readers keep the last publish
├── PublishError               exit 7   the marts differ from what gate 2 audited
└── AlreadyRunning             exit 8   another run holds the lock; try again later
"""

from __future__ import annotations


class RetentionError(Exception):
    """An error that an operator can act on.

    ``code`` is a stable snake_case word, written to ``ops.loads.error_code`` and the log.
    ``where`` names source, stream, window and row as far as they are known; ``hint`` says
    what to do next. ``str(error)`` is all of it on one line.
    """

    exit_code = 1
    code = "failed"

    def __init__(
        self, message: str, *, code: str | None = None, where: str = "", hint: str = ""
    ) -> None:
        self.message = message
        self.code = code or self.code
        self.where = where
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        if not self.hint:
            return f"[{self.code}] {where}{self.message}"
        stop = "" if self.message.endswith((".", "!", "?", "\n")) else "."
        return f"[{self.code}] {where}{self.message}{stop} {self.hint}"


class UsageError(RetentionError):
    exit_code = 2
    code = "usage"


class EmptyWindow(UsageError):
    code = "empty_window"


class ConfigurationError(RetentionError):
    exit_code = 3
    code = "configuration"


class ExtractionError(RetentionError):
    exit_code = 4
    code = "extraction"


class QuarantineRateExceeded(ExtractionError):
    code = "quarantine_rate"


class BuildError(RetentionError):
    exit_code = 5
    code = "build_failed"


class GateFailed(RetentionError):
    exit_code = 6
    code = "gate_failed"


class PublishError(RetentionError):
    exit_code = 7
    code = "publish_refused"


class AlreadyRunning(RetentionError):
    exit_code = 8
    code = "already_running"
