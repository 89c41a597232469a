"""Laws of the score: what must hold for any definition and any customer, asked of the real SQL.

The views are dbt's own; only what lies below them, the metrics of a day, is made up here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from retention.builds import dbt_runner
from retention.errors import UsageError
from retention.health import check as checks
from retention.settings import Settings
from retention.warehouse import Warehouse

AS_OF = date(2026, 6, 30)
# Pairs a day and a week apart; the second version holds from the last but one on.
DAYS = (date(2026, 6, 23), date(2026, 6, 28), date(2026, 6, 29), AS_OF)
SECOND = date(2026, 6, 29)
CUSTOMERS = 40
METRICS = ("m0", "m1", "m2", "m3", "m4")
SEEDS = ("definitions", "components", "caps", "overrides")
SEED_MODELS = (
    *(f"health_score_{name}" for name in SEEDS), "alert_rules", "health_bands", "policy",
)  # fmt: skip
VIEWS = (
    "definitions", "applicable_definitions", "component_scores", "caps", "scores", "score_pairs",
    "component_changes", "changes",
)  # fmt: skip
WRONG_SIDE = {"lower_is_better": "at_least", "higher_is_better": "at_most"}
BANDS = (("red", 0, 55), ("yellow", 55, 75), ("green", 75, 101))
SCORES = """
    select customer_id, as_of_date, score, raw_score, adjustment, coverage, score_low,
        score_high, band, version, components::text, (
            select sum((component ->> 'contribution')::numeric)
            from jsonb_array_elements(components) as component
        ) as contributions
    from staging.int_health_scores
"""
CHANGES = """
    select score - earlier_score, change, data_effect, definition_effect, missing_effect,
        override_effect, (
            select coalesce(sum((moved ->> 'effect')::numeric), 0)
            from jsonb_array_elements(component_effects) as moved
        )
    from staging.int_health_changes
"""
PAST = (
    "create table staging.int_customer_days_history as"
    " select * from staging.int_customer_days_to_score with no data",
    "create table staging.int_customer_metrics_history as"
    " select * from staging.int_customer_metrics with no data",
    "insert into staging.int_customer_days_history values"
    " ('leaves', 'SMB', '2026-01-31'), ('stays', 'SMB', '2026-01-31')",
    "insert into staging.int_customer_metrics_history values"
    " ('leaves', '2026-01-31', 'm0', 0.9, '2026-01-31'),"
    " ('leaves', '2026-01-31', 'm1', 0.1, '2026-01-31'),"
    " ('stays', '2026-01-31', 'm0', 0.1, '2026-01-31'),"
    " ('stays', '2026-01-31', 'm1', 0.9, '2026-01-31')",
    "create table staging.int_active_periods as select 'leaves' as customer_id,"
    " date '2025-01-01' as starts_date, date '2026-04-01' as churned_date",
)
pytestmark = pytest.mark.slow
law = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass
class World:
    """A definition of the score in two versions, its caps, and the seed of the customers' days."""

    ramps: dict[str, tuple[int, int]]
    weights: dict[str, Decimal]
    second: dict[str, Decimal]
    caps: list[tuple[str, int, int]]
    seed: int
    days: dict[tuple[str, date], dict[str, tuple[Decimal | None, date | None]]] = field(
        default_factory=dict
    )

    def direction(self, metric: str) -> str:
        worst, best = self.ramps[metric]
        return "higher_is_better" if best > worst else "lower_is_better"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    metrics = METRICS[: draw(st.integers(1, len(METRICS)))]
    ramp = st.tuples(st.integers(-20, 60), st.integers(-20, 60)).filter(lambda it: it[0] != it[1])
    shares = [draw(st.integers(1, 97)) for _ in metrics]
    step = Decimal("0.000001")
    weights = [(Decimal(share) / sum(shares)).quantize(step) for share in shares]
    weights[-1] = 1 - sum(weights[:-1], Decimal(0))
    named = draw(st.sampled_from(metrics))
    cap = st.tuples(st.sampled_from(metrics), st.integers(-20, 60), st.integers(0, 100))
    return World(
        ramps={metric: draw(ramp) for metric in metrics},
        weights=dict(zip(metrics, weights, strict=True)),
        second={named: Decimal(draw(st.integers(1, 90))) / 100} if len(metrics) > 1 else {},
        caps=draw(st.lists(cap, max_size=2, unique_by=lambda it: it[0])),
        seed=draw(st.integers(0, 1_000_000)),
    )


def populate(world: World) -> None:
    """Each customer three times: unchanged, with one metric hidden, with one improved."""
    chance = Random(world.seed)
    for number in range(CUSTOMERS):
        for day in DAYS:
            values: dict[str, tuple[Decimal | None, date | None]] = {}
            for metric in world.ramps:
                found = chance.random() < (1 if number % 4 == 0 else 0.8)
                value = Decimal(chance.randint(-300_000, 700_000)) / 10_000
                seen = day - timedelta(days=chance.choice((0, 0, 0, 1, 7, 8)) if number % 4 else 0)
                values[metric] = (value, seen) if found else (None, None)
            world.days[f"{number}", day] = values
            picked = chance.choice(tuple(world.ramps))
            world.days[f"{number} hidden", day] = {**values, picked: (None, None)}
            known, known_date = values[picked]
            if known is not None:
                step = Decimal(chance.randint(0, 200_000)) / 10_000
                up = world.direction(picked) == "higher_is_better"
                values = {**values, picked: (known + step if up else known - step, known_date)}
            world.days[f"{number} better", day] = values


@pytest.fixture(scope="module")
def score(module_warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    """Build the seeds and the views of the score above an empty table of metrics."""
    own = module_warehouse.settings or Settings.from_env()
    day = json.dumps({"as_of": str(AS_OF), "known_at": "2026-07-01T06:00:00Z", "build_id": 1})
    with dbt_runner.project(module_warehouse, own) as project:
        seeded = project.run(["seed", "--select", *SEED_MODELS, "--vars", day])
        assert not [node.message for node in seeded if node.failed]
        with module_warehouse.connect("transformer") as conn:
            for text in (
                "create table staging.int_customer_days_to_score"
                " (customer_id text, segment text, as_of_date date)",
                "create table staging.int_customer_metrics (customer_id text, as_of_date date,"
                " metric text, value numeric(18, 4), observed_date date)",
                "create table staging.int_metrics as"
                f" select unnest(array{list(METRICS)}) as metric",
                "create table staging.int_health_sources as"
                " select 'usage' as source, date '2020-01-01' as first_date",
                "create table staging.int_customer_health_history (customer_id text, segment text,"
                " as_of_date date, score numeric(5, 2), raw_score numeric(5, 2),"
                " adjustment numeric(5, 2), components jsonb)",
            ):
                conn.execute(sql.SQL(text))
        views = ["int_alert_rules", *(f"int_health_{name}" for name in VIEWS)]
        made = project.run(["run", "--select", *views, "--vars", day])
        assert not [node.message for node in made if node.failed]
        tables = {
            node.name: node.relation_name
            for node in project.manifest.nodes.values()
            if node.resource_type == "seed"
        }
    with module_warehouse.connect("transformer") as conn:
        conn.execute("create temporary table seeds (name text, relation text)")
        for name in SEEDS:
            row = (name, tables[f"health_score_{name}"])
            conn.execute("insert into seeds values (%s, %s)", row)
        conn.commit()
        yield conn


def load_world(conn: psycopg.Connection, world: World, *, second: bool = True) -> None:
    """Insert the world into the tables of an open transaction."""
    seeds: dict[str, str] = dict(conn.execute("select name, relation from seeds").fetchall())
    for relation in (seeds["components"], seeds["caps"], "policy.alert_rules"):
        conn.execute(sql.SQL(f"delete from {relation}"))
    components = [(1, date(2020, 1, 1), name, weight) for name, weight in world.weights.items()]
    if second:
        components += [(2, SECOND, name, weight) for name, weight in world.second.items()]
    add(
        conn,
        f"insert into {seeds['components']} (definition, version, valid_from, segment, component,"
        " source, metric, direction, worst, best, weight, max_age_days, owner, sentence)"
        " values ('full', %s, %s, 'all', %s, 'usage', %s, %s, %s, %s, %s, 7, 'us', 'at {value}')",
        [
            (version, day, name, name, world.direction(name), *world.ramps[name], weight)
            for version, day, name, weight in components
        ],
    )
    add(
        conn,
        "insert into policy.alert_rules (alert_rule, version, valid_from, kind, used_for, metric,"
        " comparison, threshold, days_running, max_age_days, owner, sentence) values"
        " (%s, 1, '2020-01-01', 'metric', 'caps', %s, %s, %s, 1, 7, 'us', 'held at {value}')",
        [
            (name, name, WRONG_SIDE[world.direction(name)], threshold)
            for name, threshold, _ in world.caps
        ],
    )
    add(
        conn,
        f"insert into {seeds['caps']} (definition, cap_rule, valid_from, alert_rule, cap, owner)"
        " values ('full', %s, '2020-01-01', %s, %s, 'us')",
        [(f"cap of {name}", name, cap) for name, _, cap in world.caps],
    )
    for name in ("days_to_score", "metrics"):
        conn.execute(sql.SQL(f"delete from staging.int_customer_{name}"))
    add(
        conn,
        "insert into staging.int_customer_days_to_score values (%s, 'SMB', %s)",
        list(world.days),
    )
    add(
        conn,
        "insert into staging.int_customer_metrics values (%s, %s, %s, %s, %s)",
        [
            (customer, day, metric, *found)
            for (customer, day), values in world.days.items()
            for metric, found in values.items()
            if found != (None, None)
        ],
    )
    # dbt analyzes a table after building it; without statistics the plans are nested loops.
    conn.execute("analyze staging.int_customer_days_to_score, staging.int_customer_metrics")


def add(conn: psycopg.Connection, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        with conn.cursor() as cursor:
            cursor.executemany(sql.SQL(text), rows)


def ask(conn: psycopg.Connection, text: str) -> list[Any]:
    from psycopg.rows import namedtuple_row

    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(sql.SQL(text)).fetchall()


@law
@given(world=worlds())
def test_the_score_adds_up_is_bounded_and_has_the_band_of_its_place(
    score: psycopg.Connection, world: World
) -> None:
    populate(world)
    with score.transaction(force_rollback=True):
        load_world(score, world)
        rows = ask(score, SCORES)
    assert len(rows) == CUSTOMERS * 3 * len(DAYS)
    assert {row.version for row in rows} == ({1, 2} if world.second else {1})
    for row in rows:
        assert row.contributions == row.score
        if row.score is not None:
            assert row.raw_score + row.adjustment == row.score
            assert 0 <= row.score_low <= row.score <= row.score_high <= 100
        if row.coverage == 1:
            assert [row.band] == [name for name, low, high in BANDS if low <= row.score < high]


@law
@given(world=worlds())
def test_hiding_a_metric_never_narrows_the_bounds_and_improving_one_never_lowers_the_score(
    score: psycopg.Connection, world: World
) -> None:
    populate(world)
    with score.transaction(force_rollback=True):
        load_world(score, world)
        rows = {(row.customer_id, row.as_of_date): row for row in ask(score, SCORES)}
    for (customer, day), row in rows.items():
        if " " in customer:
            continue
        hidden, better = rows[f"{customer} hidden", day], rows[f"{customer} better", day]
        assert hidden.score_low <= row.score_low <= better.score_low
        assert hidden.score_high >= row.score_high <= better.score_high
        assert row.score is None or row.score <= better.score


@law
@given(world=worlds())
def test_the_change_of_a_score_is_the_sum_of_its_effects(
    score: psycopg.Connection, world: World
) -> None:
    populate(world)
    with score.transaction(force_rollback=True):
        load_world(score, world)
        score.execute("delete from staging.int_customer_health_history")
        score.execute(
            "insert into staging.int_customer_health_history select customer_id, 'SMB', as_of_date,"
            " score, raw_score, adjustment, components from staging.int_health_scores"
        )
        rows = ask(score, CHANGES)
    # Three pairs of days, minus those of customers without a score on one of them.
    assert CUSTOMERS * 3 < len(rows) <= CUSTOMERS * 3 * 3
    for step, change, data, definition, missing, override, components in rows:
        assert step == change == data + definition + missing + override
        assert data == components
    if not world.second:
        assert {row.definition_effect for row in rows} == {0}
    if not world.caps:
        assert {row.override_effect for row in rows} == {0}


def test_a_score_check_lists_moved_customers_and_changes_nothing(
    score: psycopg.Connection, module_warehouse: Warehouse, tmp_path: Path
) -> None:
    """Of two halves 80 and 20 are 50, red; a line that weighs the first 0.75 makes 65 of them."""
    half = Decimal("0.5")
    world = World({"m0": (0, 1), "m1": (0, 1)}, {"m0": half, "m1": half}, {}, [], 0)
    for customer, first, second in (("moves", "0.8", "0.2"), ("stays", "0.1", "0.1")):
        world.days[customer, AS_OF] = {
            "m0": (Decimal(first), AS_OF),
            "m1": (Decimal(second), AS_OF),
        }
    load_world(score, world)
    score.commit()
    for name in checks.SEEDS:
        with (tmp_path / f"{name}.csv").open("wb") as file:
            copy = sql.SQL("copy {} to stdout csv header").format(sql.Identifier("policy", name))
            with score.cursor().copy(copy) as lines:
                file.writelines(lines)
    score.commit()
    for text in PAST:
        score.execute(sql.SQL(text))
    score.commit()
    same = checks.check(module_warehouse, tmp_path)
    assert same.before == same.after
    assert same.moved == []
    line = "full,2,2026-09-01,all,m0,usage,m0,higher_is_better,0,1,{},7,us,at,,\n"
    components = tmp_path / "health_score_components.csv"
    kept = components.read_text()
    components.write_text(kept + line.format("0.75"))
    found = checks.check(module_warehouse, tmp_path)
    assert found.moved == ["moves"]
    assert found.before.scores["moves"] == (Decimal("50.00"), "red")
    assert found.after.scores["moves"] == (Decimal("65.00"), "yellow")
    assert {key[2]: rest[0] for key, rest in found.after.components.items()} == {
        "m0": Decimal("0.75"),
        "m1": Decimal("0.25"),
    }
    # At the end of January both had 50; with the new weights the churned customer has 70.
    before, after = found.before.worth, found.after.worth
    assert before is not None
    assert after is not None
    values = [each.auc and each.auc.value for each in (before, after)]
    assert (before.customers, before.left, values) == (2, 1, [0.5, 0.0])
    components.write_text(kept + line.format("0.75").replace(",m0,high", ",m9,high"))
    with pytest.raises(UsageError, match="unknown metric m9"):
        checks.check(module_warehouse, tmp_path)
    components.write_text(kept)
    assert checks.check(module_warehouse, tmp_path) == same
    for name in ("int_customer_days_history", "int_customer_metrics_history", "int_active_periods"):
        score.execute(sql.SQL(f"drop table staging.{name}"))
    score.commit()


@law
@given(world=worlds())
def test_a_later_version_does_not_change_earlier_days(
    score: psycopg.Connection, world: World
) -> None:
    populate(world)
    found = []
    for second in (False, True):
        with score.transaction(force_rollback=True):
            load_world(score, world, second=second)
            found.append({row[:2]: row for row in ask(score, SCORES)})
    without, with_second = found
    for key, row in with_second.items():
        if key[1] < SECOND:
            assert row == without[key]
        elif world.second:
            assert (row.version, without[key].version) == (2, 1)
