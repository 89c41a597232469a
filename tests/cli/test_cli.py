"""The command line without a warehouse: imports, help, invalid calls and exit codes."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from retention import errors
from retention.errors import RetentionError
from tests.command_line import Outcome, retention
from tests.places import ROOT

HEAVY = ("airflow", "great_expectations", "dbt", "duckdb", "pandas", "pyarrow", "sqlalchemy")
CONNECTED = {
    "AIRFLOW_CONN_HUBSPOT_API": json.dumps({"host": "http://127.0.0.1:1", "password": "s3cr3t"})
}


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """Return a state folder that does not exist; a refused call must not create it."""
    return {"RETENTION_STATE": str(tmp_path / "state"), **CONNECTED}


def refused(outcome: Outcome, code: int, *parts: str) -> None:
    """Assert one line on stderr with the exit code and without a traceback."""
    assert outcome.code == code, outcome
    assert outcome.err.count("\n") == 1, outcome.err
    assert "Traceback" not in outcome.err
    for part in parts:
        assert part in outcome.err


def test_help_imports_no_slow_library() -> None:
    program = (
        "import sys; from retention import cli\n"
        "try: cli.main()\n"
        "except SystemExit as end: print(end.code, *sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    )
    code, *modules = done.stdout.splitlines()[-1].split()
    assert code == "0"
    assert "rollback" in done.stdout
    assert "retention.cli" in modules
    assert {name.partition(".")[0] for name in modules}.isdisjoint(HEAVY)


def test_every_command_has_a_help_text(nowhere: dict[str, str]) -> None:
    commands = (
        *("load", "run", "build", "gate", "publish", "rollback", "migrate", "status"),
        *("report", "dsn", "psql", "doctor", "dbt", "airflow", "files"),
    )
    listed = retention(nowhere, "--help").out
    assert all(f" {command} " in listed for command in commands)
    explained = [retention(nowhere, command, "--help") for command in ("load", "run", "gate")]
    assert [outcome.code for outcome in explained] == [0, 0, 0]
    assert not Path(nowhere["RETENTION_STATE"]).exists()


def test_the_package_imports_no_airflow() -> None:
    files = sorted((ROOT / "plugins" / "retention").rglob("*.py"))
    assert len(files) > 50
    guilty = [
        f"{path.name}: {name}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        for name in imported(node)
        if name.partition(".")[0] == "airflow"
    ]
    assert guilty == []


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_every_exit_code_is_documented_in_the_help() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, RetentionError)}
    assert codes == set(range(1, 9))
    text = retention({}, "--help").out
    assert all(f"{code} " in text.partition("Exit codes")[2] for code in codes)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-07-01", "2026-07-01"),
        ("2026-07-01T00:00:00+00:00", "2026-07-01T02:00:00+02:00"),
        ("2026-07-02", "2026-07-01"),
    ],
    ids=["zero", "zero_in_two_zones", "reversed"],
)
def test_an_empty_window_is_a_usage_error(nowhere: dict[str, str], start: str, end: str) -> None:
    outcome = retention(nowhere, "load", "hubspot", "companies", "--start", start, "--end", end)
    refused(outcome, 2, "[empty_window]", "2026-07-01T00:00:00+00:00", "is empty")
    assert not Path(nowhere["RETENTION_STATE"]).exists()


GARBAGE = "2024-01-01'; delete from raw.hubspot_companies; --"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("load", "hubspot", "--end", GARBAGE), "is not a time"),
        (("load", "hubspot", "--end", "2026-07-01T00:00:00"), "needs times with a time zone"),
        (("load", "hubspot", "--end", "2026-02-30"), "is not a time"),
        (("load", "hubspot"), "needs --end"),
        (("load", "hubspot", "invoices", "--end", "2026-07-01"), "choose one of owners, companies"),
        (("load", "salesforce", "--end", "2026-07-01"), "choose one of hubspot, stripe"),
        (("run", "--as-of", GARBAGE), "is not a date"),
        (("run", "--as-of", "yesterday"), "is not a date"),
        (("build", "--as-of", "2026-02-30"), "is not a date"),
        (("gate", "arrived", "--as-of", GARBAGE), "is not a date"),
        (("gate", "everything"), "use `gate arrived`"),
        (("gate", "marts"), "use `gate arrived`"),
    ],
)
def test_a_wrong_call_is_refused_before_any_change(
    nowhere: dict[str, str], words: tuple[str, ...], part: str
) -> None:
    refused(retention(nowhere, *words), 2, part)
    assert not Path(nowhere["RETENTION_STATE"]).exists()


def test_a_missing_connection_is_reported_with_its_variable(nowhere: dict[str, str]) -> None:
    outcome = retention(nowhere, "load", "stripe", "--end", "2026-07-01")
    refused(outcome, 3, "[missing_connection] stripe_api", "Set AIRFLOW_CONN_STRIPE_API")
    assert not Path(nowhere["RETENTION_STATE"]).exists()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"host": "http://127.0.0.1:1", "password": "s3cr3t"', "broken_connection"),
        ("http://:s3cr3t@127.0.0.1:1", "broken_connection"),
        ('["s3cr3t"]', "broken_connection"),
        ('{"host": 5, "password": "s3cr3t"}', "broken_connection"),
        ('{"host": "http://x", "extra": "s3cr3t"}', "broken_connection"),
        ('{"password": "s3cr3t"}', "missing_connection"),
        ("", "broken_connection"),
    ],
)
def test_an_invalid_connection_is_reported_without_its_secret(
    nowhere: dict[str, str], text: str, code: str
) -> None:
    nowhere["AIRFLOW_CONN_HUBSPOT_API"] = text
    outcome = retention(nowhere, "load", "hubspot", "--end", "2026-07-01")
    refused(outcome, 3, f"[{code}] hubspot_api")
    assert "s3cr3t" not in outcome.err + outcome.out
    assert not Path(nowhere["RETENTION_STATE"]).exists()


def test_the_extra_may_be_a_json_string_as_in_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    from retention.connections import find

    fields = {"host": "http://x", "extra": json.dumps({"objects": {"goals": "2-1"}})}
    monkeypatch.setenv("AIRFLOW_CONN_HUBSPOT_API", json.dumps(fields))
    assert find("hubspot_api").extra == {"objects": {"goals": "2-1"}}


def test_invalid_settings_are_reported(nowhere: dict[str, str]) -> None:
    refused(retention({**nowhere, "RETENTION_COMPANY": "x'; drop"}, "status"), 3, "cannot name")
    unknown = {**nowhere, "RETENTION_SOURCES": "hubspot,salesforce"}
    refused(retention(unknown, "run", "--as-of", "2026-07-01"), 3, "unknown names: salesforce")
    away = {**nowhere, "RETENTION_WAREHOUSE": "postgresql://pipeline:s3cr3t@127.0.0.1:1/none"}
    outcome = retention(away, "status")
    refused(outcome, 3, "[warehouse_unreachable]", "retention doctor")
    assert "s3cr3t" not in outcome.err
