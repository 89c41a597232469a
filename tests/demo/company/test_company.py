"""The demo company's documents are honest, whole and linked."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise

import pytest
from company_world import all_versions, docs, whole_world

from demo.company.render_stripe import SHAPES as STRIPE
from demo.company.world import World


@pytest.fixture
def world() -> World:
    return whole_world()


def test_versions_follow_one_another_in_time_and_carry_it(world: World) -> None:
    for vendor, _, key, versions in all_versions(world):
        times = [version.at for version in versions]
        assert times == sorted(set(times)), key
        assert not any(version.deleted for version in versions[:-1])
        if vendor == "hubspot":
            for version in versions:
                assert datetime.fromisoformat(version.doc["updatedAt"]) == version.at
                assert version.doc["archived"] is version.deleted


def test_each_version_differs_from_the_one_before(world: World) -> None:
    idle = {"updatedAt", "archivedAt"}
    for vendor, stream, key, versions in all_versions(world):
        for before, after in pairwise(versions):
            bare = [
                {
                    name: {k: x for k, x in value.items() if "lastmodified" not in k}
                    if name == "properties" else value
                    for name, value in version.doc.items() if name not in idle
                }
                for version in (before, after)
            ]  # fmt: skip
            assert bare[0] != bare[1], (vendor, stream, key)


def test_hubspot_properties_are_text_or_null(world: World) -> None:
    for (vendor, stream), records in world.records.items():
        if vendor == "hubspot" and stream != "owners":
            assert records
            for versions in records.values():
                values = versions[-1].doc["properties"].values()
                assert all(value is None or isinstance(value, str) for value in values), stream


def test_associations_lead_to_records_that_exist(world: World) -> None:
    known = {stream: world.records["hubspot", stream] for stream in ("companies", "contacts")}
    checked = Counter[str]()
    for (vendor, stream), records in world.records.items():
        for versions in records.values() if vendor == "hubspot" else ():
            for other, block in versions[-1].doc.get("associations", {}).items():
                assert all(link["id"] in known[other] for link in block["results"])
                checked[stream] += 1
    assert set(checked) == {"contacts", "meetings", "tickets", "deals", "goals", "tasks"}


def test_records_are_archived_and_merged_at_times(world: World) -> None:
    gone = Counter(s for v, s, _, versions in all_versions(world) if versions[-1].deleted)
    assert min(gone[s] for s in ("contacts", "companies", "meetings", "tickets", "owners")) > 0
    assert gone["customers"] > 0
    merged = [
        (doc["id"], doc["properties"]["hs_merged_object_ids"])
        for doc in docs(world, "hubspot", "contacts").values()
        if doc["properties"]["hs_merged_object_ids"]
    ]
    assert merged
    assert all(world.records["hubspot", "contacts"][loser][-1].deleted for _, loser in merged)


def test_every_stripe_version_has_its_event(world: World) -> None:
    events = docs(world, "stripe", "events").values()
    told = Counter((e["data"]["object"]["id"], e["created"]) for e in events)
    for stream in STRIPE:
        for key, versions in world.records["stripe", stream].items():
            for version in versions:
                assert told[key, int(version.at.timestamp())] == 1
    types = {event["type"] for event in events}
    assert {
        "customer.created", "customer.deleted", "customer.subscription.created",
        "customer.subscription.updated", "customer.subscription.deleted", "invoice.created",
        "invoice.finalized", "invoice.paid", "invoice.voided", "invoice.payment_failed",
        "invoice.marked_uncollectible", "charge.succeeded", "charge.failed", "charge.refunded",
    } <= types  # fmt: skip


def test_some_answers_are_partial_first_and_some_for_ever(world: World) -> None:
    kinds = Counter(
        tuple(version.doc["response_type"] for version in versions)
        for versions in world.records["typeform", "responses"].values()
    )
    assert set(kinds) == {("completed",), ("partial",), ("partial", "completed")}


def test_scores_lie_on_their_scales(world: World) -> None:
    scales = {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8)}
    seen = defaultdict(set)
    for doc in docs(world, "typeform", "responses").values():
        seen[doc["form_id"]].add(doc["answers"][0]["number"])
    assert {form: set(scale) for form, scale in scales.items()} == dict(seen)
