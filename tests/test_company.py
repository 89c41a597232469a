"""The demo company: causal, complete, honest in its documents, and lifelike in its churn."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from demo.company.clock import add_months
from demo.company.render_stripe import SHAPES as STRIPE
from demo.company.world import START, Version, World, simulate

EVER = datetime(2100, 1, 1, tzinfo=UTC)
DAYS, CUSTOMERS = 790, 420
SHORT = 400

Doc = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(customers=CUSTOMERS, days=DAYS)


@pytest.fixture(scope="module")
def small() -> World:
    return simulate(customers=60, days=SHORT)


def docs(world: World, vendor: str, stream: str) -> dict[str, Doc]:
    return {key: v.doc for key, v in world.visible(vendor, stream, EVER).items()}


def all_versions(world: World) -> Iterator[tuple[str, str, str, list[Version]]]:
    for (vendor, stream), records in world.records.items():
        for key, versions in records.items():
            yield vendor, stream, key, versions


# --- MRR as it follows from the documents, by the rule written in demo/company/__init__.py ---


def monthly(invoice: Doc, line: Doc) -> Decimal:
    """The normalised monthly amount of one line, net of its discount."""
    full = Decimal(line["price"]["unit_amount"] * line["quantity"])
    off = Decimal(sum(part["amount"] for part in line["discount_amounts"]))
    if off and line["proration"]:
        off = full * Decimal(str(invoice["discount"]["coupon"]["percent_off"])) / 100
    recurring = line["price"]["recurring"]
    months = recurring["interval_count"] * {"month": 1, "year": 12}[recurring["interval"]]
    return (full - off) / months / (1 if line["currency"] == "jpy" else 100)


def groups_of_lines(world: World) -> dict[tuple[str, str], dict[int, list[tuple[Doc, Doc]]]]:
    """(subscription, item) -> start of period -> what was billed then; no void, no trial."""
    subscriptions = docs(world, "stripe", "subscriptions")
    groups: dict[tuple[str, str], dict[int, list[tuple[Doc, Doc]]]] = {}
    for invoice in docs(world, "stripe", "invoices").values():
        for line in invoice["lines"]["data"]:
            if invoice["status"] == "void" or line["subscription_item"] is None:
                continue
            trial_end = subscriptions[line["subscription"]]["trial_end"]
            if trial_end is None or line["period"]["start"] >= trial_end:
                key = (line["subscription"], line["subscription_item"])
                starts = groups.setdefault(key, defaultdict(list))
                starts[line["period"]["start"]].append((invoice, line))
    return groups


def derived_mrr(world: World, months: list[date]) -> dict[tuple[str, str, date], Decimal]:
    """Company, currency and month end -> MRR, from subscriptions and invoices alone."""
    subscriptions = docs(world, "stripe", "subscriptions")
    found: dict[tuple[str, str, date], Decimal] = defaultdict(Decimal)
    groups = groups_of_lines(world)
    for month in months:
        end = int(datetime(month.year, month.month, month.day, tzinfo=UTC).timestamp()) + 86_400
        for (subscription_id, _), starts in groups.items():
            subscription = subscriptions[subscription_id]
            if subscription["ended_at"] is not None and subscription["ended_at"] < end:
                continue
            newest = max((start for start in starts if start < end), default=None)
            for invoice, line in starts[newest] if newest is not None else ():
                credited = line["proration_details"]["credited_items"]
                if credited is None and line["period"]["end"] >= end:
                    company = subscription["metadata"]["crm_company_id"]
                    found[company, line["currency"], month] += monthly(invoice, line)
    return found


def test_mrr_from_the_documents_is_the_true_mrr_of_every_customer_and_month(world: World) -> None:
    months = sorted({month for truth in world.truth.values() for month, _ in truth.mrr})
    derived = derived_mrr(world, months)
    wrong = [
        (truth.company_id, month, amount, derived.get((truth.company_id, currency, month)))
        for truth in world.truth.values()
        for (month, currency), amount in truth.mrr.items()
        if derived.pop((truth.company_id, currency, month), Decimal(0)) != amount
    ]
    assert sum(len(truth.mrr) for truth in world.truth.values()) > 3_000
    assert wrong == []
    assert not any(derived.values()), "MRR in the documents that the truth does not know"


def test_credits_are_negative_and_all_other_lines_are_not(world: World) -> None:
    lines = [
        line
        for invoice in docs(world, "stripe", "invoices").values()
        for line in invoice["lines"]["data"]
    ]
    credits = [line for line in lines if line["proration_details"]["credited_items"]]
    assert len(credits) > 200
    assert all(line["amount"] < 0 and line["proration"] for line in credits)
    debits = [line for line in lines if line["proration"] and line not in credits]
    assert len(debits) > 200
    assert all(line["amount"] > 0 for line in debits)
    assert all(line["amount"] >= 0 for line in lines if not line["proration"])


def test_whole_period_lines_carry_price_times_quantity(world: World) -> None:
    for invoice in docs(world, "stripe", "invoices").values():
        for line in invoice["lines"]["data"]:
            trial = line["description"].startswith("Trial period")
            if not line["proration"]:
                expected = 0 if trial else line["price"]["unit_amount"] * line["quantity"]
                assert line["amount"] == expected, line


def test_an_invoice_adds_up(world: World) -> None:
    for invoice in docs(world, "stripe", "invoices").values():
        lines = invoice["lines"]["data"]
        off = sum(part["amount"] for line in lines for part in line["discount_amounts"])
        assert invoice["subtotal"] == sum(line["amount"] for line in lines)
        assert invoice["total"] == invoice["subtotal"] - off
        assert invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"]
        assert invoice["lines"]["total_count"] == len(lines)


def test_every_corner_of_billing_occurs(world: World) -> None:
    invoices = list(docs(world, "stripe", "invoices").values())
    subscriptions = [v for vs in world.records["stripe", "subscriptions"].values() for v in vs]
    lines = [line for invoice in invoices for line in invoice["lines"]["data"]]
    charges = docs(world, "stripe", "charges").values()
    discounts = [invoice["discount"] for invoice in invoices if invoice["discount"]]
    anchors = [datetime.fromtimestamp(v.doc["billing_cycle_anchor"], UTC) for v in subscriptions]
    intervals = [line["price"]["recurring"]["interval"] for line in lines if line["plan"]]
    coupons = Counter(discount["coupon"]["duration"] for discount in discounts)
    statuses = Counter(v.doc["status"] for v in subscriptions)
    happened = {
        "once": coupons["once"], "repeating": coupons["repeating"], "forever": coupons["forever"],
        "fixed sum": sum(bool(discount["coupon"]["amount_off"]) for discount in discounts),
        "trialing": statuses["trialing"], "past due": statuses["past_due"],
        "paused": sum(bool(v.doc["pause_collection"]) for v in subscriptions),
        "cancel later": sum(v.doc["cancel_at_period_end"] for v in subscriptions),
        "uncollectible": sum(i["status"] == "uncollectible" for i in invoices),
        "void": sum(i["status"] == "void" for i in invoices),
        "more than ten lines": sum(len(i["lines"]["data"]) > 10 for i in invoices),
        "credit balance used": sum(i["starting_balance"] < 0 < i["total"] for i in invoices),
        "negative total": sum(i["total"] < 0 for i in invoices),
        "one-off": sum(line["price"]["type"] == "one_time" for line in lines),
        "yearly": intervals.count("year"), "monthly": intervals.count("month"),
        "refunds": len(docs(world, "stripe", "refunds")),
        "failed charges": sum(charge["status"] == "failed" for charge in charges),
        "billed on the 31st": sum(anchor.day == 31 for anchor in anchors),
    }  # fmt: skip
    assert {name: count for name, count in happened.items() if not count} == {}
    assert {i["currency"] for i in invoices} == {"usd", "eur", "jpy"}


# --- causality ---


def test_more_days_change_nothing_that_was(small: World) -> None:
    longer = simulate(customers=60, days=SHORT + 45)
    end = datetime.combine(START + timedelta(days=SHORT), datetime.min.time(), tzinfo=UTC)
    assert same_until(longer, small, end) > 5_000
    early = longer.events.filter(pc.less(longer.events["received_at"], pa.scalar(end)))
    assert early.equals(small.events)
    for key, truth in small.truth.items():
        later = longer.truth[key]
        assert truth.mrr.items() <= later.mrr.items()
        assert truth.satisfaction.items() <= later.satisfaction.items()
        assert truth.churns == [c for c in later.churns if c.ended_on < end.date()]
        assert truth.nps == [answer for answer in later.nps if answer.answered_at < end]


def test_more_customers_change_nothing_of_the_earlier_ones(small: World) -> None:
    fewer = simulate(customers=41, days=SHORT)
    for vendor, stream, key, versions in all_versions(fewer):
        assert small.records[vendor, stream][key] == versions
    companies = pa.array(list(fewer.truth))
    kept = small.events.filter(pc.is_in(small.events["company_id"], companies))
    assert kept.equals(fewer.events)
    assert {key: small.truth[key] for key in fewer.truth} == fewer.truth


def same_until(longer: World, shorter: World, end: datetime) -> int:
    """Compare every version before ``end``; how many records were compared."""
    compared = 0
    for vendor, stream, key, versions in all_versions(longer):
        early = [version for version in versions if version.at < end]
        assert early == shorter.records[vendor, stream].get(key, []), (vendor, stream, key)
        compared += bool(early)
    return compared


def test_the_same_seed_gives_the_same_world_and_another_does_not() -> None:
    one, two, other = (simulate(seed=seed, customers=12, days=90) for seed in (7, 7, 8))
    assert one.records == two.records
    assert one.events.equals(two.events)
    assert one.records != other.records


def test_no_document_knows_of_anything_after_its_own_version(small: World) -> None:
    """Stamps of the past only, but for what is planned: periods, due dates, appointments."""
    planned = {
        "cancel_at", "current_period_end", "end", "period_end", "due_date", "next_payment_attempt",
        "trial_end", "billing_cycle_anchor", "resumes_at", "closedate", "due_on", "hs_timestamp",
        "hs_meeting_start_time", "hs_meeting_end_time",
    }  # fmt: skip
    for vendor, stream, _, versions in all_versions(small):
        for version in versions:
            for name, moment in moments(version.doc):
                if name not in planned and not (vendor == "stripe" and stream == "events"):
                    assert moment <= version.at, (vendor, stream, name, version)


def moments(doc: Any, name: str = "") -> Iterator[tuple[str, datetime]]:
    """All times found in a document, with the name of their field."""
    if isinstance(doc, dict):
        for key, value in doc.items():
            yield from moments(value, key)
    elif isinstance(doc, list):
        for value in doc:
            yield from moments(value, name)
    elif isinstance(doc, int) and 1_500_000_000 < doc < 2_500_000_000 and "amount" not in name:
        yield name, datetime.fromtimestamp(doc, UTC)
    elif isinstance(doc, str) and len(doc) >= 19 and doc[4:5] == "-" and doc[10:11] == "T":
        yield name, datetime.fromisoformat(doc)


# --- documents ---


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


# --- usage ---


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


# --- lifelike ---


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


def test_a_saved_world_is_the_same_world(small: World, tmp_path: Path) -> None:
    small.save(tmp_path / "world.pickle")
    again = World.load(tmp_path / "world.pickle")
    assert again.records == small.records
    assert again.events.equals(small.events)
    assert again.truth == small.truth
    assert [path.name for path in tmp_path.iterdir()] == ["world.pickle"]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    import pickle

    (tmp_path / "other").write_bytes(pickle.dumps({"not": "a world"}))
    with pytest.raises(TypeError, match="does not hold a World"):
        World.load(tmp_path / "other")


def test_months_are_counted_from_the_anchor() -> None:
    anchor = int(datetime(2024, 1, 31, 10, 5, tzinfo=UTC).timestamp())
    days = [datetime.fromtimestamp(add_months(anchor, n), UTC) for n in (0, 1, 2, 12, 13)]
    assert [d.strftime("%m-%d %H:%M") for d in days] == [
        "01-31 10:05", "02-29 10:05", "03-31 10:05", "01-31 10:05", "02-28 10:05",
    ]  # fmt: skip
