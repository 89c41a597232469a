"""The same facts through files instead of the vendors' APIs: the same marts, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from retention import migration, steps
from retention.builds import build
from retention.settings import Settings
from retention.source import Connection
from retention.sources import SOURCES
from retention.sources import files as from_files
from retention.warehouse import Warehouse
from retention.window import Window
from tests.conftest import copy_database, drop_database
from tests.end_to_end.company import FIRST, Company
from tests.end_to_end.files_export import export
from tests.loading import query

pytestmark = pytest.mark.slow

# Columns that say where a row came from or when it was built.
PROVENANCE = {
    "dim_customers": {"known_to"},
    "fct_business_review_pack": {"mart_key"},
    "fct_business_reviews": {"source"},
    "fct_customer_health_daily": {"known_at"},
    "fct_detractor_recovery": {"source"},
    "fct_health_change_daily": {"known_at"},
    "fct_meeting_cancellations": {"source"},
    "fct_score_drops": {"source"},
}
# What a CSM thinks of a customer is a property of one CRM, read with all its versions.
SENTIMENT = {
    "fct_customer_health_daily": {
        "csm_sentiment",
        "csm_sentiment_date",
        "sentiment_disagreement",
    },
}
# Whoever was deleted in the CRM keeps a role there and no account; a file's contact has one.
ROLES_OF_THE_DELETED = {"fct_survey_monthly": {"user_nps", "role_gap_nps", "user_respondents"}}
ANSWERS_BY_ROLE = {
    "fct_alerts",
    "fct_customer_survey_monthly",
    "fct_customer_timeline",
    "fct_score_drops",
}
# A file states one MRR. Other dialects ask the lines of the invoices what it would have been:
# discounts, prorations, voided bills. The default, which all other marts go by, is compared.
ONE_POLICY = {"fct_churn_by_policy_monthly", "fct_mrr_by_policy_monthly"}
NOT_COMPARED = {
    "fct_identity_map": "it maps the keys of each source",
    "fct_mrr_policy_bridge_monthly": "it leads from the default to the other dialects",
    "fct_sentiment_disagreement": "it is about the sentiment, which files do not carry",
}


@pytest.fixture(scope="module")
def by_api(published_once: Company) -> Iterator[Company]:
    """The company as its vendors' APIs tell it; a copy, for nobody may stay in the template."""
    company = published_once.copied("byapi")
    # Another test may have left the vendors, and the exports that we read, on another day.
    company.show(FIRST)
    yield company
    drop_database(company.settings)


@pytest.fixture(scope="module")
def by_files(
    by_api: Company, cluster: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """The same facts, brought in as a folder and built."""
    assert by_api.servers.folder is not None
    events = by_api.servers.folder / "exports" / "posthog"
    root = export(by_api.wh, events, tmp_path_factory.mktemp("files") / "drop")
    settings = replace(cluster, company="byfiles")
    copy_database(cluster, settings)
    wh = Warehouse.from_settings(settings)
    migration.migrate(wh, SOURCES)
    _load(wh, root)
    build.build(wh, FIRST)
    yield wh
    drop_database(settings)


def _load(wh: Warehouse, root: Path) -> None:
    source = from_files.SOURCE
    connection = Connection(source.conn_id, str(root))
    for stream in source.streams:
        found = steps.load(wh, source, stream, connection, Window.of_day(FIRST))
        assert found.rejected == 0, stream.name


def marts(wh: Warehouse) -> list[str]:
    text = "select tablename from pg_tables where schemaname = 'marts' order by 1"
    return [name for (name,) in query(wh, text, "transformer")]


def answered_by_the_deleted(wh: Warehouse) -> list[str]:
    """The customers for whom somebody answered who is in the CRM no more."""
    text = """
        select distinct answers.customer_id from staging.int_survey_responses as answers
        inner join staging.int_contacts as contacts on answers.contact_id = contacts.contact_id
        where contacts.is_deleted and contacts.contact_role is not null
    """
    return [customer for (customer,) in query(wh, text, "transformer")]


def rows(wh: Warehouse, mart: str, apart: list[str]) -> Counter[str]:
    """The comparable rows as text, counted; decimals to the last digit of the table."""
    kinds = (PROVENANCE, SENTIMENT, ROLES_OF_THE_DELETED)
    left_out = sorted(set().union(*(kind.get(mart, set()) for kind in kinds)))
    which: sql.Composable = sql.SQL("true")
    if mart in ONE_POLICY:
        which = sql.SQL("policy = 'default'")
    if mart in ANSWERS_BY_ROLE:
        which = sql.SQL("customer_id <> all({})").format(apart)
    text = sql.SQL("select (to_jsonb(m) - {}::text[])::text from marts.{} as m where {}")
    with wh.connect("transformer") as conn:
        found = conn.execute(text.format(left_out, sql.Identifier(mart), which)).fetchall()
    return Counter(row for (row,) in found)


def differences(
    api_side: Warehouse, files_side: Warehouse
) -> dict[str, tuple[list[str], list[str]]]:
    """Per mart, some rows that only the APIs gave and some that only the files gave."""
    apart = answered_by_the_deleted(api_side)
    found = {}
    for mart in sorted({*marts(api_side), *marts(files_side)} - set(NOT_COMPARED)):
        api, files = rows(api_side, mart, apart), rows(files_side, mart, apart)
        if api != files:
            found[mart] = sorted((api - files).elements())[:3], sorted((files - api).elements())[:3]
    return found


def test_the_same_facts_from_files_give_the_same_marts(
    by_api: Company, by_files: Warehouse
) -> None:
    assert differences(by_api.wh, by_files) == {}


def test_the_comparison_is_of_a_whole_company(by_api: Company, by_files: Warehouse) -> None:
    """Equal because both are empty would prove nothing."""
    assert marts(by_api.wh) == marts(by_files)
    compared = set(marts(by_files)) - set(NOT_COMPARED)
    # Some have to be empty on a first day: nothing was published yet that could be restated.
    filled = {mart for mart in compared if rows(by_files, mart, [])}
    assert len(filled) > 0.8 * len(compared), compared - filled
    assert len(answered_by_the_deleted(by_api.wh)) <= 2
