"""Fightchurn, which nobody here invented, published whole: its README's facts, asked of publish."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from retention.settings import Settings
from tests.end_to_end.real_data import CHECK_1, Company, company
from tests.places import SHARED, needs_shared_data

pytestmark = [*needs_shared_data, pytest.mark.slow]

ON_THE_FIRST = """
    with days as (
        select as_of_date, customer_id, sum(mrr_amount) as mrr from publish.fct_mrr_daily
        where extract(day from as_of_date) = 1 and as_of_date >= '2024-02-01' group by 1, 2
    )
"""


@pytest.fixture(scope="module")
def fightchurn(cluster: Settings) -> Iterator[Company]:
    with company(cluster, "fightchurn", date(2024, 8, 1)) as made:
        yield made


def test_mrr_and_customers_on_the_first_of_each_month(fightchurn: Company) -> None:
    found = fightchurn.ask(
        f"{ON_THE_FIRST} select extract(month from as_of_date)::int, sum(mrr)::int, count(*)"
        " from days group by 1 order by 1"
    )
    assert found == [
        (2, 127_950, 301),
        (3, 168_164, 319),
        (4, 209_665, 339),
        (5, 230_480, 359),
        (6, 247_503, 384),
        (7, 270_544, 415),
        (8, 297_561, 445),
    ]


def test_logo_churn_from_first_to_first(fightchurn: Company) -> None:
    found = fightchurn.ask(
        f"""{ON_THE_FIRST}
        select count(*) - count(later.customer_id),
            round(100.0 * (count(*) - count(later.customer_id)) / count(*), 2)
        from days left join days as later
            on later.customer_id = days.customer_id
            and later.as_of_date = (days.as_of_date + interval '1 month')::date
        where days.as_of_date < '2024-08-01' group by days.as_of_date order by days.as_of_date"""
    )
    assert [lost for lost, _ in found] == [9, 10, 13, 10, 11, 12]
    assert [str(rate) for _, rate in found] == ["2.99", "3.13", "3.83", "2.79", "2.86", "2.89"]


def test_months_roll_forward_without_a_return(fightchurn: Company) -> None:
    """No reactivation exists in this company, so whoever is not there left for good."""
    assert fightchurn.ask(
        "select count(*), sum(reactivated_customers), sum(new_customers - churned_customers)"
        " from publish.fct_retention where period = 'month' and dimension = 'all'"
    ) == [(7, 0, 445)]


def test_new_accounts_by_month(fightchurn: Company) -> None:
    found = fightchurn.ask(
        "select count(*) from publish.dim_customers"
        " group by date_trunc('month', signed_up_date) order by date_trunc('month', signed_up_date)"
    )
    assert [count for (count,) in found] == [300, 27, 30, 33, 36, 40, 44]


def test_the_cohort_of_february_in_july(fightchurn: Company) -> None:
    [(customers, left, then, now, kept)] = fightchurn.ask(
        f"""{ON_THE_FIRST}
        select count(*), count(later.mrr), sum(days.mrr), sum(later.mrr),
            sum(least(days.mrr, later.mrr)) filter (where later.mrr is not null)
        from days left join days as later
            on later.customer_id = days.customer_id and later.as_of_date = '2024-07-01'
        where days.as_of_date = '2024-02-01'"""
    )
    assert (customers, left, then, now, kept) == (301, 255, 127_950, 199_055, 109_635)
    assert round(100 * now / then, 2) == Decimal("155.57")
    assert round(100 * kept / then, 2) == Decimal("85.69")


def test_events_by_month_are_those_received_by_the_end_of_the_day(fightchurn: Company) -> None:
    """Of July's 98,965 events three came after 1 August; a later day brings them."""
    found = fightchurn.ask(
        "select sum(event_count)::int from publish.fct_feature_usage_monthly"
        " where segment = 'all' group by month order by month"
    )
    assert [count for (count,) in found] == [
        *(32_803, 61_417, 71_952, 73_592, 81_083, 87_335),
        98_965 - received_after("2024-08-02").total(),
    ]
    assert received_after("2024-08-02").total() == 3


def test_features_from_the_most_to_the_least_used(fightchurn: Company) -> None:
    found = fightchurn.ask(
        "select feature, sum(event_count)::int, sum(unit_count)"
        " from publish.fct_feature_usage_monthly where segment = 'all' group by 1 order by 2 desc"
    )
    assert len(found) == 25
    late = received_after("2024-08-02")
    assert found[0][:2] == ("create_opportunity", 69_994 - late["create_opportunity"])
    assert found[-1][:2] == ("delete_list", 1_781 - late["delete_list"])
    won = {name: (count, units) for name, count, units in found}["win_opportunity"]
    assert won == (22_486, Decimal("62218207.06")), "no win was late"


def received_after(day: str) -> Counter[str]:
    """Events of the files, all of July, that nobody could know before that day: by feature."""
    import duckdb

    events = SHARED / "fightchurn" / "events" / "events_received_2024-08.ndjson.gz"
    return Counter(
        dict(
            duckdb.execute(
                f"select event, count(*) from read_json('{events}',"
                " columns = {'receivedAt': 'TIMESTAMP', 'event': 'VARCHAR'})"
                " where receivedAt >= $1::timestamp group by event",
                [day],
            ).fetchall()
        )
    )


def test_who_connects_only_use_is_scored_by_use(fightchurn: Company) -> None:
    """Nobody is unknown for want of a survey or a CRM that the company does not have."""
    assert fightchurn.ask(
        "select distinct score_definition from publish.fct_customer_health_daily"
        " where as_of_date = '2024-08-01'"
    ) == [("product",)]
    assert set(
        fightchurn.ask(
            "select distinct health_band, max(health_coverage) over ()"
            " from publish.dim_customers where status = 'active'"
        )
    ) == {(band, Decimal(1)) for band in ("red", "yellow", "green", "unknown")}


def test_the_score_by_use_alone_is_judged_by_who_left(fightchurn: Company) -> None:
    """Of 2,557 customers at seven ends of months; the last three have no horizon behind them."""
    assert fightchurn.ask(
        "select score_version, population_count, too_late_count, immature_count, unscored_count,"
        " evaluated_count, churned_count, round(auc, 2), auc_low > 0.5, stamp"
        " from publish.fct_health_backtest where score_name = 'health_score' and segment = 'all'"
        " and outcome = 'within_horizon' and period = 'all'"
    ) == [("product 1", 2_557, 42, 1_242, 0, 1_273, 79, Decimal("0.58"), True, "proven")]
    # Forty-three losses in three judged months come too late to learn from and be judged by.
    assert fightchurn.ask(
        "select distinct stamp from publish.fct_health_backtest where score_name = 'learned'"
    ) == [("insufficient data",)]


def test_the_page_of_a_company_without_surveys_and_meetings(fightchurn: Company) -> None:
    page = fightchurn.page()
    assert "MRR USD 297,611 from 445 customers" in page
    assert "NPS not measured" in page
    assert "Business reviews not measured" in page
    assert "Health: 445 unknown" not in page
    assert "No rows from files.actions, files.churn_events, files.contacts, " in page
    assert "contradict" not in page
    assert "None" not in page
    # Accounts have no names here, so they are called by their ids.
    assert "  1  crm-" in page


def test_fightchurn_contradicts_itself_nowhere(fightchurn: Company) -> None:
    assert fightchurn.ask(
        "select count(*), sum(contradiction_count) from publish.fct_data_quality"
    ) == [(28, 0)]
    told = dict(fightchurn.ask(f"{CHECK_1} and not success", "loader"))
    assert list(told) == ["terms_of_one_account_do_not_overlap"], "add-ons run beside their plan"
    assert fightchurn.ask("select count(*) from ops.quarantine", "loader") == [(0,)]
    assert fightchurn.ask("select stale_sources from publish.as_of") == [([],)]


def test_late_events_reopen_their_days_up_to_publish(fightchurn: Company) -> None:
    """The last of the tests of this company: it moves it on by three days."""
    before = fightchurn.ask("select sum(event_count) from publish.fct_feature_usage_monthly")
    fightchurn.load("fightchurn", date(2024, 8, 4))
    july = fightchurn.ask(
        "select sum(event_count) from publish.fct_feature_usage_monthly"
        " where segment = 'all' and month = '2024-07-01'"
    )
    assert july == [(98_965,)]
    after = fightchurn.ask("select sum(event_count) from publish.fct_feature_usage_monthly")
    assert after == [(before[0][0] + 2 * 3,)], "once for its segment and once for all"
