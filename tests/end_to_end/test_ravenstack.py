"""Ravenstack, which nobody here invented, published whole: its README's defects, all told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from retention.settings import Settings
from tests.end_to_end.real_data import CHECK_1, Company, company
from tests.places import needs_shared_data

pytestmark = [*needs_shared_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def ravenstack(cluster: Settings) -> Iterator[Company]:
    with company(cluster, "ravenstack", date(2025, 1, 1)) as made:
        yield made


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
    assert "Conflicts between sources: 19 kinds" in page
    assert "23,880  Pairs of subscriptions of one account" in page
    assert "277  Accounts with a churn event that are not marked as churned" in page
    assert "None" not in page
