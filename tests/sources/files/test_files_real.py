"""The public data sets load through the shipped mappings, with the counts their READMEs state."""

from __future__ import annotations

from collections import Counter

import pytest

from retention.sources.files import SOURCE
from retention.sources.files.check import check, has_errors
from retention.sources.files.records import RECORDS
from tests.places import SHARED, needs_shared_data
from tests.sources.files.files_folder import documents

pytestmark = needs_shared_data

REAL = {
    "fightchurn": {"accounts": 510, "subscriptions": 3073},
    "ravenstack": {"accounts": 500, "subscriptions": 5000, "tickets": 2000, "churn_events": 600},
}


@pytest.mark.parametrize("name", REAL)
def test_every_row_of_the_real_files_is_a_record_of_its_own(name: str) -> None:
    for stream, count in REAL[name].items():
        docs = documents(SHARED / name, stream)
        assert len(docs) == count
        assert len({doc[SOURCE.stream(stream).key] for doc in docs}) == count
        for doc in docs:
            RECORDS[stream].model_validate(doc)


def test_monthly_revenue_of_fightchurn_is_what_its_readme_states() -> None:
    docs = documents(SHARED / "fightchurn", "subscriptions")
    stated = {"02": 127_950, "03": 168_164, "04": 209_665, "05": 230_480, "06": 247_503}
    for month, mrr in (stated | {"07": 270_544, "08": 297_561}).items():
        day = f"2024-{month}-01"
        live = [doc for doc in docs if doc["starts_on"] <= day < doc["ends_on"]]
        assert sum(doc["mrr_amount"] for doc in live) == mrr


def test_add_ons_are_distinguished_from_plans() -> None:
    docs = documents(SHARED / "fightchurn", "subscriptions")
    assert Counter(doc["is_add_on"] for doc in docs) == {False: 2131, True: 942}


def test_the_check_reports_the_defects_of_ravenstack_in_exact_numbers() -> None:
    problems = check(SHARED / "ravenstack")
    assert not has_errors(problems)
    counts: Counter[str] = Counter()
    for each in problems:
        counts[each.code] += each.count
    assert counts == {
        "crlf": 5,
        "repeated_value": 21,
        "empty_term": 13,
        "reply_after_close": 36,
    }


def test_values_of_ravenstack_map_to_canonical_ones() -> None:
    accounts = documents(SHARED / "ravenstack", "accounts")
    countries = Counter(doc["country"] for doc in accounts)
    assert countries["GB"] == 58
    assert "UK" not in countries
    assert Counter(doc["claimed_churned"] for doc in accounts)[True] == 110
    terms = documents(SHARED / "ravenstack", "subscriptions")
    assert sum(doc["mrr_amount"] for doc in terms) == 11_338_747
    assert Counter(doc["is_trial"] for doc in terms)[True] == 778
    assert sum(doc["is_upgrade"] and doc["is_downgrade"] for doc in terms) == 23
    assert all(doc["claimed_churned"] == (doc["ends_on"] is not None) for doc in terms)
    left = documents(SHARED / "ravenstack", "churn_events")
    assert Counter(doc["claims_earlier_upgrade"] for doc in left)[True] == 123
    assert Counter(doc["is_reactivation"] for doc in left)[True] == 61


def test_all_usage_rows_of_ravenstack_are_events_of_their_own() -> None:
    docs = documents(SHARED / "ravenstack", "usage_events")
    assert len(docs) == len({doc["event_id"] for doc in docs}) == 25_000
    assert all(doc["account_id"] for doc in docs)


def test_the_check_reports_the_impossible_states_of_fightchurn() -> None:
    problems = check(SHARED / "fightchurn")
    assert not has_errors(problems)
    assert Counter(each.code for each in problems) == {"unknown_region": 13}
