"""README.md, DECISIONS.md and docs/ build, and name nothing that does not exist."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from markdown.extensions.toc import slugify

from retention import errors
from retention.cli import app
from retention.sources import SOURCES
from tests.places import ROOT

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
DECISIONS = (ROOT / "DECISIONS.md").read_text()
PAGES = {path: path.read_text() for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]}
RECORDS = {path: text for path, text in PAGES.items() if path.parent.name == "decisions"}
TEXT = "\n".join(PAGES.values())
ENV = (ROOT / ".env.example").read_text()
# Set by one part of the program for another, or only by tests and benches.
INTERNAL = re.compile(r"RETENTION_(DBT_\w+|CLOCK|PROJECT_FINGERPRINT|DEMO_CUSTOMERS)")


def found(pattern: str, text: str = TEXT) -> set[str]:
    """What the pattern finds; a claim about nothing at all would always hold."""
    names = set(re.findall(pattern, text, re.M))
    assert names, pattern
    return names


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines()]


@cache
def published() -> set[str]:
    names = set()
    for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.yml"):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            if model.get("config", {}).get("meta", {}).get("publish"):
                names.add(model["name"])
    assert len(names) > 1
    return names


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {slugify(heading.replace("`", ""), "-") for heading in headings}


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly: a warning about a link, an anchor or a page is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_site_has_a_page_for_every_published_table(site: Path) -> None:
    text = "\n".join(path.read_text() for path in (site / "tables").glob("*.html"))
    assert published() <= set(re.findall(r'<h2 id="(\w+)"', text))


def test_the_site_loads_nothing_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        assert not re.findall(
            r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', page.read_text()
        ), page


def test_the_site_documents_every_command_and_setting(site: Path) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {f"retention-{name}" for name in commands} <= set(
        re.findall(r'<h2 id="([\w-]+)"', (site / "cli.html").read_text())
    )
    assert found(r"^#?([A-Z][A-Z_]+)=", ENV) <= set(
        re.findall(r"<code>([A-Z_]+)</code>", (site / "settings.html").read_text())
    )


def test_every_make_target_exists_and_can_be_made() -> None:
    targets = found(r"^([a-z]+):", (ROOT / "Makefile").read_text())
    named = found(r"(?:`|^|^    )make ([a-z]+)")
    assert named <= targets
    for target in named:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


def spoken() -> Iterator[tuple[str, ...]]:
    """The words of every ``retention`` command in backticks or code blocks."""
    for line in found(r"(?:`|bin/|^ *|\$ )retention ([a-z][^`\n#]*)"):
        yield tuple(line.split())


def test_every_retention_command_and_option_exists() -> None:
    for words in spoken():
        command: Any = typer.main.get_command(app)
        rest = list(words)
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert command.name != "retention" or not rest, words
        if command.name in {"dbt", "airflow", "psql"}:
            continue
        options = {option for param in command.params for option in param.opts} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= options, words


def test_every_table_that_is_named_is_published() -> None:
    assert found(r"\b((?:dim|fct)_\w+)") - {"fct_"} <= published()


def test_every_dag_is_there() -> None:
    """Pages name only DAGs that exist; a new source need not be named by hand."""
    named = found(r"`(ingest_\w+|transform|reverse_etl)`") - {"ingest_"}
    assert {"transform", "reverse_etl"} <= named
    assert named <= {f"ingest_{source.name}" for source in SOURCES} | {"transform", "reverse_etl"}


def test_the_site_names_the_dag_of_every_source(site: Path) -> None:
    named = re.findall(r"<code>(ingest_\w+)</code>", (site / "streams.html").read_text())
    assert set(named) == {f"ingest_{source.name}" for source in SOURCES}


def test_every_setting_is_declared_and_read() -> None:
    """The settings of ``.env.example`` are those that the code reads."""
    code = "\n".join(
        path.read_text()
        for folder in ("plugins", "local", "demo", "dags")
        for path in (ROOT / folder).rglob("*.py")
    )
    declared = found(r"^#?([A-Z][A-Z_]+)=", ENV)
    read = {n for n in found(r'"(RETENTION_[A-Z_]+[A-Z])"', code) if not INTERNAL.fullmatch(n)}
    assert read <= declared
    assert found(r"\b(RETENTION_[A-Z_]+|AIRFLOW_CONN_[A-Z_]+)\b") <= declared
    code += (ROOT / "docker-compose.yml").read_text()
    for name in declared:
        stem = re.sub(r"^(RETENTION_SECRET_|AIRFLOW_CONN_).*", r"\1", name)
        assert name in code or stem in code, name


def test_every_source_has_a_connection_in_the_settings() -> None:
    named = found(r"^#?AIRFLOW_CONN_([A-Z_]+)=", ENV)
    other = {"WAREHOUSE", "DIGEST_SMTP", "DIGEST_SLACK"}
    assert named - other == {source.conn_id.upper() for source in SOURCES}


def test_every_exit_code_is_documented() -> None:
    def below(kind: type[errors.RetentionError]) -> set[int]:
        return {kind.exit_code}.union(*(below(sub) for sub in kind.__subclasses__()))

    tree = re.findall(r"\w+ +exit (\d) ", str(errors.__doc__))
    assert below(errors.RetentionError) == {int(code) for code in tree}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^):]+)\)", README + DECISIONS))))
def test_every_link_from_the_top_level_leads_somewhere(link: str) -> None:
    name, _, anchor = link.partition("#")
    assert (ROOT / name).exists()
    assert not anchor or anchor in anchors(ROOT / name)


def test_every_path_that_is_named_exists() -> None:
    folders = "plugins|dbt_project|demo|dags|tests|bench|expectations|docs"
    for name in found(rf"`((?:{folders})/[\w./-]+)`"):
        assert (ROOT / name).exists(), name


def test_every_decision_has_its_four_parts_and_a_date() -> None:
    assert len(RECORDS) > 5
    for path, text in RECORDS.items():
        for record in re.split(r"^## ", text, flags=re.M)[1:]:
            parts = re.findall(r"^\*\*(\w[\w ]+)\.\*\*", record, re.M)
            wanted = ["Context", "Decision", "Example", "Alternatives rejected"]
            assert [part for part in parts if part in wanted] == wanted, (path, record[:60])
            dated = r"^(?:\*Decided|Date:) \d{4}-\d\d-\d\d"
            assert re.search(dated, record, re.M), (path, record[:60])


def test_the_index_lists_every_decision() -> None:
    linked = found(r"\((docs/decisions/[^)]+#[^)]+)\)", DECISIONS)
    written = {
        f"{path.relative_to(ROOT)}#{slugify(heading.replace('`', ''), '-')}"
        for path, text in RECORDS.items()
        for heading in re.findall(r"^## (.+)$", text, re.M)
    }
    assert linked == written


def test_the_code_links_only_to_decisions_that_there_are() -> None:
    link = re.compile(r'(docs/decisions/\w+\.md),\s+(?:#|--)?\s*["\']([^"\']+)["\']')
    links = 0
    for path in tracked():
        if path.suffix not in {".py", ".sql", ".yml"} or not path.is_file():
            continue
        for page, quoted in link.findall(path.read_text()):
            assert f"\n## {quoted}\n" in (ROOT / page).read_text(), (path, quoted)
            links += 1
    assert links


def test_the_recorded_figures_are_those_that_the_pages_show() -> None:
    figures = yaml.safe_load((DOCS / "figures.yml").read_text())
    recorded = {path.stem: path.read_text().rstrip() for path in (DOCS / "figures").glob("*.txt")}
    assert set(figures) == set(recorded)
    assert found(r"<!-- (?:generate: )?figure:? (\w+) -->") == set(recorded)
    shown = re.findall(
        r"<!-- figure: (\w+) -->\n```text\n(.*?)\n```\n<!-- /figure -->", README, re.S
    )
    assert len(shown) >= 3
    for name, text in shown:
        assert text == recorded[name], name


def test_no_file_carries_a_conflict_mark_or_a_private_key() -> None:
    marks = re.compile(r"^(<{7} |>{7} )|-{5}BEGIN [A-Z ]*PRIVATE KEY", re.M)
    texts = [path for path in tracked() if path.is_file() and path.suffix not in {".gz", ".png"}]
    assert texts
    for path in texts:
        assert not marks.search(path.read_text(errors="replace")), path


def test_every_question_belongs_to_a_published_table() -> None:
    published = {
        model["name"]
        for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.yml")
        for model in yaml.safe_load(path.read_text()).get("models", [])
    }
    questions = set(yaml.safe_load((DOCS / "questions.yml").read_text()))
    assert questions
    assert questions <= published | {"as_of"}
