"""Laws of the MRR ledger, on hundreds of generated billing histories through the real SQL."""

from __future__ import annotations

from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from retention import schemas
from retention.builds import parsed
from retention.sources import SOURCES
from retention.warehouse import Warehouse
from tests.loading import query
from tests.models.ledger_histories import (
    HISTORIES,
    billed,
    bills,
    build,
    contract,
    epoch,
    generated,
    payer,
)
from tests.models.marts_company import crm, land

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def ledger(wh: Warehouse, kind: str) -> list[tuple[Any, ...]]:
    """The movements of one kind of payer, in their own currency, named by history alone."""
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
    """Every history four times: as it is, in another order, in shorter periods, in euros."""
    wh = module_warehouse
    schemas.migrate(wh, SOURCES)
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
    moved = {row[0] for row in ledger(built, "plain")}
    assert HISTORIES * 0.7 < len(moved) <= HISTORIES
    assert {row[2] for row in ledger(built, "plain")} == {
        "new", "expansion", "contraction", "churn", "reactivation",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["order", "split", "euro"])
def test_order_periods_and_currency_labels_change_nothing(built: Warehouse, kind: str) -> None:
    assert ledger(built, kind) == ledger(built, "plain")


def test_opening_and_movements_are_the_closing_for_everyone_and_in_total(built: Warehouse) -> None:
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


def test_another_customer_and_another_time_zone_change_nobody(built: Warehouse) -> None:
    before = {kind: ledger(built, kind) for kind in ("plain", "order", "split", "euro")}
    land(built, "stripe", "invoices", *bills("cus_more_1", [[(0, 31, 700, 3), (8, 90, 1400, 2)]]))
    ((database,),) = query(built, "select current_database()", "transformer")
    with built.connect(None) as conn:
        conn.execute(
            f"alter role current_user in database \"{database}\" set timezone = 'Pacific/Auckland'"
        )
    assert build(built)
    assert ledger(built, "more")
    assert {kind: ledger(built, kind) for kind in before} == before


LEDGER = (
    "staging.int_stripe_bills",
    "staging.int_stripe_invoice_lines",
    "staging.int_subscription_lines",
    "staging.int_subscription_terms",
    "staging.int_mrr_terms",
    "staging.int_mrr_balances",
    "staging.int_mrr_volume_steps",
    "staging.int_mrr_by_month",
    "staging.int_mrr_by_policy",
    "marts.fct_mrr_daily",
    "marts.fct_mrr_movements_monthly",
    "marts.fct_mrr_by_policy_monthly",
    "marts.fct_mrr_policy_bridge_monthly",
    "marts.fct_churn_by_policy_monthly",
)


def contents(wh: Warehouse) -> dict[str, Any]:
    """Rows and a fingerprint of them, per table of the ledger."""
    digest = "md5(string_agg(t::text, '|' order by t::text))"
    return {
        name: query(wh, f"select count(*), {digest} from {name} t", "transformer")[0]
        for name in LEDGER
    }


def events(wh: Warehouse) -> None:
    """What can happen to customers who were built already."""
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
        # Odd, and no reason to be wrong: a bill that changes its payer, one item of two payers.
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


def test_a_ledger_carried_on_is_the_one_made_anew_row_by_row(built: Warehouse) -> None:
    before = contents(built)
    # A bill from before all months that there are: the tables of months begin earlier.
    first = bills("cus_first", [[(0, 400, 700, 3)]])[0]
    first["lines"]["data"][0]["period"]["start"] = epoch(date(2024, 2, 29))
    land(built, "stripe", "invoices", first)
    assert build(built, "2026-07-01")
    events(built)
    assert build(built, "2026-07-15")
    # A month ends and nothing is new.
    assert build(built, "2026-08-02")
    carried_on = contents(built)
    assert {name for name in LEDGER if carried_on[name] == before[name]} == set()
    assert not build(built, "2026-08-02", "--full-refresh")
    assert contents(built) == carried_on


def kinds_of_change(wh: Warehouse) -> list[tuple[int, ...]]:
    """How many customers changed since a recent month, how many before, and how many not at all."""
    return query(
        wh,
        "select count(*) filter (where since_date >= recent_month),"
        " count(*) filter (where since_date < recent_month),"
        " count(*) filter (where since_date is null)"
        " from staging.int_ledger_customers"
        " left join staging.int_ledger_changes using (customer_id)"
        " cross join staging.int_ledger_plan",
        "transformer",
    )


def test_news_of_a_day_changes_the_days_it_is_about_and_those_alone(built: Warehouse) -> None:
    unpaid = {"status": "open", "status_transitions": {}}
    paid = {"paid_at": epoch(date(2026, 9, 1))}
    customers = range(20, 60)
    land(built, "stripe", "invoices", *(
        billed(n, date(2026, 8, 1 + n % 19), 30, n % 5 + 1, **(unpaid if n % 4 == 0 else {}))
        for n in customers
    ))  # fmt: skip
    assert build(built, "2026-08-20")
    recent, old, _ = kinds_of_change(built)[0]
    assert recent == len(customers)
    assert old == 0
    # August closes. Some grow in the middle of what is billed, one bill is gone, one bill was paid
    # in the end, one comes half a year late, and of one nothing changes but a name.
    land(built, "stripe", "invoices",
        *(billed(n, date(2026, 8, 25), 20, 9) for n in customers if n % 3 == 0),
        billed(20, date(2026, 8, 2), 30, 1, status="void"),
        billed(24, date(2026, 8, 6), 30, 5, status_transitions=paid),
        billed(25, date(2026, 1, 3), 30, 4),
        billed(26, date(2026, 8, 8), 30, 2, memo="another"),
    )  # fmt: skip
    assert build(built, "2026-09-03")
    recent, old, same = kinds_of_change(built)[0]
    assert recent > 10
    assert old == 1
    assert same > 0
    # Nothing is new, and whoever owes goes over the limit of one policy after the other.
    assert build(built, "2026-09-04")
    assert kinds_of_change(built)[0][:2] == (0, 0)
    land(built, "stripe", "invoices", *(billed(n, date(2026, 9, 20), 365, 2) for n in (30, 31)))
    assert build(built, "2026-10-02")
    carried_on = contents(built)
    assert not build(built, "2026-10-02", "--full-refresh")
    assert contents(built) == carried_on


def test_a_ledger_is_made_anew_for_an_earlier_day_by_other_rules_or_after_one_that_broke_off(
    built: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = ["int_ledger_plan"]
    mark = "create table staging.kept as select * from staging.int_ledger_mark"
    put_back = "insert into staging.int_ledger_mark select * from staging.kept"
    with built.connect("transformer") as conn:
        conn.execute(mark)
    # The plan takes the mark away until the ledger is complete.
    assert build(built, "2026-10-03", models=plan)
    assert not build(built, "2026-10-03", models=plan)
    with built.connect("transformer") as conn:
        conn.execute(put_back)
    assert not build(built, "2026-10-01", models=plan)
    with built.connect("transformer") as conn:
        conn.execute(put_back)
    monkeypatch.setattr(parsed, "fingerprint", lambda project, folders=(): f"another{folders}")
    assert not build(built, "2026-10-03", models=plan)


def test_another_seed_or_model_is_another_project(tmp_path: Path) -> None:
    for folder, name in (("seeds", "policy.csv"), ("models", "model.sql")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("a")
    before = parsed.fingerprint(tmp_path)
    assert before == parsed.fingerprint(tmp_path)
    (tmp_path / "seeds" / "policy.csv").write_text("b")
    changed = parsed.fingerprint(tmp_path)
    (tmp_path / "models" / "model.sql").write_text("b")
    assert len({before, changed, parsed.fingerprint(tmp_path)}) == 3
