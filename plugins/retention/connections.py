"""Where a source's address and secret come from: the same JSON that Airflow reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retention.errors import ConfigurationError
from retention.source import Connection


def from_fields(conn_id: str, host: str, password: str, extra: Mapping[str, Any]) -> Connection:
    """The connection behind an Airflow connection's fields.

    ``host`` is a whole base URL, or the path of a folder for a source of files. Raises
    ConfigurationError when it is empty.
    """
    if not host:
        raise ConfigurationError(
            f"the connection {conn_id!r} has no host.",
            code="missing_connection",
            where=conn_id,
            mend=f"Set {variable(conn_id)} or add the connection in Airflow.",
        )
    return Connection(conn_id=conn_id, base_url=host, secret=password, extra=dict(extra))


def variable(conn_id: str) -> str:
    """The environment variable that Airflow and the command line both read."""
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def find(conn_id: str) -> Connection:
    """The connection from the environment.

    Raises ConfigurationError when it is missing or is not Airflow's JSON form
    ``{"conn_type": "http", "host": "https://...", "password": "..."}``.
    """
    text = os.environ.get(variable(conn_id))
    if text is None:
        raise ConfigurationError(
            f"there is no connection {conn_id!r}.",
            code="missing_connection",
            where=conn_id,
            mend=f"Set {variable(conn_id)}; `.env.example` shows the form.",
        )
    fields = _object(conn_id, text, variable(conn_id))
    host, password = fields.get("host") or "", fields.get("password") or ""
    if not (isinstance(host, str) and isinstance(password, str)):
        raise _broken(conn_id, f"host and password of {variable(conn_id)} are not both text.")
    # Airflow writes the extra as JSON within JSON, people write it as an object.
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
    """Never with the text itself, which holds the secret."""
    return ConfigurationError(
        message, code="broken_connection", where=conn_id, mend="`.env.example` shows the form."
    )


def as_environment(connections: list[Connection]) -> dict[str, str]:
    """What to put into the environment so that Airflow and the command line find these."""
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
    """Take the settings of a local installation, written by ``make run``, into the environment.

    What is already set wins. A file that is not there is no error: production sets its own.
    """
    if path.is_file():
        for name, value in json.loads(path.read_text()).items():
            os.environ.setdefault(name, value)
