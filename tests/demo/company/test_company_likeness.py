"""The demo company behaves as B2B customers do."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from company_world import all_versions, docs, whole_world

from demo.company.world import START, World


@pytest.fixture
def world() -> World:
    return whole_world()


def test_usage_has_late_and_repeated_events_and_no_strangers(world: World) -> None:
    events = world.events
    assert 600_000 <= events.num_rows <= 1_000_000
    late = pc.subtract(events["received_at"], events["timestamp"]).cast(pa.int64())
    share = pc.mean(pc.greater(late, 150_000)).as_py()
    assert 0.003 < share < 0.008
    assert pc.max(late).as_py() < (3 + 2) * 86_400_000
    distinct = pc.count_distinct(events["uuid"]).as_py()
    assert 100 < events.num_rows - distinct < 3_000
    people = set(pc.unique(events["distinct_id"]).to_pylist())
    assert people <= set(world.records["hubspot", "contacts"])


def test_nobody_uses_the_product_outside_a_subscription(world: World) -> None:
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for doc in docs(world, "stripe", "subscriptions").values():
        end = doc["ended_at"] or 2_000_000_000
        spans[doc["metadata"]["crm_company_id"]].append((doc["start_date"], end))
    table = world.events.group_by("company_id").aggregate(
        [("timestamp", "min"), ("timestamp", "max")]
    )
    for row in table.to_pylist():
        mine = spans[row["company_id"]]
        assert row["timestamp_min"].timestamp() > min(a for a, _ in mine) - 86_400
        assert row["timestamp_max"].timestamp() < max(b for _, b in mine) + 86_400


def test_churn_is_that_of_a_b2b_company(world: World) -> None:
    paying, churned = Counter[str](), Counter[str]()
    for truth in world.truth.values():
        months = [m for (m, _), amount in truth.mrr.items() if amount and m >= START]
        paying[truth.segment] += len(months)
        churned[truth.segment] += sum(churn.ended_on >= START for churn in truth.churns)
    rates = {segment: churned[segment] / paying[segment] for segment in paying}
    assert 0.018 < rates["SMB"] < 0.032, rates
    assert 0.007 < rates["Mid-Market"] < 0.018, rates
    assert 0.002 < rates["Enterprise"] < 0.011, rates


def test_all_kinds_of_leaving_and_staying_occur(world: World) -> None:
    kinds = Counter(churn.kind for truth in world.truth.values() for churn in truth.churns)
    assert set(kinds) == {"voluntary", "involuntary", "silent"}
    assert min(kinds.values()) >= 10
    assert sum(len(truth.reactivated_on) for truth in world.truth.values()) >= 5
    unhappy_and_here = [
        truth
        for truth in world.truth.values()
        if truth.churned_on is None
        and truth.first_paid_on
        and min(truth.satisfaction.values(), default=10) < 4.5
    ]
    assert len(unhappy_and_here) >= 10
    assert sum(truth.left_without_warning for truth in world.truth.values()) >= 5


def test_satisfaction_shows_before_a_voluntary_end_but_not_before_a_silent_one(
    world: World,
) -> None:
    before: dict[str, list[float]] = defaultdict(list)
    usual: list[float] = []
    for truth in world.truth.values():
        usual += truth.satisfaction.values()
        for churn in truth.churns:
            months = [m for m in truth.satisfaction if m < churn.ended_on]
            if months:
                before[churn.kind].append(truth.satisfaction[max(months)])
    mean = {kind: sum(values) / len(values) for kind, values in before.items()}
    overall = sum(usual) / len(usual)
    assert mean["voluntary"] < overall - 0.8, mean
    assert abs(mean["silent"] - overall) < 0.8, mean


def test_usage_and_answers_follow_satisfaction(world: World) -> None:
    by_company = world.events.group_by("company_id").aggregate([("uuid", "count")])
    events = dict(
        zip(*(by_company[c].to_pylist() for c in ("company_id", "uuid_count")), strict=True)
    )
    happy, unhappy = [], []
    scores: dict[bool, list[int]] = {True: [], False: []}
    for truth in world.truth.values():
        months = [value for month, value in truth.satisfaction.items() if month >= START]
        if truth.segment != "Mid-Market" or len(months) < 12 or truth.churned_on:
            continue
        mean = sum(months) / len(months)
        (happy if mean > 7.2 else unhappy).append(events.get(truth.company_id, 0) / len(months))
        scores[mean > 7.2] += [answer.score for answer in truth.nps]
    assert len(happy) > 10
    assert len(unhappy) > 10
    assert sum(happy) / len(happy) > 1.15 * sum(unhappy) / len(unhappy)
    assert sum(scores[True]) / len(scores[True]) > 1 + sum(scores[False]) / len(scores[False])


def test_reviews_are_held_with_and_without_a_document(world: World) -> None:
    reviews = [
        doc["properties"]
        for doc in docs(world, "hubspot", "meetings").values()
        if doc["properties"]["hs_activity_type"] == "Quarterly business review"
    ]
    outcomes = Counter(review["hs_meeting_outcome"] for review in reviews)
    assert {"COMPLETED", "CANCELED", "NO_SHOW", "RESCHEDULED", "SCHEDULED"} <= set(outcomes)
    held = [r for r in reviews if r["hs_meeting_outcome"] == "COMPLETED"]
    documented = sum(bool(review["document_url"]) for review in held) / len(held)
    assert 0.6 < documented < 0.97


def test_at_least_four_hundred_customers_within_two_years(world: World) -> None:
    end = datetime(2026, 7, 1, tzinfo=UTC)
    assert len(world.visible("stripe", "customers", end)) >= 400
    segments = Counter(truth.segment for truth in world.truth.values())
    assert set(segments) == {"SMB", "Mid-Market", "Enterprise"}
    assert len({truth.industry for truth in world.truth.values()}) == 4


def test_each_further_day_brings_new_and_changed_records(world: World) -> None:
    for offset in (730, 731, 732):
        day = START + timedelta(days=offset)
        start = datetime.combine(day, datetime.min.time(), tzinfo=UTC)
        fresh = Counter(
            (vendor, stream)
            for vendor, stream, _, versions in all_versions(world)
            if any(start <= version.at < start + timedelta(days=1) for version in versions)
        )
        assert {("hubspot", "tickets"), ("stripe", "invoices"), ("typeform", "responses")} <= set(
            fresh
        )
