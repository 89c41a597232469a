"""Every `retention` command that README.md and the readers' paths name runs on a real company."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.connections import as_environment
from tests.conftest import drop_database
from tests.end_to_end.company import FIRST, SOURCES, Company, after
from tests.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs" / "readers").glob("*.md")),
    ROOT / "docs" / "getting-started.md",
    ROOT / "docs" / "own-files.md",
    ROOT / "docs" / "operations.md",
]
TEXT = "\n".join(page.read_text() for page in PAGES)
# Airflow's own commands need its metadata database; tests/retention_airflow runs those.
COMMANDS = sorted(
    {
        re.sub(r"#.*", "", command).strip()
        for command in re.findall(r"(?:`|bin/|^ *)retention ([a-z][^`\n)]*)", TEXT, re.M)
        if not command.startswith("airflow ")
    },
    # The last ones take back a publish that the others look at, and lift its hold.
    key=lambda command: (
        command.startswith(("rollback", "lift-hold")),
        command.startswith("lift-hold"),
        command,
    ),
)


@pytest.fixture(scope="module")
def published_twice(published_once: Company) -> Iterator[Company]:
    company = published_once.copied("documented")
    company.load_day(after(1))
    company.transform(after(1))
    yield company
    drop_database(company.settings)


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the example without its mapping, as a user's own folder begins."""
    folder = tmp_path_factory.mktemp("own") / "folder"
    ignored = shutil.ignore_patterns("mapping.yml")
    return Path(shutil.copytree(ROOT / "demo" / "mappings" / "example", folder, ignore=ignored))


def test_commands_were_found() -> None:
    assert len(COMMANDS) > 8


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_runs(published_twice: Company, own_folder: Path, command: str) -> None:
    dated = re.sub(r"\b\d{4}-\d\d-\d\d\b", FIRST.isoformat(), command)
    dated = dated.replace("FOLDER", str(own_folder))
    settings = published_twice.settings
    connections = [published_twice.connection(source) for source in SOURCES]
    environment = {
        **os.environ,
        **as_environment(connections),
        "RETENTION_STATE": str(settings.state),
        "RETENTION_COMPANY": settings.company,
        "RETENTION_SOURCES": ",".join(source.name for source in SOURCES),
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "retention.cli", *shlex.split(dated)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
