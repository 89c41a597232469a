"""The wheel: what it declares, and that the installed package works without the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from retention.errors import ConfigurationError
from retention.settings import Settings, root
from tests.places import ROOT

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

# In requirements.in for a checkout only: the build of the package, and the demo's servers.
CHECKOUT_ONLY = {"editables", "hatchling", "starlette", "uvicorn"}


def names(lines: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ]", line)[0] for line in lines if line and line[0] not in "#-"}


def test_the_wheel_declares_the_requirements_of_the_checkout() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = names((ROOT / "requirements.in").read_text().splitlines())
    assert names(project["dependencies"]) == required - CHECKOUT_ONLY


def test_the_root_is_the_checkout_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RETENTION_STATE", raising=False)
    assert root() == ROOT
    assert Settings.from_env().state == ROOT / ".state"
    (tmp_path / "dbt_project").mkdir()
    (tmp_path / "dbt_project" / "dbt_project.yml").touch()
    monkeypatch.setenv("RETENTION_ROOT", str(tmp_path))
    assert Settings.from_env().root == tmp_path
    assert Settings.from_env().state == tmp_path / ".state"
    monkeypatch.setenv("RETENTION_ROOT", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="RETENTION_ROOT"):
        Settings.from_env()


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel; its dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    made = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    install = [made / "bin" / "python", "-m", "pip", "install", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    (packages,) = made.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return made


def call(environment: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment from a folder that has nothing to do with the checkout."""
    ours = ("RETENTION_", "AIRFLOW", "PYTHON")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    home = {"HOME": str(environment), "AIRFLOW_HOME": str(environment / "airflow")}
    return subprocess.run(
        [str(environment / "bin" / command[0]), *command[1:]],
        cwd=environment,
        env=kept | home | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_command_prints_its_help(environment: Path) -> None:
    done = call(environment, "retention", "--help")
    assert done.returncode == 0, done.stderr
    assert "publish" in done.stdout


@pytest.mark.slow
def test_the_installed_dbt_project_parses(environment: Path) -> None:
    done = call(
        environment,
        *("retention", "dbt", "parse"),
        RETENTION_WAREHOUSE="postgresql://pipeline:unused@127.0.0.1:1/unused",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    state = environment / ".local" / "state" / "retention"
    assert list(state.rglob("manifest.json"))


FILES = """
from retention import suites
from retention.settings import root
from retention.sources.files.mapping_file import SHIPPED
print(root())
print(*sorted(path.stem for path in (root() / "dags").glob("*.py")))
print(len(list(suites.FOLDER.glob("*.yml"))), len(list(SHIPPED.glob("*/mapping.yml"))))
"""


def test_the_wheel_brings_dags_expectations_and_mappings(environment: Path) -> None:
    done = call(environment, "python", "-c", FILES)
    assert done.returncode == 0, done.stderr
    folder, dags, counts = done.stdout.splitlines()
    assert Path(folder).is_relative_to(environment)
    assert dags == "ingest reverse_etl transform"
    expected = (ROOT / "expectations").glob("*.yml"), (ROOT / "demo/mappings").glob("*/mapping.yml")
    assert counts == " ".join(str(len(list(files))) for files in expected)


@pytest.mark.slow
def test_airflow_imports_the_installed_dags(environment: Path) -> None:
    code = (
        "from airflow.dag_processing.dagbag import DagBag; from retention.settings import root;"
        " bag = DagBag(root() / 'dags'); print(bag.import_errors, len(bag.dags))"
    )
    done = call(environment, "python", "-c", code)
    assert done.returncode == 0, done.stderr
    errors, count = done.stdout.splitlines()[-1].rsplit(" ", 1)
    assert errors == "{}"
    assert int(count) >= 6
