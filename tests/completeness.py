"""What is missing in a checkout, each finding as ``path:line: what``. Reads files only."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.places import ROOT

MODELS = Path("dbt_project/models")
SEEDS = Path("dbt_project/seeds")
FAMILIES = Path("dbt_project/macros/metric_families.sql")
SOURCES = Path("plugins/retention/sources")
FIXTURES = Path("tests/fixtures")
OWNERS = {
    "csm", "customer_success", "finance", "manager", "product", "revops", "sales", "support",
}  # fmt: skip
# Columns of seeds that name a row of another seed, which the seed of the same name declares.
REFERENCES = {"alert_rule": "alert_rules"}
# Their column `metric` names a rate of a company or a level of use, not a customer's daily metric.
OTHER_METRICS = {"benchmarks", "usage_thresholds"}
# Streams without recorded responses: event files are loaded in bulk, and a folder of files has
# no API. tests/usage and tests/sources/files write their own input.
WITHOUT_FIXTURE = {"files", "posthog"}
MARK = "FILL IN"
UNFINISHED = (
    "dbt_project", "docs", "expectations", "plugins/retention", "tests/fixtures", ".env.example",
)  # fmt: skip
COPIED = (
    ".env.example", "dbt_project", "docker-compose.yml", "docs", "expectations",
    "plugins/retention", "tests/fixtures",
)  # fmt: skip

Findings = Iterator[str]


def line_of(path: Path, pattern: str) -> int:
    """Return the first line of a file that the pattern matches, else 1."""
    for number, line in enumerate(path.read_text().splitlines() if path.is_file() else [], 1):
        if re.search(pattern, line):
            return number
    return 1


# Sources


def declared(root: Path) -> list[tuple[str, dict[str, str]]]:
    """Return each source with its streams and their kind, as declared below ``root``."""
    code = (
        "import json; from retention.sources import SOURCES;"
        "streams = [[each.name, {s.name: s.kind for s in each.streams}] for each in SOURCES];"
        "print(json.dumps(streams))"
    )
    environment = os.environ | {"PYTHONPATH": str(root / "plugins")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [(name, streams) for name, streams in json.loads(done.stdout)]


def declaration(root: Path, name: str, stream: str) -> str:
    """Return ``path:line`` of the declaration of a stream, else of its source."""
    module = root / SOURCES / f"{name}.py"
    files = [module] if module.is_file() else sorted((root / SOURCES / name).rglob("*.py"))
    for pattern in (rf'["\']{stream}["\']', r"^SOURCE\b"):
        for path in files:
            line = line_of(path, pattern)
            if re.search(pattern, path.read_text().splitlines()[line - 1]):
                return f"{path.relative_to(root)}:{line}"
    return f"{SOURCES / name}:1"


def source(root: Path, name: str, streams: dict[str, str]) -> Findings:
    """Find what the streams of a source lack."""
    folder = MODELS / "staging" / name
    tables = {
        table["name"]
        for each in entries(root / folder / f"_{name}__sources.yml", "sources")
        for table in each.get("tables", [])
    }
    described = {
        model["name"]
        for path in (root / folder).glob("*__models.yml")
        for model in entries(path, "models")
        if model.get("description")
    }
    intermediate = text_below(root / MODELS / "intermediate")
    for stream, kind in streams.items():
        model = f"stg_{name}__{stream}"
        where = declaration(root, name, stream)
        for path in (
            folder / f"{model}.sql",
            Path("expectations") / f"raw_{name}_{stream}.yml",
            FIXTURES / name / f"{stream}.json",
        ):
            needed = path.suffix != ".json" or name not in WITHOUT_FIXTURE
            if needed and not (root / path).is_file():
                yield f"{where}: stream {name}.{stream} has no {path}"
        table = "usage_daily" if kind == "usage" else stream
        if table not in tables:
            yield f"{where}: table {name}.{table} is not in {folder}/_{name}__sources.yml"
        if model not in described:
            yield f"{where}: {model} is not described in {folder}/_{name}__models.yml"
        if not re.search(rf"\b{model}\b|source\('{name}', '{stream}'\)", intermediate):
            yield f"{where}: no intermediate model reads {model}"


def raw_suites(root: Path, sources: list[tuple[str, dict[str, str]]]) -> Findings:
    """Find gate 1 suites without a stream."""
    known = {f"raw_{name}_{stream}" for name, streams in sources for stream in streams}
    for path in sorted((root / "expectations").glob("raw_*.yml")):
        if path.stem not in known:
            yield f"expectations/{path.name}:1: no stream is declared for this suite"


# Marts


def marts(root: Path) -> list[str]:
    """Return the names of all marts that have SQL or a description."""
    folder = root / MODELS / "marts"
    named = {
        model["name"] for path in folder.rglob("*__models.yml") for model in entries(path, "models")
    }
    return sorted(named | {path.stem for path in folder.rglob("*.sql")})


def mart(root: Path, name: str) -> Findings:
    """Find what a mart lacks: SQL, description, grain, described columns, suite."""
    folder = root / MODELS / "marts"
    sql = next(iter(folder.rglob(f"{name}.sql")), None)
    model, path = found_model(folder, name)
    if path is None:
        assert sql is not None
        subject = sql.parent.name
        yield f"{sql.relative_to(root)}:1: {name} is not in _{subject}__models.yml"
        return
    where = f"{path.relative_to(root)}:{line_of(path, rf'^  - name: {name}$')}"
    if sql is None:
        yield f"{where}: {name} has no {path.parent.relative_to(root)}/{name}.sql"
    # Gate 2 checks the stored rows that a view is made of.
    checked = model.get("config", {}).get("meta", {}).get("view_over", name)
    if not (root / "expectations" / f"marts_{checked}.yml").is_file():
        yield f"{where}: {name} has no expectations/marts_{checked}.yml"
    for what in described_wrongly(model):
        yield f"{where}: {what}"


def described_wrongly(model: dict[str, Any]) -> Findings:
    """Find what the description of a mart lacks."""
    name, meta = model["name"], model.get("config", {}).get("meta", {})
    columns = {column["name"]: column for column in model.get("columns", [])}
    if not model.get("description"):
        yield f"{name} has no description"
    for key in ("publish", "grain"):
        if not meta.get(key):
            yield f"{name} has no meta.{key}"
    for column in meta.get("grain", []):
        if column not in columns:
            yield f"{name}.{column} of the grain is no column"
    for column, value in columns.items():
        if not value.get("description"):
            yield f"column {name}.{column} has no description"
    yield from repeated_grain(model)


def repeated_grain(model: dict[str, Any]) -> Findings:
    """Find dbt tests of a mart's grain; gate 2 makes that check from `meta.grain`."""
    tests = [([], test) for test in model.get("data_tests", [])]
    for column in model.get("columns", []):
        tests += [([column["name"]], test) for test in column.get("data_tests", [])]
    grain = set(model.get("config", {}).get("meta", {}).get("grain", []))
    for columns, test in tests:
        kind = test if isinstance(test, str) else next(iter(test))
        if kind == "unique_combination":
            columns = test[kind]["arguments"]["columns"]
        if kind in ("unique", "unique_combination") and set(columns) == grain:
            yield f"{model['name']} tests its grain, which gate 2 checks; remove {kind}"


def mart_suites(root: Path) -> Findings:
    """Find gate 2 suites without a mart."""
    known = set(marts(root))
    for path in sorted((root / "expectations").glob("marts_*.yml")):
        name = path.stem.removeprefix("marts_")
        if name not in known:
            yield f"expectations/{path.name}:1: no mart is declared for this suite"
            continue
        model, _ = found_model(root / MODELS / "marts", name)
        grain = model.get("config", {}).get("meta", {}).get("grain", [])
        for entry in entries(path, "expect"):
            for kind, options in entry.items():
                columns = options if kind.endswith("_to_be_unique") else {}
                if set(columns.get("column_list", [columns.get("column")])) == set(grain):
                    line = line_of(path, kind)
                    yield f"expectations/{path.name}:{line}: gate 2 checks the grain; remove {kind}"


# Metrics and seeds


def families(root: Path) -> list[dict[str, Any]]:
    text = (root / FAMILIES).read_text()
    found = re.search(r"return\((\[.*\])\)", text, re.S)
    assert found, f"{FAMILIES}:1: no list of families"
    return list(ast.literal_eval(found.group(1)))


def metrics(root: Path) -> Findings:
    """Find metrics that no described model computes."""
    folder = MODELS / "intermediate" / "metrics"
    described = {
        model["name"]
        for model in entries(root / folder / "_metrics__models.yml", "models")
        if model.get("description")
    }
    for family in families(root):
        model = f"int_{family['family']}_metrics_daily"
        path = folder / f"{model}.sql"
        for column in (*family["metrics"], family["observed"]):
            line = line_of(root / FAMILIES, f'"{column}"')
            where = f"{FAMILIES}:{line}"
            if not (root / path).is_file():
                yield f"{where}: {column} has no {path}"
            elif not re.search(rf"\b{column}\b", (root / path).read_text()):
                yield f"{where}: {path} has no column {column}"
            if model not in described:
                yield f"{where}: {model} is not described in {folder}/_metrics__models.yml"


def seed(root: Path, path: Path) -> Findings:
    """Find rows that name an unknown owner, metric or alert rule."""
    named = {name for family in families(root) for name in family["metrics"]}
    known = {column: values(root / SEEDS / f"{home}.csv", column)
             for column, home in REFERENCES.items()}  # fmt: skip
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            where = f"{path.relative_to(root)}:{reader.line_num}"
            if "owner" in row and row["owner"] not in OWNERS:
                yield f"{where}: unknown owner {row['owner']!r}"
            if metric_of(path, row) not in named | {None}:
                yield f"{where}: unknown metric {row['metric']!r}"
            for column in row.keys() & known.keys():
                if row[column] not in known[column]:
                    yield f"{where}: unknown {column} {row[column]!r}"


def metric_of(path: Path, row: dict[str, str]) -> str | None:
    """Return the metric of a row; None if it names an event or a figure of another kind."""
    is_other = path.stem in OTHER_METRICS or row.get("kind") == "event"
    return None if is_other else row.get("metric")


def values(path: Path, column: str) -> set[str]:
    with path.open(newline="") as file:
        return {row[column] for row in csv.DictReader(file)}


# Everything


def unfinished(root: Path) -> Findings:
    """Find the places of a skeleton that are not filled in."""
    for name in UNFINISHED:
        start = root / name
        for path in sorted([start] if start.is_file() else start.rglob("*")):
            if not path.is_file() or {"scaffold", "target"} & set(path.relative_to(root).parts):
                continue
            if path.suffix not in {".csv", ".json", ".py", ".sql", ".yml", ".example", ""}:
                continue
            text = path.read_text(errors="replace")
            for number, line in enumerate(text.splitlines(), 1):
                if MARK in line:
                    yield f"{path.relative_to(root)}:{number}: {MARK}"


def everything(root: Path) -> list[str]:
    """Return all findings of a checkout, in the order of its parts."""
    sources = declared(root)
    parts: list[Findings] = [source(root, *each) for each in sources]
    parts += [raw_suites(root, sources)]
    parts += [mart(root, name) for name in marts(root)]
    parts += [seed(root, path) for path in sorted((root / SEEDS).glob("*.csv"))]
    whole: list[Callable[[Path], Findings]] = [mart_suites, metrics, unfinished]
    parts += [check(root) for check in whole]
    return [finding for part in parts for finding in part]


def copy_checkout(target: Path) -> Path:
    """Copy the tracked files that the recipes and checks read."""
    listed = subprocess.run(
        ["git", "ls-files", *COPIED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    return target


def entries(path: Path, key: str) -> list[dict[str, Any]]:
    """Return the list of that key in a YAML file, empty if the file is missing."""
    text = path.read_text() if path.is_file() else ""
    return list(parsed(text).get(key) or [])


@cache
def parsed(text: str) -> dict[str, Any]:
    return yaml.load(text, yaml.CSafeLoader) or {}


def found_model(folder: Path, name: str) -> tuple[dict[str, Any], Path | None]:
    """Return the description of a model and its file."""
    pattern = re.compile(rf"^  - name: {name}$", re.M)
    for path in sorted(folder.rglob("*__models.yml")):
        if pattern.search(path.read_text()):
            for model in entries(path, "models"):
                if model["name"] == name:
                    return model, path
    return {}, None


def text_below(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*.sql")))
