"""After staging, only the models that unify several sources may name a vendor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from retention.sources import SOURCES
from tests.places import ROOT

MODELS = ROOT / "dbt_project" / "models"
AFTER_STAGING = sorted((*MODELS.glob("intermediate/**/*.sql"), *MODELS.glob("marts/**/*.sql")))
VENDORS = [source.name for source in SOURCES]

# The models that read staging, each the one place where a canonical thing is made.
CANONICAL = {
    "int_accounts",
    "int_activities",
    "int_business_reviews",  # a task can be a review: seeds/review_sources.csv
    "int_cancellations",
    "int_churn_claims",
    "int_contact_roles",
    "int_contacts",
    "int_customer_account_ranges",
    "int_customer_identities",
    "int_deals",
    "int_feedback_items",
    "int_goals",
    "int_invoices",
    "int_meeting_records",
    "int_one_off_charges",
    "int_owners",
    "int_restating_records",  # names the source records that changed a month
    "int_sentiment_metrics_daily",  # sentiment of a CSM: all versions of a company property
    "int_subscription_lines",
    "int_survey_invites",
    "int_survey_responses",
    "int_tickets",
    "int_usage",
    # Preparation of one vendor before its records are unified.
    "int_stripe_invoices",
    "int_stripe_invoice_lines",
    "int_stripe_payers",
    "int_stripe_terms",
    "int_typeform_responses",
}
# Who pays without an account is named by the biller, and the map of keys says whose keys they are.
OF_PAYERS = {
    "int_customers_to_rebuild",
    "int_customers",
    "int_unmatched_records",
    "fct_identity_map",
}


def text_of(model: Path) -> str:
    """The model without its comments."""
    return re.sub(r"--.*|\{#.*?#\}", "", model.read_text(), flags=re.M)


def read_staging(text: str) -> list[str]:
    return re.findall(rf"stg_(?:{'|'.join(VENDORS)})__\w+", text)


@pytest.mark.parametrize("model", AFTER_STAGING, ids=lambda model: model.stem)
def test_only_canonical_models_read_staging_models_of_vendors(model: Path) -> None:
    text = text_of(model)
    names = [*read_staging(text), *re.findall(r"source\('(?!ops|statistics)[^)]*\)", text)]
    if model.stem in CANONICAL:
        assert names, f"{model.stem} reads no vendor any more: take it off the list"
    else:
        assert not names, f"{model.stem} reads {names}: a canonical model stands between"


@pytest.mark.parametrize("model", AFTER_STAGING, ids=lambda model: model.stem)
def test_only_canonical_models_name_a_vendor(model: Path) -> None:
    if model.stem not in CANONICAL | OF_PAYERS:
        assert not re.findall(rf"'(?:{'|'.join(VENDORS)})'", text_of(model))


def test_every_model_on_the_list_exists() -> None:
    assert {model.stem for model in AFTER_STAGING} >= CANONICAL | OF_PAYERS
