"""Generated passwords and the pseudonym key, in one file that only its owner can read."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retention.errors import ConfigurationError
from retention.settings import Settings

PSEUDONYM_KEY = "pseudonym_key"


def secret(settings: Settings, name: str) -> str:
    """Return the secret of that name: 64 hex digits, generated on first use.

    ``RETENTION_SECRET_<NAME>`` in the environment wins, for installations with a vault.
    Safe to call from several processes at once.
    """
    from_env = os.environ.get(f"RETENTION_SECRET_{name.upper()}")
    if from_env:
        return from_env
    path = settings.state / "secrets.json"
    known = _read(path)
    if name not in known:
        with locked(settings.state / "secrets.lock"):
            known = _read(path)
            if name not in known:
                known[name] = secrets.token_hex(32)
                _write(path, known)
    return known[name]


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a file lock for the block; the operating system releases it when a process dies.

    With ``wait=False`` a lock that another process holds raises BlockingIOError at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> dict[str, str]:
    try:
        known: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        # A new pseudonym key would break every join on pseudonyms, so do not generate one.
        raise ConfigurationError(
            f"{path} is not valid JSON.", hint="Restore it from a backup."
        ) from error
    return known


def _write(path: Path, known: dict[str, str]) -> None:
    """Replace the file atomically."""
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(known, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
