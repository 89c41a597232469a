"""`make run` on a small company: first run, second run, next day, and `make down`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest

from retention.settings import Settings
from retention.warehouse import Warehouse
from retention.warehouse.postgres import status
from tests.loading import query
from tests.places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SECTIONS = (
    r"Loaded rows: stored, and written by the last load",
    r"hubspot\.companies +\d+",
    r"posthog\.events +\d",
    r"Gate 1, loaded records: passed, \d+ checks",
    r"Gate 2, marts: passed, \d+ checks",
    r"Publish \d+: as of 2026-07-0\d, published ",
    r"June 2026",
    r"MRR \w{3} [\d,]+ from \d+ customers",
    r"NRR [\d.]+ %   GRR [\d.]+ %   logo churn [\d.]+ %",
    r"NPS -?\d+ from \d+ people",
    r"Business reviews: ",
    r"most at risk|No customer is on the worklist",
    r"Next:\n  \S+.*\n  \S+.*\n  \S+.*\n",
    r"Done in \d+ s\.",
)


@dataclass(frozen=True)
class Installation:
    """One state folder and its commands."""

    settings: Settings

    @property
    def wh(self) -> Warehouse:
        return Warehouse.from_settings(self.settings)

    def call(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith(("RETENTION_", "AIRFLOW"))
        }
        ours = {"RETENTION_STATE": str(self.settings.state), "RETENTION_DEMO_CUSTOMERS": "30"}
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env={**kept, **ours, "PYTHONPATH": str(ROOT / "plugins"), "COLUMNS": "160"},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *words: str) -> str:
        done = self.call("local.quickstart", *words)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert done.stderr == ""
        return done.stdout

    def loads(self) -> int:
        return int(query(self.wh, "select max(load_id) from ops.loads")[0][0])

    def windows(self, after: int) -> set[str]:
        text = f"select distinct window_end::date::text from ops.loads where load_id > {after}"
        return {day for (day,) in query(self.wh, text)}

    def new_versions(self, after: int) -> int:
        text = f"select sum(versions_written) from ops.loads where load_id > {after}"
        return int(query(self.wh, text)[0][0])

    def published(self) -> list[tuple[int, str]]:
        text = "select publish_id, as_of::text from ops.publishes order by publish_id"
        return [(number, day) for number, day in query(self.wh, text)]


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="retention-quickstart-"))
    folder.chmod(0o755)  # the server runs as a system user of its own
    made = Installation(Settings(root=ROOT, state=folder))
    try:
        yield made
    finally:
        made.call("local.services", "down", "--and-forget")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def page(installation: Installation) -> str:
    """Return the output of the first run."""
    return installation.run()


def test_the_first_run_loads_history_and_two_days_and_prints_the_report(
    installation: Installation, page: str
) -> None:
    for section in SECTIONS:
        assert re.search(section, page), section
    days = ["2026-06-30", "2026-07-01", "2026-07-02"]
    assert installation.published() == list(enumerate(days, 1))
    assert [day for day in days if f"\n{day}\n" in page] == days
    with installation.wh.connect("bi_reader") as conn:
        assert conn.execute("select count(*) from publish.dim_customers").fetchone() == (30,)


def test_a_second_run_loads_nothing_new_and_publishes_nothing(
    installation: Installation, page: str
) -> None:
    before, loads = installation.published(), installation.loads()
    again = installation.run()
    assert installation.windows(loads) == {"2026-07-03"}
    assert installation.new_versions(loads) == 0
    assert installation.published() == before
    assert "Publish 3: as of 2026-07-02" in again


def test_the_next_day_loads_and_publishes_only_that_day(
    installation: Installation, page: str
) -> None:
    before, loads = installation.published(), installation.loads()
    further = installation.run("--as-of", "2026-07-03")
    assert installation.windows(loads) == {"2026-07-04"}
    assert installation.published() == [*before, (len(before) + 1, "2026-07-03")]
    assert f"Publish {len(before) + 1}: as of 2026-07-03" in further


def test_a_wrong_date_or_folder_is_one_line_with_an_exit_code(installation: Installation) -> None:
    for words, code, part in (
        (("--as-of", "2026-02-30"), 2, "is not a date"),
        (
            ("--data", str(installation.settings.state / "none"), "--as-of", "2024-08-01"),
            3,
            "there is no folder",
        ),
        (("--data", str(ROOT / "tests")), 2, "a folder needs AS_OF"),
    ):
        said = installation.call("local.quickstart", *words)
        assert said.returncode == code, said.stderr
        assert part in said.stderr
        assert said.stderr.count("\n") == 1


def test_down_stops_everything_and_deletes_the_data(installation: Installation, page: str) -> None:
    state = str(installation.settings.state)
    url = installation.wh.url
    assert (
        "stopped the demo company"
        in installation.call("local.services", "down", "--and-forget").stdout
    )
    assert status(installation.settings) is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    mine = [each.info["cmdline"] for each in psutil.process_iter(["cmdline"])]
    assert [line for line in mine if line and any(state in word for word in line)] == []
