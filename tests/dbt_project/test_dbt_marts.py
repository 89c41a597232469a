"""The whole dbt project on a company small enough to calculate by hand."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from retention.builds import build
from retention.errors import BuildError
from retention.warehouse import Warehouse
from tests.dbt_project.marts_company import (
    AS_OF,
    NEXT_DAY,
    answer,
    build_day,
    found_company,
    invoice,
    land,
    marts,
    show_readers,
)
from tests.loading import query
from tests.places import ROOT

PROJECT = ROOT / "dbt_project"
SUITES = PROJECT.parent / "expectations"
SCORED = "select * from marts.fct_customer_health_daily"
HEALTH = f"{SCORED} where as_of_date <= '{AS_OF}' order by customer_id, as_of_date"
LATE_INVOICE = invoice("late", "cus_2", "2026-06-01", "2026-07-01", 4000)
pytestmark = pytest.mark.slow


def rows(wh: Warehouse, text: str) -> list[tuple[Any, ...]]:
    return query(wh, text, "transformer")


def test_a_payer_without_an_account_is_a_customer(built: Warehouse) -> None:
    found = rows(
        built,
        "select customer_id, customer_name, status, mrr_amount, churned_date"
        " from marts.dim_customers order by 1",
    )
    assert found == [
        ("1", "Keen Inc.", "active", Decimal("150.0000"), None),
        ("2", "Gone Ltd.", "churned", None, date(2026, 5, 1)),
        ("stripe:cus_3", "Stray AG", "active", Decimal("58.0500"), None),
    ]


def test_movements_match_the_billing_history(built: Warehouse) -> None:
    found = rows(
        built,
        "select month, customer_id, movement, movement_amount"
        " from marts.fct_mrr_movements_monthly where movement != 'fx' order by 1, 2",
    )
    new = date(2026, 1, 1)
    assert found == [
        (new, "1", "new", Decimal(100)),
        (new, "2", "new", Decimal(40)),
        (new, "stripe:cus_3", "new", Decimal(50)),
        (date(2026, 4, 1), "1", "expansion", Decimal(50)),
        (date(2026, 5, 1), "2", "churn", Decimal(-40)),
    ]


def test_retention_of_may_counts_the_churned_customer(built: Warehouse) -> None:
    found = rows(
        built,
        "select opening_customers, churned_customers, closing_customers, logo_churn_rate, nrr"
        " from marts.fct_retention where period = 'month' and starts_date = '2026-05-01'"
        " and dimension_value = 'SMB'",
    )
    assert found == [(2, 1, 1, Decimal("0.5"), Decimal("0.789474"))]


def test_each_month_has_its_own_survey_score(built: Warehouse) -> None:
    found = rows(
        built,
        "select month, respondents, nps, detractors_due from marts.fct_survey_monthly"
        " where segment = 'all' order by 1",
    )
    assert found == [
        (date(2026, 5, 1), 1, Decimal(100), None),
        (date(2026, 6, 1), 1, Decimal(-100), 1),
    ]


def test_an_unanswered_detractor_is_on_the_worklist(built: Warehouse) -> None:
    """Answered on 20 June at 09:01, due 48 hours later, overdue on 30 June.

    The other paying customer has no alert. Its manager has room for it, so its rank admits it.
    """
    query = "select customer_id, admitted_by, alert_rule, due_date, task_status, escalated_to"
    found = rows(built, f"{query} from marts.fct_csm_worklist order by customer_id")
    assert found == [
        ("1", "pinned rule", "unanswered_detractor", date(2026, 6, 22), "overdue", "manager"),
        ("stripe:cus_3", "expected loss", None, None, None, None),
    ]


def test_addresses_are_pseudonyms_everywhere(built: Warehouse) -> None:
    found = rows(built, "select distinct respondent_key from staging.int_survey_responses")
    assert [bool(re.fullmatch("[0-9a-f]{64}", key)) for (key,) in found] == [True]


def test_a_merged_id_resolves_to_the_surviving_customer(built: Warehouse) -> None:
    found = rows(built, "select account_key, customer_id from staging.int_customer_keys order by 1")
    assert found == [("1", "1"), ("2", "2"), ("7", "1")]


def test_rebuilding_a_day_with_its_known_at_gives_the_same_rows(
    built: Warehouse,
) -> None:
    known = rows(built, "select max(known_at) from marts.fct_customer_health_daily")[0][0]
    before, scored = marts(built), rows(built, HEALTH)
    assert len(scored) > 200, "120 days of two customers and more"
    land(built, "stripe", "invoices", LATE_INVOICE, window=NEXT_DAY)
    land(built, "typeform", "responses", answer("t3", "1", 0, "2026-05-30"), window=NEXT_DAY)

    # Both records belong to days scored earlier. Unpublished days are scored with current
    # knowledge; a published day keeps its score, and past MRR always uses current knowledge.
    build_day(built, AS_OF + timedelta(days=1))
    assert rows(built, HEALTH) != scored
    build_day(built, known_at=known)
    assert marts(built) == before
    show_readers(built, AS_OF)
    build_day(built, AS_OF + timedelta(days=1))
    assert rows(built, HEALTH) == scored
    assert rows(built, "select max(as_of_date) from marts.fct_customer_health_daily") != [(AS_OF,)]
    assert marts(built)["fct_mrr_movements_monthly"] != before["fct_mrr_movements_monthly"]

    build_day(built, known_at=known)
    assert marts(built) == before


def test_a_currency_without_a_rate_stops_the_build_and_is_named(warehouse: Warehouse) -> None:
    found_company(warehouse)
    stray = invoice("odd", "cus_3", "2026-06-01", "2026-07-01", 900, currency="sek")
    land(warehouse, "stripe", "invoices", stray, window=NEXT_DAY)
    with pytest.raises(BuildError, match="assert_every_currency_has_a_rate"):
        build_day(warehouse)
    view = "staging.assert_every_currency_has_a_rate"
    assert rows(warehouse, f"select currency, mrr_amount from {view}") == [("SEK", Decimal(9))]


def test_an_empty_warehouse_builds(warehouse: Warehouse) -> None:
    build_day(warehouse)
    assert rows(warehouse, "select count(*) from marts.dim_customers") == [(0,)]


def test_a_build_without_a_day_says_what_is_missing(
    warehouse: Warehouse, capfd: pytest.CaptureFixture[str]
) -> None:
    assert warehouse.settings is not None
    assert build.invoke_dbt(warehouse.settings, ["compile", "--select", "int_months"]) != 0
    assert "the variable 'as_of' is missing" in capfd.readouterr().out


def test_policies_in_the_seed_and_in_the_models_match() -> None:
    kinds = (
        *("dbt_project/models/**/*.sql", "dbt_project/macros/*.sql", "dbt_project/tests/*.sql"),
        *("expectations/*.yml", "plugins/retention/**/*.py"),
    )
    text = "".join(path.read_text() for kind in kinds for path in PROJECT.parent.glob(kind))
    asked = set(re.findall(r"policy\(\s*'(\w+)'", text))
    with (PROJECT / "seeds" / "policy.csv").open() as file:
        kept = {row["name"] for row in csv.DictReader(file)}
    assert asked
    assert asked - kept == set()
    assert {name for name in kept if not re.search(rf"'{name}'|\"{name}\"", text)} == set()


def test_no_model_reads_the_clock() -> None:
    paths = [*(PROJECT / "models").rglob("*.sql"), *(PROJECT / "tests").rglob("*.sql")]
    assert paths
    clock = re.compile(r"current_date|current_timestamp|localtime|\bnow\(|clock_timestamp", re.I)
    assert [path.name for path in paths if clock.search(path.read_text())] == []
