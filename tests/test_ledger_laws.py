"""Laws of the MRR ledger, on hundreds of generated billing histories through the real SQL."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from retention import dbt_runner
from retention.settings import Settings
from retention.sources import SOURCES
from retention.warehouse import Warehouse
from tests.loading import query
from tests.marts_company import land

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HISTORIES = 500
DAY = json.dumps({"as_of": "2026-06-30", "known_at": "2030-01-01T00:00:00Z", "build_id": 1})
MODELS = (
    "fct_mrr_daily",
    "fct_mrr_movements_monthly",
    "fct_mrr_policy_bridge_monthly",
    "fct_churn_by_policy_monthly",
)
Term = tuple[int, int, int, int]  # days of pause before it, days it lasts, price in cents, quantity
History = list[list[Term]]  # one list of terms per item

TERMS = st.tuples(
    st.sampled_from([0, 0, 0, 1, 7, 8, 40]),
    st.sampled_from([2, 28, 30, 31, 90]),
    st.integers(0, 20).map(lambda units: units * 700),
    st.integers(1, 9),
)
ITEMS = st.lists(st.lists(TERMS, min_size=1, max_size=3), min_size=1, max_size=2)


def generated() -> list[History]:
    """As many histories as the law asks for, the same ones each time."""
    found: list[History] = []

    @settings(
        max_examples=HISTORIES,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(ITEMS)
    def collect(history: History) -> None:
        found.append(history)

    collect()
    return found


def epoch(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 10, tzinfo=UTC).timestamp())


def invoice(
    key: str, payer: str, item: int, start: date, end: date, term: Term, currency: str
) -> Any:
    _, _, cents, quantity = term
    price = {
        "currency": currency, "unit_amount": cents, "type": "recurring", "lookup_key": f"{item}",
        "recurring": {"interval": "month", "interval_count": 1},
    }  # fmt: skip
    line = {
        "id": f"il_{key}", "amount": cents * quantity, "currency": currency, "quantity": quantity,
        "price": price, "period": {"start": epoch(start), "end": epoch(end)}, "proration": False,
        "discount_amounts": [], "subscription_item": f"si_{payer}_{item}",
    }  # fmt: skip
    return {
        "id": f"in_{key}", "customer": payer, "subscription": f"sub_{payer}", "currency": currency,
        "status": "paid", "total": cents * quantity, "amount_due": 0, "amount_paid": 0,
        "created": epoch(start), "status_transitions": {"paid_at": epoch(start)},
        "lines": {"data": [line]},
    }  # fmt: skip


def bills(payer: str, history: History, currency: str = "usd", *, split: bool = False) -> list[Any]:
    """A history as its invoices; split, every term is billed in two parts."""
    found = []
    for item, terms in enumerate(history):
        start = date(2025, 6, 11)
        for number, term in enumerate(terms):
            start += timedelta(term[0])
            end = start + timedelta(term[1])
            middle = start + timedelta(term[1] // 2)
            parts = [(start, middle), (middle, end)] if split else [(start, end)]
            found += [
                invoice(f"{payer}_{item}_{number}_{part}", payer, item, *days, term, currency)
                for part, days in enumerate(parts)
            ]
            start = end
    return found


def build(wh: Warehouse) -> None:
    settings = wh.settings or Settings.from_env()
    models = [f"+{model}" for model in MODELS]
    only = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    ran = dbt_runner.run(
        wh, settings, ["build", *only, "--select", *models, "--vars", DAY, "--threads", "4"]
    )
    assert {node.name: node.message for node in ran if node.failed} == {}


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
    wh.migrate(SOURCES)
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
    land(wh, "stripe", "invoices", *docs, *reversed(shuffled))
    build(wh)
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
    build(built)
    assert ledger(built, "more")
    assert {kind: ledger(built, kind) for kind in before} == before
