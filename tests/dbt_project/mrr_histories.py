"""Generated billing histories, their source records, and a build of their MRR history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from retention.builds import dbt_runner
from retention.settings import Settings
from retention.warehouse import Warehouse
from tests.loading import query

HISTORIES = 500
# The state comes after every table of the MRR history.
MODELS = (
    "int_rebuild_state",
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
    """Generate the histories; the seed makes them the same in each run."""
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
    """Return the invoices of a history; with split, every term is billed in two parts."""
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


def build(
    wh: Warehouse, day: str = "2026-06-30", *more: str, models: Sequence[str] = MODELS
) -> bool:
    """Build the MRR history of that day; True for an increment, False for a full refresh."""
    settings = wh.settings or Settings.from_env()
    only = ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    told = json.dumps({"as_of": day, "known_at": "2030-01-01T00:00:00Z", "build_id": 1})
    selected = [f"+{model}" for model in models]
    command = ["build", *only, *more, "--select", *selected, "--vars", told, "--threads", "4"]
    ran = dbt_runner.run(wh, settings, command)
    assert {node.name: node.message for node in ran if node.failed} == {}
    return bool(query(wh, "select is_increment from staging.int_rebuild_plan", "transformer")[0][0])


def billed(number: int, start: date, days: int, quantity: int, **more: Any) -> Any:
    """Return one more invoice of a customer for its first item."""
    end, key = start + timedelta(days), f"{number}_{start}"
    term = (0, days, 1400, quantity)
    return {**invoice(key, f"cus_plain_{number}", 0, start, end, term, "usd"), **more}


def payer(key: str, company: int) -> Any:
    return {"id": key, "created": 1750000000, "metadata": {"crm_company_id": f"{company}"}}


def contract(number: int, account: str, start: str, **more: Any) -> Any:
    """A subscription of a file."""
    money = {"mrr_amount": "120.00", "currency": "USD", "quantity": "3", "product": "seat"}
    key = {"subscription_id": f"S{number}", "account_id": account, "starts_on": start}
    return {**key, **money, **more}
