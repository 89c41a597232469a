"""Published names, descriptions and the command line use the terms of docs/glossary.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import typer
import yaml

from retention.cli import app
from tests.places import ROOT

# Words that stand for a term of the glossary, or for nothing: what to say instead.
INSTEAD = {
    r"rooms?": "package",
    r"alarms?": "alert",
    r"episodes?": "alert",
    r"(?:risk )?signals?": "component (of the score), alert rule, alert",
    r"triggers?": "alert rule",
    r"ledgers?": "MRR history, load transaction",
    r"mend(?:s|ed)?": "hint",
    r"foret(?:ells?|old)": "predict",
    r"tells?|told": "report, publish",
    r"noise": "unproven",
    r"too few to say": "insufficient data",
    r"cockpits?": "worklist",
    r"stays|spells?|asks|acts": "a term of the glossary",
    r"who left|customers? left": "churned",
    r"nobody|whoever|whom": "a subject that does something",
}
WORDS = re.compile(rf"(?<![a-z])({'|'.join(INSTEAD)})(?![a-z])", re.I)


def published() -> Iterator[tuple[str, str]]:
    """Name and text of every published table and column."""
    for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.yml"):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            if not model.get("config", {}).get("meta", {}).get("publish"):
                continue
            yield model["name"], model["name"]
            for column in model.get("columns", []):
                yield f"{model['name']}.{column['name']}", column["name"]


def helped(name: str, command: Any) -> Iterator[tuple[str, str]]:
    """Name and help of every command and option."""
    yield name, f"{command.name} {command.help or ''}"
    for param in getattr(command, "params", []):
        yield f"{name} {param.name}", f"{param.name} {getattr(param, 'help', '') or ''}"
    for sub in getattr(command, "commands", {}).values():
        yield from helped(f"{name} {sub.name}", sub)


def printed() -> Iterator[tuple[str, str]]:
    """Every text in the modules that print for people, docstrings and SQL aside."""
    for package in ("cli", "reports", "reverse_etl", "health"):
        for path in (ROOT / "plugins" / "retention" / package).rglob("*.py"):
            tree = ast.parse(path.read_text())
            docstrings = [each.value for each in ast.walk(tree) if isinstance(each, ast.Expr)]
            for node in ast.walk(tree):
                text = node.value if isinstance(node, ast.Constant) else None
                if node in docstrings or not isinstance(text, str):
                    continue
                if " " in text and not is_sql(text):
                    yield f"{package}/{path.name}", text


def is_sql(text: str) -> bool:
    return bool(re.search(r"\b(select|insert|update|from|where|join|order by)\b", text))


def misnamed(named: Iterator[tuple[str, str]]) -> set[str]:
    return {
        f"{place}: {word.lower()}"
        for place, text in named
        for word in WORDS.findall(text.replace("_", " "))
    }


def test_no_word_is_used_that_the_glossary_replaces() -> None:
    command = typer.main.get_command(app)
    misused = misnamed(published()) | misnamed(helped("retention", command)) | misnamed(printed())
    assert not misused
