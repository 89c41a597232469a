"""Where a source's address and secret come from: the same JSON that Airflow reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retention.errors import ConfigurationError
from retention.sources.base import Connection


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
    try:
        fields = json.loads(text)
    except json.JSONDecodeError:
        fields = None
    if not isinstance(fields, dict):
        raise ConfigurationError(
            f"{variable(conn_id)} is not a JSON object.",
            code="broken_connection",
            where=conn_id,
            mend="`.env.example` shows the form.",
        )
    return from_fields(
        conn_id, fields.get("host") or "", fields.get("password") or "", fields.get("extra") or {}
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
