"""MRR follows from the documents alone, and every corner of billing occurs."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from company_world import Doc, docs, whole_world

from demo.company.world import World


@pytest.fixture
def world() -> World:
    return whole_world()


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
