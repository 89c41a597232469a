"""Laws of the MRR history, on hundreds of generated billing histories through the real SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from retention import migration
from retention.builds import manifest_cache
from retention.sources import SOURCES
from retention.warehouse import Warehouse
from tests.dbt_project.marts_company import crm, land
from tests.dbt_project.mrr_histories import (
    HISTORIES,
    billed,
    bills,
    build,
    contract,
    epoch,
    generated,
    payer,
)
from tests.loading import query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def movements(wh: Warehouse, kind: str) -> list[tuple[Any, ...]]:
    """Return the movements of one kind of payer in own currency, keyed by history."""
    return query(
        wh,
        "select split_part(customer_id, '_', 3)::int, month, movement, opening_amount,"
        " movement_amount, price_amount, volume_amount, closing_amount"
        " from marts.fct_mrr_movements_monthly"
        f" where customer_id like 'stripe:cus_{kind}_%%' and movement != 'fx' order by 1, 2, 3",
        "transformer",
    )


@pytest.fixture(scope="module")
def built(module_warehouse: Warehouse) -> Warehouse:
    """Build every history four times: unchanged, reordered, in shorter periods, in euros."""
    wh = module_warehouse
    migration.migrate(wh, SOURCES)
    docs = []
    for number, history in enumerate(generated()):
        docs += bills(f"cus_plain_{number}", history)
        docs += bills(f"cus_split_{number}", history, split=True)
        docs += bills(f"cus_euro_{number}", history, "eur")
    shuffled = [
        doc
        for number, history in enumerate(generated())
        for doc in bills(f"cus_order_{number}", history)
    ]
    owned = [bills(f"cus_owned_{number}", generated()[number]) for number in range(4)]
    land(wh, "stripe", "invoices", *docs, *reversed(shuffled), *chain.from_iterable(owned))
    land(wh, "hubspot", "companies", *(crm(f"{number}", name="Owned") for number in range(4)))
    land(wh, "stripe", "customers", *(payer(f"cus_owned_{n}", n) for n in range(4)))
    land(wh, "files", "subscriptions", *(contract(n, f"A{n}", "2026-01-10") for n in range(6)))
    assert not build(wh)
    return wh


def test_there_are_five_hundred_histories_and_most_of_them_move(built: Warehouse) -> None:
    moved = {row[0] for row in movements(built, "plain")}
    assert HISTORIES * 0.7 < len(moved) <= HISTORIES
    assert {row[2] for row in movements(built, "plain")} == {
        "new", "expansion", "contraction", "churn", "reactivation",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["order", "split", "euro"])
def test_order_periods_and_currency_labels_change_nothing(built: Warehouse, kind: str) -> None:
    assert movements(built, kind) == movements(built, "plain")


def test_opening_plus_movements_equals_closing_per_customer_and_in_total(built: Warehouse) -> None:
    wrong = query(
        built,
        "select customer_id, currency, month from marts.fct_mrr_movements_monthly group by 1, 2, 3"
        " having max(opening_amount) + sum(movement_amount) != max(closing_amount)"
        " or max(opening_reporting_amount) + sum(movement_reporting_amount)"
        " != max(closing_reporting_amount)",
        "transformer",
    )
    assert wrong == []
    totals = query(
        built,
        "select moved.month, moved.amount from"
        " (select month, sum(movement_reporting_amount) as amount"
        " from marts.fct_mrr_movements_monthly group by month) as moved"
        " left join (select date_trunc('month', as_of_date)::date as month,"
        " sum(mrr_reporting_amount) as mrr from marts.fct_mrr_daily"
        " where extract(day from as_of_date + 1) = 1 group by 1) as closing using (month)"
        " left join (select (date_trunc('month', as_of_date) + interval '1 month')::date as month,"
        " sum(mrr_reporting_amount) as mrr from marts.fct_mrr_daily"
        " where extract(day from as_of_date + 1) = 1 group by 1) as opening using (month)"
        " where moved.amount != coalesce(closing.mrr, 0) - coalesce(opening.mrr, 0)",
        "transformer",
    )
    assert totals == []


def test_customers_roll_forward_and_every_bridge_closes(built: Warehouse) -> None:
    counts = query(
        built,
        "select * from marts.fct_churn_by_policy_monthly where opening_customers + new_customers"
        " + reactivated_customers + resumed_customers - churned_customers != closing_customers",
        "transformer",
    )
    bridges = query(
        built,
        "select 1 from marts.fct_mrr_policy_bridge_monthly"
        " group by policy, month, customer_id, currency"
        " having max(default_amount) + sum(cause_amount) != max(policy_amount)"
        " or max(default_reporting_amount) + sum(cause_reporting_amount)"
        " != max(policy_reporting_amount)",
        "transformer",
    )
    assert (counts, bridges) == ([], [])


def test_another_customer_or_time_zone_changes_no_other_customer(built: Warehouse) -> None:
    before = {kind: movements(built, kind) for kind in ("plain", "order", "split", "euro")}
    land(built, "stripe", "invoices", *bills("cus_more_1", [[(0, 31, 700, 3), (8, 90, 1400, 2)]]))
    ((database,),) = query(built, "select current_database()", "transformer")
    with built.connect(None) as conn:
        conn.execute(
            f"alter role current_user in database \"{database}\" set timezone = 'Pacific/Auckland'"
        )
    assert build(built)
    assert movements(built, "more")
    assert {kind: movements(built, kind) for kind in before} == before


HISTORY = (
    "staging.int_stripe_invoices",
    "staging.int_stripe_invoice_lines",
    "staging.int_subscription_lines",
    "staging.int_subscription_terms",
    "staging.int_mrr_terms",
    "staging.int_mrr_balances",
    "staging.int_mrr_volume_steps",
    "staging.int_mrr_by_month",
    "staging.int_mrr_by_policy",
    "staging.int_mrr_spans",
    "marts.fct_mrr_spans",
    "marts.fct_mrr_movements_monthly",
    "marts.fct_mrr_by_policy_monthly",
    "marts.fct_mrr_policy_bridge_monthly",
    "marts.fct_churn_by_policy_monthly",
)


def contents(wh: Warehouse) -> dict[str, Any]:
    """Return row count and fingerprint of each table of the MRR history."""
    digest = "md5(string_agg(t::text, '|' order by t::text))"
    return {
        name: query(wh, f"select count(*), {digest} from {name} t", "transformer")[0]
        for name in HISTORY
    }


def events(wh: Warehouse) -> None:
    """Land all kinds of changes to customers of an earlier build."""
    histories = generated()
    late, dearer, gone, paused, unpaid = (
        bills(f"cus_plain_{number}", histories[number])[0] for number in range(1, 6)
    )
    both = bills("cus_plain_8", histories[8])[0]
    both["lines"]["data"][0]["period"]["start"] += 5 * 86400
    dearer["lines"]["data"][0]["price"]["unit_amount"] += 700
    land(
        wh, "stripe", "invoices",
        *bills("cus_new", histories[7]),
        {**late, "id": "in_late", "lines": {"data": [
            {**late["lines"]["data"][0], "id": "il_late", "subscription_item": "si_late"}]}},
        dearer,
        {**gone, "archived": True},
        {**paused, "status": "void"},
        {**unpaid, "status": "open", "due_date": unpaid["created"], "status_transitions": {}},
        # Unusual but valid: an invoice that changes its payer, one item of two payers.
        {**bills("cus_plain_6", histories[6])[0], "customer": "cus_plain_7"},
        {**both, "id": "in_both", "customer": "cus_plain_9", "subscription": "sub_cus_plain_9"},
    )  # fmt: skip
    left = {"id": "sub_cus_plain_10", "customer": "cus_plain_10", "start_date": 1750000000}
    asked = {"canceled_at": 1755000000, "ended_at": 1760000000, "status": "canceled"}
    land(wh, "stripe", "subscriptions", {**left, **asked})
    # Two accounts become one, a payer finds its account, and an account changes its payer.
    land(wh, "hubspot", "companies", crm("0", name="Owned", hs_merged_object_ids="1"))
    land(wh, "hubspot", "companies", {**crm("1", name="Owned"), "archived": True})
    land(wh, "stripe", "customers", payer("cus_plain_11", 2), payer("cus_owned_3", 2))
    land(
        wh, "files", "subscriptions",
        contract(0, "A0", "2026-01-10", ends_on="2026-05-10"),
        contract(1, "A2", "2026-01-10"),
        contract(7, "A2", "2026-03-01", contract_id="S3"),
    )  # fmt: skip


def test_four_increments_equal_a_full_build_row_by_row(built: Warehouse) -> None:
    before = contents(built)
    # An invoice before the first month: the monthly tables must start earlier.
    first = bills("cus_first", [[(0, 400, 700, 3)]])[0]
    first["lines"]["data"][0]["period"]["start"] = epoch(date(2024, 2, 29))
    land(built, "stripe", "invoices", first)
    assert build(built, "2026-07-01")
    events(built)
    assert build(built, "2026-07-15")
    # A month ends without new records.
    assert build(built, "2026-08-02")
    incremental = contents(built)
    assert {name for name in HISTORY if incremental[name] == before[name]} == set()
    assert not build(built, "2026-08-02", "--full-refresh")
    assert contents(built) == incremental


def rebuilt(wh: Warehouse) -> set[str]:
    """Return the customers that the last build rebuilt."""
    return {
        name
        for (name,) in query(wh, "select * from staging.int_customers_to_rebuild", "transformer")
    }


def untouched(wh: Warehouse, customers: Iterable[str]) -> dict[str, Any]:
    """Return the physical rows of all other customers, per incremental table."""
    listed = ", ".join(f"'{customer}'" for customer in customers)
    place = "md5(string_agg(ctid::text, '|' order by ctid))"
    return {
        name: query(
            wh, f"select count(*), {place} from {name} where customer_id not in ({listed})",
            "transformer",
        )[0]
        for name in BY_CUSTOMER
    }  # fmt: skip


BY_CUSTOMER = (
    "staging.int_subscription_lines",
    "staging.int_subscription_terms",
    "staging.int_mrr_terms",
    "staging.int_mrr_balances",
    "staging.int_mrr_volume_steps",
    "staging.int_mrr_by_month",
    "staging.int_mrr_by_policy",
    "staging.int_mrr_movements_by_month",
    "staging.int_mrr_policy_bridge_by_month",
)


def test_new_records_change_only_the_rows_of_their_customers(built: Warehouse) -> None:
    unpaid = {"status": "open", "status_transitions": {}}
    paid = {"paid_at": epoch(date(2026, 9, 1))}
    customers = range(20, 60)
    names = {f"stripe:cus_plain_{n}" for n in customers}
    assert build(built, "2026-08-19")
    # Without news only customers that share a subscription are rebuilt.
    shared = rebuilt(built)
    assert shared == {"files:A2", "files:A3", "stripe:cus_plain_8", "stripe:cus_plain_9"}
    others = untouched(built, names | shared)
    land(built, "stripe", "invoices", *(
        billed(n, date(2026, 8, 1 + n % 19), 30, n % 5 + 1, **(unpaid if n % 4 == 0 else {}))
        for n in customers
    ))  # fmt: skip
    assert build(built, "2026-08-20")
    assert rebuilt(built) == names | shared
    assert untouched(built, names | shared) == others
    # August closes. Some customers expand in mid-period, one invoice is deleted, one paid late, one
    # arrives six months late, and one customer only changes its name.
    land(built, "stripe", "invoices",
        *(billed(n, date(2026, 8, 25), 20, 9) for n in customers if n % 3 == 0),
        billed(20, date(2026, 8, 2), 30, 1, status="void"),
        billed(24, date(2026, 8, 6), 30, 5, status_transitions=paid),
        billed(25, date(2026, 1, 3), 30, 4),
        billed(26, date(2026, 8, 8), 30, 2, memo="another"),
    )  # fmt: skip
    assert build(built, "2026-09-03")
    changed = {n for n in customers if n % 3 == 0} | {20, 24, 25, 26}
    assert rebuilt(built) == {f"stripe:cus_plain_{n}" for n in changed} | shared
    # Without new records, overdue customers pass the limit of one policy after another.
    assert build(built, "2026-09-04")
    assert rebuilt(built) == shared
    land(built, "stripe", "invoices", *(billed(n, date(2026, 9, 20), 365, 2) for n in (30, 31)))
    assert build(built, "2026-10-02")
    incremental = contents(built)
    assert not build(built, "2026-10-02", "--full-refresh")
    assert contents(built) == incremental


def test_an_earlier_day_other_rules_or_a_failed_build_cause_a_full_refresh(
    built: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = ["int_rebuild_plan"]
    keep = "create table staging.kept as select * from staging.int_rebuild_state"
    put_back = "insert into staging.int_rebuild_state select * from staging.kept"
    with built.connect("transformer") as conn:
        conn.execute(keep)
    # The plan removes the state until all tables are complete.
    assert build(built, "2026-10-03", models=plan)
    assert not build(built, "2026-10-03", models=plan)
    with built.connect("transformer") as conn:
        conn.execute(put_back)
    assert not build(built, "2026-10-01", models=plan)
    with built.connect("transformer") as conn:
        conn.execute(put_back)
    monkeypatch.setattr(
        manifest_cache, "fingerprint", lambda project, folders=(): f"another{folders}"
    )
    assert not build(built, "2026-10-03", models=plan)


def test_another_seed_or_model_is_another_project(tmp_path: Path) -> None:
    for folder, name in (("seeds", "policy.csv"), ("models", "model.sql")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("a")
    before = manifest_cache.fingerprint(tmp_path)
    assert before == manifest_cache.fingerprint(tmp_path)
    (tmp_path / "seeds" / "policy.csv").write_text("b")
    changed = manifest_cache.fingerprint(tmp_path)
    (tmp_path / "models" / "model.sql").write_text("b")
    assert len({before, changed, manifest_cache.fingerprint(tmp_path)}) == 3
