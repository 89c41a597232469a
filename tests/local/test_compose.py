"""docker-compose.yml is valid, requires every secret and listens on loopback only."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.places import ROOT

COMPOSE = ROOT / "docker-compose.yml"
SERVICES = {
    "postgres",
    "redis",
    "airflow-init",
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    assert set(found) == SERVICES
    return found


def test_the_file_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [
            Path(sys.executable).with_name("check-jsonschema"),
            "--builtin-schema",
            "vendor.compose-spec",
            COMPOSE,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_every_port_is_on_loopback(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_long_running_service_has_a_health_check(services: dict[str, Any]) -> None:
    assert {name for name, each in services.items() if "healthcheck" not in each} == {
        "airflow-init"
    }


def test_no_secret_has_a_default_and_each_is_in_the_example() -> None:
    text = COMPOSE.read_text()
    named = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    required = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    secrets = {name for name in named if re.search("PASSWORD|SECRET|KEY", name)}
    assert secrets
    assert secrets <= required
    example = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert named == set(example)
    assert all(example[name] == "" for name in secrets)


def test_no_default_password_or_token_is_mentioned() -> None:
    """The value after a secret's name is always a variable of .env."""
    files = [ROOT / "Dockerfile", COMPOSE, *(ROOT / "docker").glob("*.*")]
    text = re.sub(r"\$\{\w+[^}]*\}", "<env>", "\n".join(path.read_text() for path in files))
    named = re.findall(r"\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*\s*[:=]\s*(\S+)", text)
    logins = re.findall(r"://[^:/@\s]*:([^@\s]+)@", text)
    assert len(named) >= 10
    assert len(logins) > 5
    assert {*named, *logins} == {"<env>"}


def test_airflow_knows_every_command(services: dict[str, Any]) -> None:
    from airflow.cli import cli_parser

    parser = cli_parser.get_parser()
    commands = [each["command"] for name, each in services.items() if name.startswith("airflow-")]
    airflow = [command[1:] for command in commands if command[0] == "airflow"]
    assert len(airflow) == 5
    for command in airflow:
        parser.parse_args(command)


def test_the_celery_executor_imports() -> None:
    """Celery 5.7 lacks a name that Airflow's provider imports, so the lock excludes it."""
    from airflow.providers.celery.executors.celery_executor import CeleryExecutor

    assert CeleryExecutor.__name__ == "CeleryExecutor"
