"""README.md and DECISIONS.md name nothing that is gone: commands, tables, settings, files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer
import yaml

from retention.cli import app
from retention.errors import RetentionError
from retention.sources import SOURCES
from tests.places import ROOT

README = (ROOT / "README.md").read_text()
DECISIONS = (ROOT / "DECISIONS.md").read_text()


def found(pattern: str, text: str = README) -> set[str]:
    """What the pattern finds; a claim about all of nothing would hold for ever."""
    names = set(re.findall(pattern, text, re.M))
    assert names, pattern
    return names


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines()]


def test_every_make_target_exists() -> None:
    targets = found(r"^([a-z]+):", (ROOT / "Makefile").read_text())
    assert found(r"(?:`|^|^    )make ([a-z]+)") <= targets


def test_every_retention_command_exists() -> None:
    group = typer.main.get_command(app)
    known = set(group.commands)  # type: ignore[attr-defined]
    assert found(r"(?:`|bin/|^|\$\()retention ([a-z]+(?:-[a-z]+)?)") <= known


def test_every_table_of_the_readme_is_published_and_every_published_one_is_there() -> None:
    published = {"as_of"}
    for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            meta = model.get("config", {}).get("meta", {})
            if meta.get("publish") == "publish":
                published.add(model["name"])
    assert len(published) > 1
    assert set(re.findall(r"^\| `((?:dim|fct)_\w+|as_of)` \|", README, re.M)) == published


def test_every_dag_is_there() -> None:
    named = found(r"`(ingest_\w+|transform|outbound)`") - {"ingest_"}
    ingests = {f"ingest_{source.name}" for source in SOURCES}
    assert named == ingests | {"transform", "outbound"}


def test_every_setting_is_read_somewhere() -> None:
    code = (
        "\n".join(
            path.read_text()
            for folder in ("plugins", "local", "demo", "dags")
            for path in (ROOT / folder).rglob("*.py")
        )
        + (ROOT / "docker-compose.yml").read_text()
    )
    for name in found(r"`((?:RETENTION|AIRFLOW_CONN)_[A-Z_]+)`"):
        stem = re.sub(r"^(RETENTION_SECRET_|AIRFLOW_CONN_).*", r"\1", name)
        assert name in code or stem in code, name


def test_every_other_connection_is_that_of_a_source() -> None:
    named = found(r"`AIRFLOW_CONN_([A-Z_]+)`") - {"WAREHOUSE", "DIGEST_SMTP", "DIGEST_SLACK"}
    assert named == {source.conn_id.upper() for source in SOURCES}


def test_every_exit_code_is_documented() -> None:
    def below(kind: type[RetentionError]) -> set[int]:
        return {kind.exit_code}.union(*(below(sub) for sub in kind.__subclasses__()))

    sentence = README[README.index("Exit codes") :].split("\n\n")[0]
    assert below(RetentionError) | {0} == {int(code) for code in re.findall(r"\b(\d)\b", sentence)}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README + DECISIONS))))
def test_every_link_leads_somewhere(name: str) -> None:
    assert (ROOT / name).exists()


def test_every_path_that_is_named_exists() -> None:
    for name in found(r"`((?:plugins|dbt_project|demo|dags|tests|bench|expectations)/[\w./-]+)`"):
        assert (ROOT / name).exists(), name


def test_the_code_links_only_to_decisions_that_there_are() -> None:
    headings = set(re.findall(r"^## (.+)$", DECISIONS, re.M))
    assert headings
    for path in tracked():
        if path.suffix in {".py", ".sql", ".yml"} and path.is_file():
            for quoted in re.findall(r'DECISIONS\.md, "([^"]+)"', path.read_text()):
                assert quoted in headings, (path, quoted)


def test_no_file_carries_a_conflict_mark_or_a_private_key() -> None:
    marks = re.compile(r"^(<{7} |>{7} )|-{5}BEGIN [A-Z ]*PRIVATE KEY", re.M)
    texts = [path for path in tracked() if path.is_file() and path.suffix not in {".gz", ".png"}]
    assert texts
    for path in texts:
        assert not marks.search(path.read_text(errors="replace")), path
