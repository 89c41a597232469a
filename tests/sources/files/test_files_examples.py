"""The example mappings of two CRMs' exports: where a company keeps a thing is mapping data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from retention.sources.files.mapping_file import read_mapping
from tests.places import ROOT
from tests.sources.files.files_folder import documents

MAPPINGS = ROOT / "demo" / "mappings"


def canonical(example: str, stream: str) -> dict[str, dict[str, Any]]:
    """The documents that an example gives to a stream, by key."""
    found = documents(MAPPINGS / example, stream)
    return {str(next(iter(doc.values()))): doc for doc in found}


def test_reviews_of_both_exports_become_business_reviews() -> None:
    event = canonical("salesforce", "meetings")["00U1"]
    task = canonical("hubspot_export", "meetings")["601"]
    for review in (event, task):
        assert review["kind"] == "business_review"
        assert review["outcome"] == "completed"
        assert review["document_id"]
    assert list(canonical("hubspot_export", "meetings")) == ["601"]
    # 16:10 in London on 19 March 2026, ten days before its clocks change.
    assert task["starts_at"] == "2026-03-19T16:10:00Z"


def test_recovery_plans_of_both_exports_have_an_owner_and_a_date() -> None:
    plans = canonical("hubspot_export", "actions")
    assert sorted(plans) == ["602", "603"]
    assert plans["602"]["response_id"] == plans["603"]["response_id"] == "resp-88"
    # 17:00 in London on 29 May is 16:00 UTC.
    assert plans["602"]["due_at"] == "2026-05-29T16:00:00Z"
    assert plans["602"]["completed_at"] is None
    done = canonical("salesforce", "actions")["00T1"]
    assert (done["kind"], done["owner_id"], done["response_id"]) == ("task", "005X", "r-17")


def test_roles_of_both_exports_map_to_the_same_terms() -> None:
    salesforce = {doc["role"] for doc in canonical("salesforce", "contacts").values()}
    hubspot = {doc["role"] for doc in canonical("hubspot_export", "contacts").values()}
    assert salesforce == {"decision_maker", "user", "it"}
    assert hubspot == {"decision_maker", "user", "economic_buyer"}


def test_opportunities_are_deals_and_cases_are_tickets() -> None:
    deals = canonical("salesforce", "deals")
    assert {key: doc["kind"] for key, doc in deals.items()} == {
        "0061": "expansion",
        "0062": "renewal",
        "0063": "expansion",
    }
    assert (deals["0063"]["is_won"], deals["0063"]["lost_reason"]) == (False, "no_budget")
    tickets = canonical("salesforce", "tickets")
    assert tickets["5001"]["first_reply_at"] == "2026-02-02T10:30:00Z"
    assert (tickets["5002"]["status"], tickets["5002"]["category"]) == ("open", "feature_request")


PAGE = (ROOT / "docs" / "own-files.md").read_text()


@pytest.mark.parametrize("block", re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S))
def test_the_mappings_of_the_documentation_are_valid(tmp_path: Path, block: str) -> None:
    (tmp_path / "mapping.yml").write_text(block)
    mapping, problems = read_mapping(tmp_path / "mapping.yml")
    assert mapping is not None
    assert problems == []
