"""A company whose customers typed odd values and whose vendors state prices in every form."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from retention.warehouse import Warehouse
from tests.dbt_project.marts_company import (
    MONTHS,
    answer,
    build_day,
    crm,
    epoch,
    invoice,
    land,
)
from tests.loading import query

pytestmark = pytest.mark.slow

# Loaded before the contract had the field; raw tables keep such a version for ever.
EARLIER_VERSION = """
insert into raw.hubspot_companies
    (record_id, content_hash, source_updated_at, loaded_at, deleted, load_id, doc)
select '13', content_hash, source_updated_at, loaded_at, deleted, load_id,
    jsonb_set(doc, '{properties}', '{"name": "Early", "notice_period_days": "a month",
        "createdate": "last year", "nps_invites_total": "1e99", "nps_last_invited_on": "May"}')
from raw.hubspot_companies where record_id = '10'
"""


def priced(payer: str, start: str, end: str, cents: int, **price: Any) -> dict[str, Any]:
    """An invoice of one line with another price or quantity than that of a seat."""
    quantity = price.pop("quantity", 1)
    doc = invoice(f"{payer}{start}", payer, start, end, cents)
    line = doc["lines"]["data"][0]
    line |= {"quantity": quantity, "price": line["price"] | price}
    return doc


def with_nullable_lists(doc: dict[str, Any]) -> dict[str, Any]:
    """The same invoice with null for its lists, an odd count and a second, broken line."""
    line = doc["lines"]["data"][0] | {"discount_amounts": None, "tax_amounts": None}
    broken = line | {"id": "il_broken", "period": {"start": "soon", "end": None}}
    return {**doc, "attempt_count": "twice", "lines": {"data": [line, broken]}}


def satisfaction(key: str, company: str, score: float) -> dict[str, Any]:
    """An answer to a satisfaction form of ten steps."""
    doc = answer(key, company, 0, "2026-06-10") | {"form_id": "sat", "form_title": "CSAT, 1 to 10"}
    doc["answers"][0] |= {"number": score}
    doc["hidden"] |= {"email": f"{key}@asked.example"}
    return doc


@pytest.fixture(scope="module")
def built(module_warehouse: Warehouse) -> Warehouse:
    wh = module_warehouse
    segment = {"customer_segment": "SMB", "createdate": "2025-12-01T00:00:00Z"}
    land(
        wh, "hubspot", "companies",
        crm("10", name="Tiers", notice_period_days="30.5", csm_sentiment="fine", **segment),
        crm("11", name="Calls", notice_period_days="30.0", **segment),
        crm("12", name="Nulls", notice_period_days="", **segment),
    )  # fmt: skip
    with wh.connect("loader") as conn:
        conn.execute(EARLIER_VERSION)
    amounts = {"d1": "-1200", "d2": "1e3", "d3": "a lot"}
    deals = [crm(key, "10", amount=each, dealname=key) for key, each in amounts.items()]
    land(wh, "hubspot", "deals", *deals)
    land(
        wh, "stripe", "customers",
        *[
            {"id": f"cus_{n}", "created": epoch("2026-01-01"), "metadata": {"crm_company_id": n}}
            for n in ("10", "11", "12")
        ],
    )  # fmt: skip
    for start, end in pairwise(MONTHS):
        tiers = {"unit_amount": None, "billing_scheme": "tiered", "quantity": 25}
        calls = {"unit_amount": None, "unit_amount_decimal": "12.5", "quantity": 4000}
        land(
            wh, "stripe", "invoices",
            priced("cus_10", start, end, 20000, **tiers),
            priced("cus_11", start, end, 50000, **calls),
            with_nullable_lists(priced("cus_12", start, end, 10000)),
        )  # fmt: skip
    land(
        wh, "typeform", "responses",
        answer("n1", "10", 9, "2026-06-10"),
        answer("n2", "11", 14, "2026-06-10"),
        satisfaction("s1", "10", 9),
        satisfaction("s2", "11", 9),
        satisfaction("s3", "12", 4),
    )  # fmt: skip
    build_day(wh)
    return wh


def marts(wh: Warehouse, text: str) -> list[tuple[Any, ...]]:
    return query(wh, text, "transformer")


def test_a_line_costs_its_amount_whatever_the_form_of_its_price(built: Warehouse) -> None:
    found = marts(built, "select customer_id, mrr_amount from marts.dim_customers order by 1")
    paid = [("10", Decimal(200)), ("11", Decimal(500)), ("12", Decimal(100))]
    assert found == [*paid, ("13", None)]
    days = "select distinct mrr_amount from marts.fct_mrr_daily where customer_id = '10'"
    assert marts(built, days) == [(Decimal(200),)]


def test_odd_properties_are_null_and_their_records_load(built: Warehouse) -> None:
    found = marts(
        built, "select company_id, notice_days from staging.stg_hubspot__companies order by 1"
    )
    assert found == [("10", None), ("11", 30), ("12", None), ("13", None)]


def test_a_negative_deal_amount_is_kept(built: Warehouse) -> None:
    found = marts(built, "select deal_id, deal_amount from staging.int_deals order by 1")
    assert found == [("d1", Decimal(-1200)), ("d2", Decimal(1000)), ("d3", None)]


def test_a_form_on_ten_steps_is_read_on_ten_steps_beside_nps(built: Warehouse) -> None:
    found = marts(
        built,
        "select survey, scale_max, respondents, csat_rate from marts.fct_survey_monthly"
        f" where segment = 'all' and respondents > 0 and month = '{date(2026, 6, 1)}' order by 1",
    )
    assert [row[:3] for row in found] == [("csat", Decimal(10), 3), ("nps", Decimal(10), 1)]
    assert float(found[0][3]) == pytest.approx(2 / 3, abs=0.001)


def test_every_part_set_aside_is_named_with_its_record(built: Warehouse) -> None:
    found = marts(
        built,
        "select stream, record_id, path, count(*) from ops.quarantine"
        " where record_id not like 'in_%' group by 1, 2, 3"
        " union all select stream, 'each invoice', path, count(*) from ops.quarantine"
        " where record_id like 'in_%' group by 1, 2, 3 order by 1, 2, 3",
    )
    invoices = len(MONTHS) - 1
    assert found == [
        ("companies", "10", "properties.csm_sentiment", 1),
        ("companies", "10", "properties.notice_period_days", 1),
        ("deals", "d3", "properties.amount", 1),
        ("invoices", "each invoice", "attempt_count", invoices),
        ("invoices", "each invoice", "lines.data.1 (il_broken)", invoices),
        ("responses", "n2", "answers.0", 1),
    ]
