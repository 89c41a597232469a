"""Every source, mart, metric and seed row has all its files and names only what exists."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests import completeness
from tests.places import ROOT

DECLARED = completeness.declared(ROOT)


@pytest.mark.parametrize(("name", "streams"), DECLARED, ids=[name for name, _ in DECLARED])
def test_a_source_is_complete(name: str, streams: dict[str, str]) -> None:
    assert streams
    assert not list(completeness.source(ROOT, name, streams))


@pytest.mark.parametrize("name", completeness.marts(ROOT))
def test_a_mart_is_complete(name: str) -> None:
    assert not list(completeness.mart(ROOT, name))


@pytest.mark.parametrize(
    "path", sorted((ROOT / completeness.SEEDS).glob("*.csv")), ids=lambda path: path.stem
)
def test_a_seed_names_only_what_exists(path: Path) -> None:
    assert not list(completeness.seed(ROOT, path))


def test_every_metric_has_a_model() -> None:
    assert len(completeness.families(ROOT)) > 5
    assert not list(completeness.metrics(ROOT))


def test_every_suite_has_a_stream_or_mart() -> None:
    assert not list(completeness.raw_suites(ROOT, DECLARED))
    assert not list(completeness.mart_suites(ROOT))


def test_no_skeleton_is_left_unfinished() -> None:
    assert not list(completeness.unfinished(ROOT))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return completeness.copy_checkout(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def broken(whole: Path, tmp_path: Path) -> Path:
    """A copy of the checkout that a test may break."""
    return Path(shutil.copytree(whole, tmp_path / "checkout"))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


STAGING = "dbt_project/models/staging/typeform"


@pytest.mark.parametrize(
    ("gone", "finding"),
    [
        (f"{STAGING}/stg_typeform__responses.sql", f"has no {STAGING}/stg_typeform__responses.sql"),
        (f"{STAGING}/_typeform__sources.yml", f"is not in {STAGING}/_typeform__sources.yml"),
        (f"{STAGING}/_typeform__models.yml", f"not described in {STAGING}/_typeform__models.yml"),
        ("expectations/raw_typeform_responses.yml", "no expectations/raw_typeform_responses.yml"),
        ("tests/fixtures/typeform/responses.json", "no tests/fixtures/typeform/responses.json"),
        (
            "dbt_project/models/intermediate/survey/int_typeform_responses.sql",
            "no intermediate model reads stg_typeform__responses",
        ),
    ],
)
def test_a_missing_file_of_a_source_is_named_with_its_declaration(
    broken: Path, gone: str, finding: str
) -> None:
    (broken / gone).unlink()
    [found] = completeness.source(broken, "typeform", {"responses": "records"})
    assert finding in found
    assert re.match(r"plugins/retention/sources/typeform\.py:\d+: ", found)
    line = int(found.split(":")[1])
    module = (ROOT / "plugins/retention/sources/typeform.py").read_text().splitlines()
    assert '"responses"' in module[line - 1]


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("    description: >", "    docs: >", "fct_csm_worklist has no description"),
        (", grain: [customer_id]", "", "fct_csm_worklist has no meta.grain"),
        ("grain: [customer_id]", "grain: [nothing]", "fct_csm_worklist.nothing of the grain"),
        ("        description: ", "        docs: ", "worklist_rank has no description"),
        ("publish: publish, ", "", "fct_csm_worklist has no meta.publish"),
        (
            "          - relationships:",
            "          - unique\n          - relationships:",
            "fct_csm_worklist tests its grain, which gate 2 checks; remove unique",
        ),
        (
            "    columns:\n",
            "    data_tests:\n"
            "      - unique_combination: {arguments: {columns: [customer_id]}}\n"
            "    columns:\n",
            "fct_csm_worklist tests its grain, which gate 2 checks; remove unique_combination",
        ),
    ],
)
def test_an_incomplete_description_of_a_mart_is_named_with_its_line(
    broken: Path, old: str, new: str, finding: str
) -> None:
    path = broken / "dbt_project/models/marts/tasks/_tasks__models.yml"
    start = path.read_text().index("  - name: fct_csm_worklist")
    head, body = path.read_text()[:start], path.read_text()[start:]
    assert old in body
    path.write_text(head + body.replace(old, new, 1))
    [found] = completeness.mart(broken, "fct_csm_worklist")
    line = head.count("\n") + 1
    assert found.startswith(f"dbt_project/models/marts/tasks/_tasks__models.yml:{line}: ")
    assert finding in found


def test_a_suite_that_checks_the_grain_again_is_named_with_its_line(broken: Path) -> None:
    path = broken / "expectations/marts_fct_csm_worklist.yml"
    again = "expect:\n  - expect_column_values_to_be_unique: {column: customer_id}\n"
    path.write_text(path.read_text().replace("expect:\n", again, 1))
    [found] = completeness.mart_suites(broken)
    line = path.read_text().splitlines().index("expect:") + 2
    assert found.startswith(f"expectations/{path.name}:{line}: gate 2 checks the grain")


def test_a_mart_without_suite_sql_or_description_is_named(broken: Path) -> None:
    (broken / "expectations/marts_fct_csm_worklist.yml").unlink()
    (broken / "dbt_project/models/marts/tasks/fct_csm_worklist.sql").unlink()
    found = list(completeness.mart(broken, "fct_csm_worklist"))
    assert [each.split(": ", 1)[1] for each in found] == [
        "fct_csm_worklist has no dbt_project/models/marts/tasks/fct_csm_worklist.sql",
        "fct_csm_worklist has no expectations/marts_fct_csm_worklist.yml",
    ]
    (broken / "dbt_project/models/marts/tasks/fct_new.sql").write_text("select 1 as one\n")
    assert "fct_new" in completeness.marts(broken)
    assert list(completeness.mart(broken, "fct_new")) == [
        "dbt_project/models/marts/tasks/fct_new.sql:1: fct_new is not in _tasks__models.yml"
    ]


def test_a_metric_without_model_or_column_is_named_with_its_line(broken: Path) -> None:
    path = broken / completeness.FAMILIES
    replace(path, '"csat_share"', '"csat_share", "csat_mode"')
    replace(path, '"family": "sentiment"', '"family": "mood"')
    found = list(completeness.metrics(broken))
    models = "dbt_project/models/intermediate/metrics"
    line = completeness.line_of(path, "csat_mode")
    assert (
        f"{completeness.FAMILIES}:{line}: {models}/int_survey_metrics_daily.sql"
        " has no column csat_mode"
    ) in found
    line = completeness.line_of(path, '"csm_sentiment"')
    assert (
        f"{completeness.FAMILIES}:{line}: csm_sentiment has no {models}/int_mood_metrics_daily.sql"
    ) in found


@pytest.mark.parametrize(
    ("pattern", "column", "finding"),
    [
        ("alert_rules.csv", "metric", "unknown metric 'nothing'"),
        ("health_score_caps.csv", "alert_rule", "unknown alert_rule 'nothing'"),
        ("behavioural_segments.csv", "alert_rule", "unknown alert_rule 'nothing'"),
        ("health_score_components.csv", "metric", "unknown metric 'nothing'"),
        ("playbooks.csv", "alert_rule", "unknown alert_rule 'nothing'"),
        ("playbook_steps.csv", "alert_rule", "unknown alert_rule 'nothing'"),
        ("unit_costs.csv", "owner", "unknown owner 'nothing'"),
    ],
)
def test_a_seed_row_that_names_nothing_known_is_named_with_its_line(
    broken: Path, pattern: str, column: str, finding: str
) -> None:
    for path in (broken / completeness.SEEDS).glob(pattern):
        lines = path.read_text().splitlines()
        cells = lines[1].split(",")
        cells[lines[0].split(",").index(column)] = "nothing"
        path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
        found = list(completeness.seed(broken, path))
        assert found == [f"dbt_project/seeds/{path.name}:2: {finding}"]


def test_a_suite_without_a_table_is_named(broken: Path) -> None:
    for name in ("raw_typeform_nothing", "marts_fct_nothing"):
        (broken / "expectations" / f"{name}.yml").write_text("table: raw.nothing\n")
    assert len(list(completeness.raw_suites(broken, DECLARED))) == 1
    assert len(list(completeness.mart_suites(broken))) == 1
