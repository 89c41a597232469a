"""Two companies nobody here invented, published whole: their READMEs' facts, asked of publish.

The expected numbers stand in the READMEs beside the files, where another tool counted them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from retention.cli import app
from retention.settings import Settings
from tests.daily_load.real_data import Company, company
from tests.places import SHARED, needs_shared_data

pytestmark = [*needs_shared_data, pytest.mark.slow]

CHECK_1 = "select expectation, unexpected_count from ops.gate_results where gate = 'arrived'"
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


@pytest.fixture(scope="module")
def ravenstack(cluster: Settings) -> Iterator[Company]:
    with company(cluster, "ravenstack", date(2025, 1, 1)) as made:
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
        " from publish.fct_retention_monthly where segment = 'all'"
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
        " judged_count, churned_count, round(auc, 2), auc_low > 0.5, stamp"
        " from publish.fct_health_backtest where score_name = 'health_score' and segment = 'all'"
        " and outcome = 'within_horizon' and period = 'all'"
    ) == [("product 1", 2_557, 42, 1_242, 0, 1_273, 79, Decimal("0.58"), True, "proven")]
    # Forty-three losses in three judged months come too late to learn from and be judged by.
    assert fightchurn.ask(
        "select distinct stamp from publish.fct_health_backtest where score_name = 'learned'"
    ) == [("too few to say",)]


def test_the_page_of_a_company_without_surveys_and_meetings(fightchurn: Company) -> None:
    page = fightchurn.page()
    assert "MRR USD 297,611 from 445 customers" in page
    assert "NPS not measured" in page
    assert "Business reviews not measured" in page
    assert "Health: 445 unknown" not in page
    assert "Nothing came from files.actions, files.churn_events, files.contacts, " in page
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


def test_mrr_at_the_month_ends(ravenstack: Company) -> None:
    found = ravenstack.ask(
        "select sum(mrr_amount)::int from publish.fct_mrr_daily where as_of_date in"
        " ('2023-01-31', '2023-12-31', '2024-06-30', '2024-12-31')"
        " group by as_of_date order by as_of_date"
    )
    assert [mrr for (mrr,) in found] == [4_684, 1_262_113, 3_833_405, 10_159_608]


def test_gate_1_tells_every_contradiction_between_files(ravenstack: Company) -> None:
    told = dict(ravenstack.ask(f"{CHECK_1} and not success", "loader"))
    # The README counts overlaps of all terms of an account; those of one product are a part.
    assert told.pop("terms_of_one_product_do_not_overlap") == 7_936
    assert told == {
        "claimed_churn_has_no_open_subscription": 110,
        "claimed_churn_has_a_churn_event": 35,
        "churn_event_has_claimed_churn": 277,
        "opened_after_signup": 1_077,
        "opened_before_the_last_churn": 265,
        "answered_before_being_closed": 36,
        "lasts_a_day": 13,
        "seats_agree_with_the_account": 2_405,
        "terms_of_one_account_do_not_overlap": 23_880,
        "left_after_having_come": 53,
        "left_when_a_subscription_ended": 600 - 6,
        "came_back_after_having_left": 26,
        "used_after_signup": 13_198,
        "used_after_its_subscription_starts": 19_142,
        "used_before_its_subscription_ends": 290,
    }


def test_publish_tells_readers_every_contradiction(ravenstack: Company) -> None:
    """One number is in no report: that the overlaps touch all 500 accounts. Pairs are counted."""
    found = ravenstack.ask(
        "select kind, contradiction_count from publish.fct_data_quality"
        " where contradiction_count > 0"
    )
    assert dict(found) == {
        "claimed_churned_without_event": 35,
        "churn_event_without_claim": 277,
        "claimed_churned_but_open": 110,
        "churn_before_first_subscription": 53,
        "reactivation_without_earlier_churn": 26,
        "churn_event_off_subscription_end": 600 - 6,
        "claimed_upgrade_not_found": 89,
        "plan_differs_from_account": 3_365,
        "plan_of_account_not_billed": 17,
        "seats_differ_from_account": 2_405,
        "upgrade_and_downgrade_at_once": 23,
        "subscription_of_no_length": 13,
        "subscription_without_usage": 33,
        "overlapping_subscriptions": 23_880,
        "ticket_before_signup": 1_077,
        "ticket_after_last_churn_event": 265,
        "reply_after_close": 36,
        "usage_outside_subscription": 19_142 + 290,
        "usage_before_signup": 13_198,
    }


def test_a_code_that_is_none_is_mended_by_the_mapping(ravenstack: Company) -> None:
    """The mapping says that UK is GB, so no report calls it a defect; readers see one code."""
    assert ravenstack.ask(
        "select country, count(*) from publish.dim_customers"
        " where country in ('GB', 'UK') group by country"
    ) == [("GB", 58)]


def test_users_nobody_names_are_not_counted_as_none(ravenstack: Company) -> None:
    """Usage says who pays and not who clicks: of somebody's seats nothing is known."""
    [(in_use, users, ratios)] = ravenstack.ask(
        "select count(*), count(active_users), count(active_seat_ratio)"
        " from publish.dim_customers where days_since_last_use < 28"
    )
    assert in_use > 100
    assert (users, ratios) == (0, 0)


def test_the_page_says_that_churn_is_disputed(ravenstack: Company) -> None:
    page = ravenstack.page()
    assert "MRR USD 10,159,608 from 500 customers" in page
    assert "Where the sources contradict themselves (19 kinds)" in page
    assert "23,880  Pairs of subscriptions of one account" in page
    assert "277  Accounts with a churn event that are not marked as churned" in page
    assert "None" not in page


@pytest.mark.parametrize(("name", "warnings"), [("fightchurn", 13), ("ravenstack", 75)])
def test_the_check_before_loading_finds_oddities_and_no_error(name: str, warnings: int) -> None:
    result = CliRunner().invoke(app, ["files", "check", str(SHARED / name)])
    said = result.output.splitlines()
    assert result.exit_code == 0
    assert said[-1] == f"0 errors, {warnings} warnings in {SHARED / name}"


def test_ids_that_stand_for_two_events_are_told_before_loading() -> None:
    """Keys that are not unique are the check's alone: both rows load, under a longer key."""
    result = CliRunner().invoke(app, ["files", "check", str(SHARED / "ravenstack")])
    twins = [line for line in result.output.splitlines() if line.endswith("[repeated_value]")]
    assert len(twins) == 21
    places = {line.split(":")[1] for line in twins} | {line.split()[-3] for line in twins}
    assert len(places) == 42
