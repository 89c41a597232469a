"""The recipes of docs/extend, done word by word in a copy of the checkout."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from pydantic import ValidationError

from retention.window import Window
from tests import completeness
from tests.command_line import retention
from tests.places import ROOT
from tests.vendor_replay import Answer, Replay, Request, json_answer

EXTEND = ROOT / "docs" / "extend"
Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return completeness.copy_checkout(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def checkout(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "checkout"))


@pytest.fixture
def run(checkout: Path) -> Run:
    """Run ``retention`` in the copy; return its exit code and output."""
    environment = {"RETENTION_ROOT": str(checkout), "RETENTION_STATE": str(checkout / ".state")}

    def _run(*words: str) -> tuple[int, str]:
        outcome = retention(environment, *words)
        return outcome.code, outcome.out + outcome.err

    return _run


def recipe(page: str) -> tuple[list[str], str]:
    """Return the words of the page's command, and the page."""
    text = (EXTEND / f"{page}.md").read_text()
    command = re.search(r"^\.venv/bin/retention (new .+)$", text, re.M)
    assert command, page
    return command.group(1).split(), text


def written(output: str) -> tuple[list[str], list[str]]:
    """Return the created and the changed files that the command printed."""
    return (
        re.findall(r"^created (\S+)$", output, re.M),
        re.findall(r"^changed (\S+)$", output, re.M),
    )


def fill_in(checkout: Path, output: str) -> None:
    created, changed = written(output)
    for path in created + changed:
        text = (checkout / path).read_text()
        (checkout / path).write_text(text.replace("FILL IN: ", "").replace("FILL IN", ""))


@pytest.mark.parametrize("page", ["source", "metric", "alert-rule", "mart"])
def test_a_recipe_touches_the_files_that_its_page_counts(
    page: str, run: Run, checkout: Path
) -> None:
    words, text = recipe(page)
    code, output = run(*words)
    assert code == 0, output
    created, changed = written(output)
    for path in created:
        assert (checkout / path).is_file()
        assert not (ROOT / path).exists()
    for path in changed:
        assert (checkout / path).read_text() != (ROOT / path).read_text()
    if page == "mart":
        assert f"creates and changes {len(created) + len(changed)} files" in text
    else:
        count = re.search(r"creates (\d+) files? and changes (\d+) files?", text)
        assert count
        assert [int(each) for each in count.groups()] == [len(created), len(changed)]
    assert f"docs/extend/{page}.md" in output
    assert all(read_back(checkout / path) for path in created + changed)


def read_back(path: Path) -> bool:
    """Parse a file by its kind."""
    text = path.read_text()
    if path.suffix in {".yml", ".json"}:
        return bool(yaml.safe_load(text))
    return bool(text)


@pytest.mark.parametrize("page", ["source", "metric", "alert-rule", "mart"])
def test_only_places_to_fill_in_are_missing_after_a_recipe(
    page: str, run: Run, checkout: Path
) -> None:
    words, _ = recipe(page)
    _, output = run(*words)
    findings = completeness.everything(checkout)
    marked = [finding for finding in findings if finding.endswith("FILL IN")]
    assert marked
    created, changed = written(output)
    assert {finding.split(":")[0] for finding in marked} <= {*created, *changed}
    reader = "no intermediate model reads stg_acme__invoices"
    others = [finding for finding in findings if finding not in marked]
    if page == "source":
        [other] = others
        assert re.fullmatch(rf"plugins/retention/sources/acme\.py:\d+: {reader}", other)
        model = checkout / "dbt_project/models/intermediate/billing/int_invoices.sql"
        model.write_text(model.read_text() + "-- {{ ref('stg_acme__invoices') }}\n")
    else:
        assert not others
    fill_in(checkout, output)
    assert completeness.everything(checkout) == []


@pytest.mark.slow
def test_dbt_parses_the_project_after_all_four_recipes(run: Run, checkout: Path) -> None:
    for page in ("source", "metric", "alert-rule", "mart"):
        words, _ = recipe(page)
        code, output = run(*words)
        assert code == 0, output
    project = checkout / "dbt_project"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "parse", "--no-partial-parse",
         "--project-dir", str(project), "--profiles-dir", str(project)],
        cwd=checkout, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = json.loads((project / "target" / "manifest.json").read_text())
    models = {node["name"] for node in manifest["nodes"].values()}
    assert models >= {
        "stg_acme__invoices", "int_open_invoices_metrics_daily", "fct_ticket_age",
    }  # fmt: skip
    tests = {test["name"] for test in manifest["unit_tests"].values()}
    assert tests >= {"open_invoices_is_measured", "fct_ticket_age_has_a_row_per_customer"}


def loaded(checkout: Path, name: str) -> ModuleType:
    """Import a module of the copy, beside the package that runs the test."""
    path = checkout / "plugins" / Path(*name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def source(
    run: Run, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[ModuleType, ModuleType]:
    run("new", "source", "acme", "--stream", "invoices")
    contract = loaded(checkout, "retention.sources.contracts.acme")
    monkeypatch.setitem(sys.modules, contract.__name__, contract)
    return loaded(checkout, "retention.sources.acme"), contract


def test_the_skeleton_of_a_source_reads_its_fixture(
    source: tuple[ModuleType, ModuleType], checkout: Path
) -> None:
    module, contract = source
    pages = json.loads((checkout / "tests/fixtures/acme/invoices.json").read_text())
    assert len(pages) == 2

    def vendor(request: Request) -> Answer:
        return json_answer(pages[int(request.query["page"]) - 1])

    window = Window(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
    with Replay(vendor) as server:
        [stream] = module.SOURCE.streams
        extraction = stream.extract(server.connection(), stream, window)
        records = list(extraction)
    assert [record.record_id for record in records] == ["1", "2", "3", "4"]
    assert extraction.control_total == 4
    malformed = []
    for record in records:
        try:
            contract.Contract.model_validate(record.doc)
        except ValidationError:
            malformed.append(record.record_id)
    assert malformed == ["4"]


def test_the_skeletons_pass_the_linter(run: Run, checkout: Path) -> None:
    run("new", "source", "acme", "--stream", "invoices")
    shutil.copyfile(ROOT / "pyproject.toml", checkout / "pyproject.toml")
    paths = [f"plugins/retention/sources/{name}.py" for name in ("acme", "contracts/acme")]
    paths.append("plugins/retention/sources/__init__.py")
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *paths],
            cwd=checkout, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


TWICE = ["source acme", "metric open_invoices", "alert-rule many --metric open_tickets",
         "mart ticket_age --subject support"]  # fmt: skip


@pytest.mark.parametrize("words", TWICE)
def test_nothing_is_overwritten(words: str, run: Run, checkout: Path) -> None:
    assert run("new", *words.split())[0] == 0
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    code, output = run("new", *words.split())
    assert code == 2
    assert "already" in output
    after = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("source Acme", "not a valid name"),
        ("source class", "not a valid name"),
        ("source hubspot", "plugins/retention/sources/hubspot exists already"),
        ("metric csat_share", "metric_families.sql:"),
        ("alert-rule many --metric nothing", "There is no metric 'nothing'"),
        ("alert-rule seats_unused --metric open_tickets", "alert_rules.csv:7 has this name"),
        ("mart ticket_age --subject nothing", "There is no subject 'nothing'"),
        ("mart fct_csm_worklist --subject tasks", "exists already"),
    ],
)
def test_a_wrong_call_changes_nothing_and_gives_a_hint(
    words: str, message: str, run: Run, checkout: Path
) -> None:
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    code, output = run("new", *words.split())
    assert code == 2
    assert message in output
    after = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    assert after == before


def test_an_installed_wheel_has_no_recipes(run: Run, checkout: Path) -> None:
    shutil.rmtree(checkout / "plugins")
    code, output = run("new", "metric", "open_invoices")
    assert code == 3
    assert "Recipes need a checkout" in output
