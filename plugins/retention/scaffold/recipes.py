"""The four recipes: which files each creates and which lines it adds."""

from __future__ import annotations

import ast
import csv
import io
import re
from pathlib import Path

from retention.errors import ConfigurationError, UsageError
from retention.scaffold.change import MARK, Change, require_name, template

_METRICS = "dbt_project/macros/metric_families.sql"
_RULES = "dbt_project/seeds/alert_rules.csv"
# Values to start from; the descriptions of the seed list the others.
_RULE = {
    "version": "1",
    "valid_from": "2020-01-01",
    "kind": "metric",
    "used_for": "alerts",
    "comparison": "at_least",
    "threshold": "1",
    "days_running": "1",
    "max_age_days": "7",
    "severity": "low",
    "worklist_value": "measured",
    "owner": "customer_success",
    "source": f"{MARK}: where the threshold comes from",
    "sentence": f"{MARK}: what customer success reads; the value is {{value}}",
    "reason": f"{MARK}: why this threshold",
}


def source(root: Path, name: str, stream: str) -> Change:
    """Plan a source with one stream: declaration, contract, staging, suite, fixture, connection."""
    require_name(name, "source")
    require_name(stream, "stream")
    change = Change(root)
    if (root / "plugins/retention/sources" / name).exists():
        raise UsageError(
            f"plugins/retention/sources/{name} exists already.", hint="Choose another name."
        )
    values = {"name": name, "stream": stream, "upper": name.upper()}
    staging = f"dbt_project/models/staging/{name}"
    for path, text in {
        f"plugins/retention/sources/{name}.py": "source.py.txt",
        f"plugins/retention/sources/contracts/{name}.py": "contract.py.txt",
        f"{staging}/stg_{name}__{stream}.sql": "staging.sql",
        f"{staging}/_{name}__sources.yml": "sources.yml",
        f"{staging}/_{name}__models.yml": "models.yml",
        f"expectations/raw_{name}_{stream}.yml": "suite.yml",
        f"tests/fixtures/{name}/{stream}.json": "fixture.json",
    }.items():
        change.create(path, template(f"source/{text}", **values))
    _list_source(change, name)
    change.insert(
        ".env.example",
        r"^#?AIRFLOW_CONN_\w+_(API|EXPORTS|FOLDER)=.*\n",
        template("source/env.txt", **values),
    )
    change.insert(
        "docker-compose.yml",
        r"^    AIRFLOW_CONN_\w+_(API|EXPORTS|FOLDER): .*\n",
        f"    AIRFLOW_CONN_{name.upper()}_API: ${{AIRFLOW_CONN_{name.upper()}_API:-}}\n",
    )
    change.todo.append(f"read stg_{name}__{stream} in the intermediate model of its subject")
    change.todo.append("add that input to the unit tests of the intermediate model")
    change.todo.append(f"add {name} to RETENTION_SOURCES")
    return change


def metric(root: Path, name: str) -> Change:
    """Plan a metric in a family of its own: family, model, description and unit test."""
    require_name(name, "metric")
    change = Change(root)
    folder = "dbt_project/models/intermediate/metrics"
    model = f"int_{name}_metrics_daily"
    family = template("metric/family.txt", name=name)
    change.insert(_METRICS, r"^        \},\n", family, once=rf'"{name}"')
    change.create(f"{folder}/{model}.sql", template("metric/model.sql", name=name))
    change.add(f"{folder}/_metrics__models.yml", template("metric/models.yml.txt", name=name))
    change.add(
        f"{folder}/_metrics__unit_tests.yml", template("metric/unit_tests.yml.txt", name=name)
    )
    change.todo.append("add a component or an alert rule that reads the metric")
    return change


def alert_rule(root: Path, name: str, metric_name: str) -> Change:
    """Plan the first version of an alert rule; raise UsageError for an unknown metric."""
    require_name(name, "alert rule")
    change = Change(root)
    known = metrics_of(root)
    if metric_name not in known:
        raise UsageError(
            f"There is no metric {metric_name!r}.",
            hint=f"Choose one of {', '.join(known)}, or run `retention new metric` first.",
        )
    with (root / _RULES).open(newline="") as file:
        columns = next(csv.reader(file))
    filled = {**_RULE, "alert_rule": name, "metric": metric_name}
    if missing := sorted(filled.keys() - set(columns)):
        raise ConfigurationError(
            f"The seed has no column {', '.join(missing)}.",
            where=f"{_RULES}:1",
            hint="Add the row by hand.",
        )
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow([filled.get(column, "") for column in columns])
    change.add(_RULES, row.getvalue(), once=rf"^{name},")
    change.todo.append(f"set comparison, threshold, max_age_days, severity and owner in {_RULES}")
    return change


def mart(root: Path, name: str, subject: str) -> Change:
    """Plan a published mart: SQL, description, unit test, gate 2 suite and question."""
    require_name(name, "mart")
    change = Change(root)
    table = name if name.startswith(("fct_", "dim_")) else f"fct_{name}"
    subjects = sorted(path.name for path in (root / "dbt_project/models/marts").iterdir())
    if subject not in subjects:
        raise UsageError(
            f"There is no subject {subject!r}.", hint=f"Choose one of {', '.join(subjects)}."
        )
    folder = f"dbt_project/models/marts/{subject}"
    change.create(f"{folder}/{table}.sql", template("mart/model.sql"))
    change.create(f"expectations/marts_{table}.yml", template("mart/suite.yml", name=table))
    for key in ("models", "unit_tests"):
        text = template(f"mart/{key}.yml.txt", name=table)
        change.add(f"{folder}/_{subject}__{key}.yml", text, header=f"version: 2\n\n{key}:\n")
    change.add("docs/questions.yml", template("mart/question.txt", name=table), once=f"^{table}:")
    return change


def metrics_of(root: Path) -> list[str]:
    """Return the names of all metrics, in the order of their families."""
    text = (root / _METRICS).read_text()
    found = re.search(r"return\((\[.*\])\)", text, re.S)
    families = ast.literal_eval(found.group(1)) if found else []
    return [name for family in families for name in family["metrics"]]


def _list_source(change: Change, name: str) -> None:
    path = "plugins/retention/sources/__init__.py"
    text = (change.root / path).read_text()
    line = re.search(r"^from retention\.sources import (.+)$", text, re.M)
    if not line:
        raise ConfigurationError("Found no import of the sources.", where=path)
    names = ", ".join(sorted([*line.group(1).split(", "), name]))
    change.texts[path] = text.replace(line.group(0), f"from retention.sources import {names}")
    change.insert(path, r"^    \w+\.SOURCE,\n", f"    {name}.SOURCE,\n")
