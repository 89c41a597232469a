"""Statistics between the two dbt phases of a build, and retries after a failure."""

from __future__ import annotations

from typing import Any

import pytest

from retention.builds import phases
from retention.builds.build import build, retry
from retention.errors import BuildError
from retention.statistics import Inputs, Statistic
from retention.warehouse import Warehouse
from tests.builds.small_project import AS_OF, builds, model
from tests.loading import load, query, thing, window

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
    """Extend the small project with a model that reads a statistic."""
    load(project, [thing("a", name="red")])
    model(project, "fct_colours", READS_STATISTIC)
    assert project.settings is not None
    (project.settings.root / "dbt_project" / "models" / "sources.yml").write_text(SOURCE)
    monkeypatch.setattr(phases, "STATISTICS", (colours(count_colours),))
    return project


def test_a_statistic_reads_marts_of_the_build_and_feeds_its_models(
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


def test_a_retry_resumes_at_the_failed_statistic(
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


def test_a_retry_resumes_after_the_statistics(with_statistic: Warehouse) -> None:
    model(with_statistic, "fct_colours", READS_STATISTIC + " where 1 / 0 = 1")
    with pytest.raises(BuildError, match="model fct_colours"):
        build(with_statistic, AS_OF)
    model(with_statistic, "fct_colours", READS_STATISTIC)
    assert retry(with_statistic).models == 4
    assert query(with_statistic, "select count(*) from marts.fct_colours", "transformer") == [(1,)]


def test_a_retry_of_the_first_phase_also_runs_the_statistics(with_statistic: Warehouse) -> None:
    model(with_statistic, "fct_last", "select 1 / 0 as broken from {{ ref('fct_things') }}")
    with pytest.raises(BuildError, match="model fct_last"):
        build(with_statistic, AS_OF)
    model(with_statistic, "fct_last", "select 1 as repaired from {{ ref('fct_things') }}")
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
