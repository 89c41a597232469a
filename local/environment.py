"""Environment variables of a local Airflow."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path

from retention.connections import as_environment
from retention.settings import Settings
from retention.source import Connection
from retention.warehouse import Warehouse, postgres
from retention.warehouse.keyring import secret


def airflow_environment(
    settings: Settings, warehouse: Warehouse, connections: list[Connection], sources: list[str]
) -> dict[str, str]:
    """Return every variable that Airflow and the tasks need; secrets are generated once.

    Airflow listens on 127.0.0.1 only, loads no examples and has no default password.
    """
    home = settings.airflow
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(settings.root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__FERNET_KEY": _fernet(settings),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": postgres.airflow_url(settings),
        "AIRFLOW__API_AUTH__JWT_SECRET": secret(settings, "airflow_jwt"),
        "AIRFLOW__API__SECRET_KEY": secret(settings, "airflow_api"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "RETENTION_CLOCK": str(clock_file(settings, sources)),
        "RETENTION_STATE": str(settings.state),
        "RETENTION_COMPANY": settings.company,
        "RETENTION_SOURCES": ",".join(sources),
        "AIRFLOW_CONN_WAREHOUSE": warehouse.url,
        **as_environment(connections),
    }


def clock_file(settings: Settings, sources: Sequence[str]) -> Path:
    """Return the file with the last day of these sources: the demo's clock, or a folder's."""
    if "files" in sources:
        return settings.airflow / f"clock-{settings.company}"
    return settings.demo / "clock"


def _fernet(settings: Settings) -> str:
    return urlsafe_b64encode(bytes.fromhex(secret(settings, "airflow_fernet"))).decode()


def write_environment(settings: Settings, environment: dict[str, str]) -> None:
    """Store the variables for `retention` and `make up`, readable only by the owner."""
    path = settings.state / f"environment-{settings.company}.json"
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(json.dumps(environment, indent=2))
