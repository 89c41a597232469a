"""The build on a real Postgres with a small dbt project of its own: one at a time, no secrets."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from retention.builds import build as building
from retention.builds import dbt_runner, phases
from retention.builds.build import build, manifest_path, retry
from retention.errors import AlreadyRunning, BuildError, UsageError
from retention.keyring import PSEUDONYM_KEY, secret
from retention.statistics import Inputs, Statistic
from retention.warehouse import Warehouse
from tests.loading import load, query, thing, window
from tests.places import ROOT

AS_OF = date(2026, 3, 1)
FILES = {
    "dbt_project.yml": (
        "name: small\nversion: '1.0'\nconfig-version: 2\nprofile: retention\n"
        "flags: {send_anonymous_usage_stats: false}\n"
        "models: {small: {+schema: marts, +materialized: table}}\n"
    ),
    "macros/generate_schema_name.sql": (
        "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}"
    ),
    "models/stg_things.sql": (
        "select record_id, doc ->> 'name' as thing_name, ops.pseudonym(doc ->> 'name') as who\n"
        'from raw.shop_things where loaded_at <= \'{{ var("known_at", "") }}\'::timestamptz'
    ),
    "models/fct_things.sql": (
        "select *, '{{ var(\"as_of\", \"\") }}'::date as as_of_date from {{ ref('stg_things') }}"
    ),
    "models/fct_last.sql": "select count(*) as things from {{ ref('fct_things') }}",
    "models/all.yml": (
        "models:\n  - name: fct_things\n    config: {meta: {publish: publish}}\n"
        "    columns: [{name: thing_name, data_tests: [not_null]}]\n"
    ),
}


@pytest.fixture
def project(warehouse: Warehouse, tmp_path: Path) -> Warehouse:
    """The warehouse with one thing in it and a dbt project of three models."""
    folder = tmp_path / "dbt_project"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    shutil.copy(ROOT / "dbt_project" / "profiles.yml", folder / "profiles.yml")
    assert warehouse.settings is not None
    return replace(warehouse, settings=replace(warehouse.settings, root=tmp_path))


def model(wh: Warehouse, name: str, text: str) -> None:
    assert wh.settings is not None
    (wh.settings.root / "dbt_project" / "models" / f"{name}.sql").write_text(text)


def builds(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(wh, "select build_id, as_of, status, error from ops.builds order by build_id")


def things(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(
        wh, "select thing_name, as_of_date from marts.fct_things order by 1", "transformer"
    )


def test_a_build_makes_every_model_and_keeps_what_became_of_each(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    result = build(project, AS_OF)
    assert (result.models, result.tests) == (3, 1)
    assert things(project) == [("red", AS_OF)]
    ((build_id, as_of, status, error),) = builds(project)
    assert (build_id, as_of, status, error) == (result.build_id, AS_OF, "done", None)
    kept = query(project, "select jsonb_path_query_array(models, '$[*].status') from ops.builds")
    assert sorted(kept[0][0]) == ["pass", "success", "success", "success"]
    assert project.settings is not None
    assert manifest_path(project.settings).exists()


def test_the_knowledge_cut_hides_what_was_loaded_later(project: Warehouse) -> None:
    load(project, [thing("a", name="red")], window(0))
    first = build(project, AS_OF)
    load(project, [thing("b", 1, name="blue")], window(1))
    build(project, AS_OF, first.known_at)
    assert things(project) == [("red", AS_OF)]
    build(project, AS_OF)
    assert things(project) == [("blue", AS_OF), ("red", AS_OF)]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that dbt parses, as it parses them."""
    from dbt.parser.manifest import ManifestLoader

    names: list[str] = []
    original = ManifestLoader.parse_project

    def counting(self: Any, project: Any, files: Any, types: Any) -> Any:
        names.extend(name for group in files.values() for name in group)
        return original(self, project, files, types)

    monkeypatch.setattr(ManifestLoader, "parse_project", counting)
    return names


def test_another_day_does_not_parse_the_project_again(
    project: Warehouse, parsed: list[str]
) -> None:
    load(project, [thing("a", name="red")])
    build(project, AS_OF)
    parsed.clear()
    build(project, AS_OF + timedelta(days=1))
    assert things(project) == [("red", AS_OF + timedelta(days=1))]
    assert parsed == []
    model(project, "fct_last", "select 41 + 1 as things")
    build(project, AS_OF)
    assert query(project, "select things from marts.fct_last", "transformer") == [(42,)]
    assert parsed


def test_another_company_is_built_from_what_was_parsed_for_the_first(
    project: Warehouse, module_warehouse: Warehouse, parsed: list[str]
) -> None:
    assert project.settings is not None
    assert module_warehouse.settings is not None
    settings = replace(module_warehouse.settings, root=project.settings.root)
    other = replace(module_warehouse, settings=settings)
    load(project, [thing("a", name="red")])
    build(project, AS_OF)
    parsed.clear()
    load(other, [thing("b", name="blue")])
    assert (build(other, AS_OF).models, parsed) == (3, [])
    assert (things(project), things(other)) == ([("red", AS_OF)], [("blue", AS_OF)])
    assert manifest_path(settings).exists()


def test_a_model_that_fails_is_named_with_message_and_file(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    model(project, "fct_things", "select 1 / (count(*) - 1) as broken from {{ ref('stg_things') }}")
    with pytest.raises(BuildError) as raised:
        build(project, AS_OF)
    said = str(raised.value)
    assert raised.value.exit_code == 5
    assert "model fct_things (models/fct_things.sql)" in said
    assert "division by zero" in said
    ((_, _, status, error),) = builds(project)
    assert status == "failed"
    assert "division by zero" in error


def test_a_test_that_fails_fails_the_build(project: Warehouse) -> None:
    load(project, [thing("a", name=None)])
    with pytest.raises(BuildError, match="test not_null_fct_things_thing_name"):
        build(project, AS_OF)


def test_tests_that_run_as_one_are_named_and_recorded_one_by_one(project: Warehouse) -> None:
    load(project, [thing("a", name="red"), thing("b", name="pink")])
    assert project.settings is not None
    folder = project.settings.root / "dbt_project"
    shutil.copy(ROOT / "dbt_project" / "macros" / "every_test.sql", folder / "macros")
    known = "{accepted_values: {arguments: {values: [red]}}}"
    (folder / "models" / "all.yml").write_text(
        "models:\n  - name: fct_things\n    columns:\n"
        f"      - {{name: thing_name, data_tests: [not_null, unique, {known}]}}\n"
    )
    with pytest.raises(BuildError, match="test accepted_values_fct_things_thing_name__red "):
        build(project, AS_OF)
    ((nodes,),) = query(project, "select models from ops.builds")
    found = {node["name"]: node["status"] for node in nodes if node["kind"] == "test"}
    assert found == {
        "accepted_values_fct_things_thing_name__red": "fail",
        "not_null_fct_things_thing_name": "pass",
        "unique_fct_things_thing_name": "pass",
    }
    load(project, [thing("b", 2, name="red")], window(1))
    model(project, "fct_things", "select distinct 'red' as thing_name from {{ ref('stg_things') }}")
    assert build(project, AS_OF).tests == 3


def test_a_project_that_does_not_parse_fails_the_build(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    model(project, "fct_last", "select * from {{ ref('nowhere') }}")
    with pytest.raises(BuildError, match="nowhere"):
        build(project, AS_OF)
    assert [status for _, _, status, _ in builds(project)] == ["failed"]


def test_a_retry_goes_on_from_the_model_that_failed(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    model(project, "fct_last", "select 1 / 0 as broken from {{ ref('fct_things') }}")
    with pytest.raises(BuildError):
        build(project, AS_OF)
    written = query(project, "select xmin::text from marts.stg_things", "transformer")
    model(project, "fct_last", "select 1 as mended from {{ ref('fct_things') }}")
    result = retry(project)
    assert query(project, "select xmin::text from marts.stg_things", "transformer") == written
    assert [(b[0], b[2], b[3]) for b in builds(project)] == [(result.build_id, "done", None)]
    assert result.models == 3
    assert result.as_of == AS_OF


def test_there_is_nothing_to_retry_after_a_success(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    build(project, AS_OF)
    with pytest.raises(UsageError, match="nothing to go on with"):
        retry(project)


def test_a_second_build_at_the_same_time_is_refused_and_touches_nothing(
    project: Warehouse,
) -> None:
    with project.connect("transformer") as other:
        project.lock(other, building.LOCK)
        with pytest.raises(AlreadyRunning) as raised:
            build(project, AS_OF)
    assert raised.value.exit_code == 8
    assert builds(project) == []


def test_dbt_runs_once_at_a_time_in_one_process(project: Warehouse) -> None:
    assert project.settings is not None
    with dbt_runner.environment(project, project.settings):
        refused: list[type] = []

        def second() -> None:
            try:
                build(project, AS_OF)
            except AlreadyRunning as error:
                refused.append(type(error))

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert refused == [AlreadyRunning]


def test_a_build_that_a_killed_process_left_is_closed_by_the_next(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    with project.connect("transformer") as conn:
        conn.execute(
            "insert into ops.builds (as_of, known_at, status)"
            " values (%s, clock_timestamp(), 'running')",
            [AS_OF],
        )
    build(project, AS_OF)
    assert [status for _, _, status, _ in builds(project)] == ["failed", "done"]


@pytest.mark.parametrize(
    "as_of",
    ["2026-03-01'; drop schema raw cascade; --", "2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)],
)
def test_what_is_not_a_date_is_refused(project: Warehouse, as_of: Any) -> None:
    with pytest.raises(UsageError):
        build(project, as_of)
    assert builds(project) == []


def test_secrets_reach_neither_artefacts_nor_messages_nor_the_environment(
    project: Warehouse, capfd: pytest.CaptureFixture[str]
) -> None:
    load(project, [thing("a", name="red")])
    before = dict(os.environ)
    build(project, AS_OF)
    model(
        project,
        "fct_last",
        "select current_setting('retention.pseudonym_key')::int, 'ada@example.com'::int as e",
    )
    with pytest.raises(BuildError) as raised:
        build(project, AS_OF)
    assert project.settings is not None
    hidden = [secret(project.settings, name) for name in (PSEUDONYM_KEY, "pipeline")]
    out = capfd.readouterr()
    texts = [str(raised.value), out.out, out.err, str(builds(project))]
    texts += [str(query(project, "select models::text from ops.builds"))]
    artefacts = [p for p in dbt_runner.target_path(project.settings).rglob("*") if p.is_file()]
    assert artefacts
    texts += [path.read_bytes().decode("utf-8", "replace") for path in artefacts]
    for text in texts:
        assert not any(word in text for word in hidden)
    assert "ada@example.com" not in str(raised.value)
    assert dict(os.environ) == before
    assert (out.out, out.err) == ("", "")


def test_two_companies_keep_their_artefacts_apart(project: Warehouse) -> None:
    assert project.settings is not None
    other = replace(project.settings, company="other")
    assert manifest_path(project.settings) != manifest_path(other)


# --- statistics between two phases -----------------------------------------------------------

READS_STATISTIC = (
    "{{ config(tags=['statistics']) }}\n"
    "select colour_count, model, version, as_of from {{ source('statistics', 'colours') }}"
)
SOURCE = "sources: [{name: statistics, schema: statistics, tables: [{name: colours}]}]\n"


def colours(compute: Any) -> Statistic:
    return Statistic("colours", "2", {"colour_count": "numeric(9,2)"}, compute)


def count_colours(inputs: Inputs) -> list[tuple[Any, ...]]:
    return [(row["n"],) for row in inputs.rows("select count(*) as n from marts.fct_things")]


@pytest.fixture
def with_statistic(project: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """The small project with a model that reads a statistic of its things."""
    load(project, [thing("a", name="red")])
    model(project, "fct_colours", READS_STATISTIC)
    assert project.settings is not None
    (project.settings.root / "dbt_project" / "models" / "sources.yml").write_text(SOURCE)
    monkeypatch.setattr(phases, "STATISTICS", (colours(count_colours),))
    return project


def test_a_statistic_sees_the_marts_of_the_build_and_feeds_the_models_that_read_it(
    with_statistic: Warehouse,
) -> None:
    result = build(with_statistic, AS_OF)
    shown = "select * from marts.fct_colours"
    assert query(with_statistic, shown, "transformer") == [(1, "colours", "2", AS_OF)]
    kinds = [node.kind for node in result.nodes]
    assert kinds.index("statistic") > max(
        number for number, node in enumerate(result.nodes) if node.name == "fct_things"
    )
    kept = query(
        with_statistic, "select models @? '$[*] ? (@.kind == \"statistic\")' from ops.builds"
    )
    assert kept == [(True,)]
    load(with_statistic, [thing("b", 1, name="blue")], window(1))
    build(with_statistic, AS_OF, result.known_at)
    assert query(with_statistic, shown, "transformer")[0][0] == 1
    build(with_statistic, AS_OF)
    assert query(with_statistic, shown, "transformer")[0][0] == 2


def test_a_statistic_that_fails_is_named_and_a_retry_goes_on_from_it(
    with_statistic: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(inputs: Inputs) -> list[tuple[Any, ...]]:
        raise ValueError("no events for ada@example.com")

    monkeypatch.setattr(phases, "STATISTICS", (colours(broken),))
    with pytest.raises(BuildError) as raised:
        build(with_statistic, AS_OF)
    assert "statistic colours" in str(raised.value)
    assert "no events" in str(raised.value)
    assert "ada@example.com" not in str(raised.value)
    written = query(with_statistic, "select xmin::text from marts.fct_things", "transformer")
    monkeypatch.setattr(phases, "STATISTICS", (colours(count_colours),))
    assert retry(with_statistic).models == 4
    again = query(with_statistic, "select xmin::text from marts.fct_things", "transformer")
    assert again == written
    assert [status for _, _, status, _ in builds(with_statistic)] == ["done"]


def test_a_retry_goes_on_behind_the_statistics_too(with_statistic: Warehouse) -> None:
    model(with_statistic, "fct_colours", READS_STATISTIC + " where 1 / 0 = 1")
    with pytest.raises(BuildError, match="model fct_colours"):
        build(with_statistic, AS_OF)
    model(with_statistic, "fct_colours", READS_STATISTIC)
    assert retry(with_statistic).models == 4
    assert query(with_statistic, "select count(*) from marts.fct_colours", "transformer") == [(1,)]


def test_a_retry_of_the_first_phase_runs_the_statistics_as_well(with_statistic: Warehouse) -> None:
    model(with_statistic, "fct_last", "select 1 / 0 as broken from {{ ref('fct_things') }}")
    with pytest.raises(BuildError, match="model fct_last"):
        build(with_statistic, AS_OF)
    model(with_statistic, "fct_last", "select 1 as mended from {{ ref('fct_things') }}")
    assert retry(with_statistic).models == 4
    assert query(with_statistic, "select count(*) from marts.fct_colours", "transformer") == [(1,)]


def test_a_statistic_cannot_write(
    with_statistic: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(inputs: Inputs) -> list[tuple[Any, ...]]:
        return inputs.rows("delete from marts.fct_things returning 1")

    monkeypatch.setattr(phases, "STATISTICS", (colours(greedy),))
    with pytest.raises(BuildError, match="read-only"):
        build(with_statistic, AS_OF)
