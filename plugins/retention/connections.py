"""Read a source's address and secret from the environment, in Airflow's own JSON form."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retention.errors import ConfigurationError
from retention.source import Connection


def from_fields(conn_id: str, host: str, password: str, extra: Mapping[str, Any]) -> Connection:
    """Build a Connection from the fields of an Airflow connection.

    ``host`` is a complete base URL, or a folder path for a file source. Raises
    ConfigurationError (missing_connection) when it is empty.
    """
    if not host:
        raise ConfigurationError(
            f"the connection {conn_id!r} has no host.",
            code="missing_connection",
            where=conn_id,
            hint=f"Set {variable(conn_id)} or add the connection in Airflow.",
        )
    return Connection(conn_id=conn_id, base_url=host, secret=password, extra=dict(extra))


def variable(conn_id: str) -> str:
    """Return the name of the environment variable that Airflow and the CLI both read."""
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def find(conn_id: str) -> Connection:
    """Read the connection from the environment.

    Raises ConfigurationError when it is missing or not in Airflow's JSON form
    ``{"conn_type": "http", "host": "https://...", "password": "..."}``.
    """
    text = os.environ.get(variable(conn_id))
    if text is None:
        raise ConfigurationError(
            f"there is no connection {conn_id!r}.",
            code="missing_connection",
            where=conn_id,
            hint=f"Set {variable(conn_id)}; `.env.example` shows the form.",
        )
    fields = _object(conn_id, text, variable(conn_id))
    host, password = fields.get("host") or "", fields.get("password") or ""
    if not (isinstance(host, str) and isinstance(password, str)):
        raise _broken(conn_id, f"host and password of {variable(conn_id)} must be strings.")
    # Airflow encodes the extra as a JSON string; a hand-written one is an object.
    extra = fields.get("extra") or {}
    if not isinstance(extra, dict):
        extra = _object(conn_id, extra, f"the extra of {variable(conn_id)}")
    return from_fields(conn_id, host, password, extra)


def _object(conn_id: str, text: object, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise _broken(conn_id, f"{what} is not a JSON object.")
    return found


def _broken(conn_id: str, message: str) -> ConfigurationError:
    """Build the error without the text of the variable, which contains the secret."""
    return ConfigurationError(
        message, code="broken_connection", where=conn_id, hint="`.env.example` shows the form."
    )


def as_environment(connections: list[Connection]) -> dict[str, str]:
    """Return the environment variables that define these connections."""
    return {
        variable(each.conn_id): json.dumps(
            {
                "conn_type": "generic",
                "host": each.base_url,
                "password": each.secret,
                "extra": each.extra,
            }
        )
        for each in connections
    }


def read_environment(path: Path) -> None:
    """Load the settings file that ``make run`` writes into the environment.

    Variables that are already set win. A missing file is ignored: production sets its own
    variables.
    """
    if path.is_file():
        for name, value in json.loads(path.read_text()).items():
            os.environ.setdefault(name, value)
