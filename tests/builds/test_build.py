"""Builds with dbt on a real Postgres: results per model, locking, retries and secrets."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retention.builds import build as building
from retention.builds import dbt_runner
from retention.builds.build import build, manifest_path, retry
from retention.errors import AlreadyRunning, BuildError, UsageError
from retention.warehouse import Warehouse
from retention.warehouse.keyring import PSEUDONYM_KEY, secret
from tests.builds.small_project import AS_OF, builds, model
from tests.loading import load, query, thing, window
from tests.places import ROOT


def things(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(
        wh, "select thing_name, as_of_date from marts.fct_things order by 1", "transformer"
    )


def test_a_build_records_the_result_of_every_model(project: Warehouse) -> None:
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


def test_known_at_hides_records_loaded_later(project: Warehouse) -> None:
    load(project, [thing("a", name="red")], window(0))
    first = build(project, AS_OF)
    load(project, [thing("b", 1, name="blue")], window(1))
    build(project, AS_OF, first.known_at)
    assert things(project) == [("red", AS_OF)]
    build(project, AS_OF)
    assert things(project) == [("blue", AS_OF), ("red", AS_OF)]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of the files that dbt parses."""
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


def test_another_company_reuses_the_parsed_project(
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


def test_a_failing_model_is_reported_with_message_and_file(project: Warehouse) -> None:
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


def test_a_failing_test_fails_the_build(project: Warehouse) -> None:
    load(project, [thing("a", name=None)])
    with pytest.raises(BuildError, match="test not_null_fct_things_thing_name"):
        build(project, AS_OF)


def test_folded_tests_are_reported_one_by_one(project: Warehouse) -> None:
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


def test_a_retry_resumes_at_the_failed_model(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    model(project, "fct_last", "select 1 / 0 as broken from {{ ref('fct_things') }}")
    with pytest.raises(BuildError):
        build(project, AS_OF)
    written = query(project, "select xmin::text from marts.stg_things", "transformer")
    model(project, "fct_last", "select 1 as repaired from {{ ref('fct_things') }}")
    result = retry(project)
    assert query(project, "select xmin::text from marts.stg_things", "transformer") == written
    assert [(b[0], b[2], b[3]) for b in builds(project)] == [(result.build_id, "done", None)]
    assert result.models == 3
    assert result.as_of == AS_OF


def test_there_is_nothing_to_retry_after_a_success(project: Warehouse) -> None:
    load(project, [thing("a", name="red")])
    build(project, AS_OF)
    with pytest.raises(UsageError, match="nothing to retry"):
        retry(project)


def test_a_second_concurrent_build_is_refused_and_changes_nothing(
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


def test_the_next_build_marks_the_build_of_a_killed_process_as_failed(project: Warehouse) -> None:
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
def test_an_as_of_that_is_not_a_date_is_rejected(project: Warehouse, as_of: Any) -> None:
    with pytest.raises(UsageError):
        build(project, as_of)
    assert builds(project) == []


def test_secrets_are_not_in_artifacts_messages_or_the_environment(
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
    artifacts = [p for p in dbt_runner.target_path(project.settings).rglob("*") if p.is_file()]
    assert artifacts
    texts += [path.read_bytes().decode("utf-8", "replace") for path in artifacts]
    for text in texts:
        assert not any(word in text for word in hidden)
    assert "ada@example.com" not in str(raised.value)
    assert dict(os.environ) == before
    assert (out.out, out.err) == ("", "")


def test_each_company_has_its_own_artifacts(project: Warehouse) -> None:
    assert project.settings is not None
    other = replace(project.settings, company="other")
    assert manifest_path(project.settings) != manifest_path(other)
