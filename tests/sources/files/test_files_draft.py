"""`retention files init` and `preview`: from a folder to a mapping, and what it would load."""

from __future__ import annotations

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from retention.cli import app
from retention.sources.files.check import check, has_errors
from retention.sources.files.draft import draft, presets
from retention.sources.files.fields import fields_of
from retention.sources.files.mapping import FieldRule
from retention.sources.files.preview import preview
from tests.places import SHARED, needs_shared_data
from tests.sources.files.files_folder import ACCOUNTS, documents, folder, workbook

_COLUMNS = "id,Customer ID,Plan,Quantity,Currency,Interval,Amount,Status,Start (UTC),Ended At (UTC)"
DASHBOARD = f"""{_COLUMNS}
sub_a,c1,price_a,10,usd,month,10.00,active,2026-01-05 10:20,
sub_b,c2,price_b,1,usd,year,"1,200.00",active,2025-07-01 00:00,
sub_c,c3,price_a,2,usd,month,10.00,trialing,2026-06-20 09:00,
sub_d,c4,price_a,2,usd,month,10.00,incomplete_expired,2026-06-20 09:00,
"""


def drafted(root: Path) -> str:
    """Draft the mapping of a folder, write it and return it."""
    text = draft(root)
    (root / "mapping.yml").write_text(text)
    return text


def write(root: Path, **files: str | bytes) -> Path:
    folder(root, "", **files)
    (root / "mapping.yml").unlink()
    return root


KUNDEN = "id;company;country;since\n1;Ahorn;Deutschland;03.01.2025\n2;Birke;FR;14.02.2025\n"
VERTRAEGE = """customer;product;start_date;end_date;annual_price;currency
1;Team;01.02.2025;;1.200,00;EUR
2;Firma;15.03.2025;15.03.2026;12.000,50;EUR
"""


def test_a_draft_finds_delimiters_streams_dates_prices_and_keys(tmp_path: Path) -> None:
    root = write(tmp_path, customers_csv=KUNDEN, contracts_csv=VERTRAEGE)
    text = drafted(root)
    assert not has_errors(check(root)), text
    assert [doc["country"] for doc in documents(root, "accounts")] == ["DE", "FR"]
    terms = documents(root, "subscriptions")
    assert [(doc["starts_on"], doc["mrr_amount"]) for doc in terms] == [
        ("2025-02-01", Decimal(100)),
        ("2025-03-15", Decimal("1000.041667")),
    ]
    assert "subscription_id: {columns: [customer, product, start_date]}  # guessed" in text


def test_every_file_is_read_or_named_in_the_draft(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        customers_csv=KUNDEN,
        contracts_csv="customer,note\n1,x\n",
        colours_csv="red,green\n1,2\n",
        broken_xlsx=b"no workbook",
    )
    text = drafted(root)
    assert "# contracts.csv: subscriptions? Missing: starts_on, mrr_amount." in text.replace(
        "subscription_id, ", ""
    )
    assert "# colours.csv: not read; no stream is recognised. Its columns: red, green" in text
    assert "# broken.xlsx: not read; not a readable workbook" in text
    assert {each.file for each in check(root) if each.code == "unread_file"} == {
        "contracts.csv",
        "colours.csv",
        "broken.xlsx",
    }


def test_files_of_months_are_one_pattern_and_nested_names_are_found(tmp_path: Path) -> None:
    event = (
        '{"messageId": "%s", "event": "login", "context": {"groupId": "1"}, "timestamp": "%s"}\n'
    )
    root = write(tmp_path, customers_csv=KUNDEN)
    for month in ("05", "06"):
        line = event % (month, f"2026-{month}-01T00:00:00Z")
        (root / f"events_2026-{month}.ndjson.gz").write_bytes(gzip.compress(line.encode()))
    text = drafted(root)
    assert "file: events_*.ndjson.gz" in text
    assert "account_id: context.groupId" in text
    assert not has_errors(check(root))
    assert preview(root).streams[-1].records == 2


def test_a_second_file_of_a_stream_takes_nothing_over_from_the_first(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        customers_csv=KUNDEN,
        customers_old_csv="id,name,seats\n7,Eibe,4\n",
        stripe_csv=DASHBOARD.replace(",c1,", ",1,"),
        contracts_csv=VERTRAEGE,
    )
    drafted(root)
    assert [each for each in check(root) if each.code not in {"orphan"}] == []
    accounts = {doc["account_id"]: doc for doc in documents(root, "accounts")}
    assert (accounts["7"]["name"], accounts["7"]["seats"]) == ("Eibe", 4)
    assert (accounts["1"]["name"], accounts["1"]["seats"]) == ("Ahorn", None)
    assert len(documents(root, "subscriptions")) == 5


def test_each_sheet_of_a_workbook_is_drafted(tmp_path: Path) -> None:
    book = workbook(
        Customers=[["id", "name"], [1, "Ahorn"]],
        Subscriptions=[
            ["subscription id", "customer id", "start date", "unit price", "seats", "interval"],
            ["S1", 1, date(2026, 1, 1), 120, 3, "annual"],
        ],
    )
    root = write(tmp_path, book_xlsx=book)
    drafted(root)
    assert not has_errors(check(root))
    (term,) = documents(root, "subscriptions")
    assert (term["account_id"], term["mrr_amount"]) == ("1", Decimal(30))


def test_events_that_name_a_subscription_look_its_account_up(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        customers_csv=KUNDEN,
        subscriptions_csv="subscription_id,customer,start_date,mrr\nS1,1,2026-01-01,50\n",
        usage_csv="usage_id,subscription_id,feature,date\nU1,S1,login,2026-02-01\n",
    )
    assert "account_id: {column: subscription_id, lookup: {file: subscriptions.csv" in drafted(root)
    assert not has_errors(check(root))


def test_the_subscriptions_of_a_stripe_dashboard_are_priced_by_quantity(tmp_path: Path) -> None:
    root = write(tmp_path, subs_csv=DASHBOARD)
    assert "# preset stripe_subscriptions" in drafted(root)
    terms = documents(root, "subscriptions")
    assert [(doc["subscription_id"], doc["mrr_amount"], doc["is_trial"]) for doc in terms] == [
        ("sub_a", 100, False),
        ("sub_b", 100, False),
        ("sub_c", 20, True),
    ]


HUBSPOT = "Record ID,First Name,Email,Associated Company IDs,Buying Role,Create Date\n"
ZENDESK = "Id,Subject,Status,Priority,Created at,Solved at,Organization\n"
SURVEY = "Respondent ID,Collector ID,Start Date,End Date,Email Address,Custom Data 1,"


@pytest.mark.parametrize(
    ("preset", "content", "stream", "expected"),
    [
        (
            "hubspot_contacts",
            f"{HUBSPOT}501,Dana,dana@x.example,9001;9002,Decision Maker,2025-03-05 10:00\n",
            "contacts",
            {"account_id": "9001", "role": "decision_maker", "created_on": "2025-03-05"},
        ),
        (
            "zendesk_tickets",
            f"{ZENDESK}7,Export stops,Solved,Normal,2026-02-01 08:30,2026-02-02 09:00,Ahorn\n",
            "tickets",
            {"account_id": "Ahorn", "priority": "medium", "status": "closed"},
        ),
        (
            "surveymonkey_responses",
            f"{SURVEY}How likely are you to recommend us?\n,,,,,,Response\n"
            "1001,7,2026-05-01 09:00:00,2026-05-01 09:03:00,a@x.example,c1,9\n",
            "survey_responses",
            {"account_id": "c1", "score": 9, "answered_at": "2026-05-01T09:03:00Z"},
        ),
        (
            "typeform_responses",
            "#,How likely are you to recommend us?,company_id,Submit Date (UTC),Network ID\n"
            "abc,10,c1,2026-05-01 09:03:00,f00\n",
            "survey_responses",
            {"account_id": "c1", "score": 10, "survey": "nps"},
        ),
        (
            "salesforce_opportunities",
            "Id,AccountId,Name,StageName,Amount,CloseDate,IsClosed,IsWon\n"
            "006,001,More seats,Closed Won,1200.5,2026-03-01,true,true\n",
            "deals",
            {"amount": Decimal("1200.5"), "is_won": True, "closes_on": "2026-03-01"},
        ),
        (
            "recurly_subscriptions",
            "uuid,account_code,plan_code,quantity,unit_amount,currency,activated_at,"
            "expires_at,plan_interval_unit,plan_interval_length\n"
            "s1,c1,gold,4,30,EUR,2026-01-01T00:00:00Z,,months,3\n",
            "subscriptions",
            {"mrr_amount": Decimal(40), "starts_on": "2026-01-01"},
        ),
    ],
)
def test_a_known_export_is_drafted_by_its_preset(
    tmp_path: Path, preset: str, content: str, stream: str, expected: dict[str, object]
) -> None:
    root = write(tmp_path, export_csv=content)
    assert f"# preset {preset}" in drafted(root)
    (doc,) = documents(root, stream)
    assert {name: doc[name] for name in expected} == expected


@pytest.mark.parametrize("name", presets())
def test_every_preset_fills_fields_of_its_stream_and_names_its_source(name: str) -> None:
    preset = presets()[name]
    assert preset["source"].startswith(("https://", "public programs"))
    known = fields_of(preset["stream"])
    assert set(preset["rule"]["fields"]) <= set(known)
    for origin in preset["rule"]["fields"].values():
        FieldRule.model_validate(origin)


TERMS = """streams:
  accounts: {file: accounts.csv, fields: {account_id: id, is_deleted: gone}}
  subscriptions:
    file: terms.csv
    fields:
      subscription_id: id
      account_id: customer
      starts_on: start
      ends_on: end
      mrr_amount: price
      currency: {value: EUR}
"""


def test_a_preview_counts_rows_customers_and_mrr(tmp_path: Path) -> None:
    rows = "S1,1,2026-01-15,2026-03-31,100,x\nS2,2,2026-02-01,,50,x\nS3,2,soon,,1,x\n"
    root = folder(
        tmp_path,
        TERMS,
        accounts_csv="id,gone\n1,\n2,\n",
        terms_csv=f"id,customer,start,end,price,note\n{rows}",
        other_csv="a,b\n1,2\n",
    )
    found = preview(root)
    accounts, terms = found.streams
    assert (accounts.records, terms.records, terms.rejected) == (2, 2, {"bad_timestamp": 1})
    assert (terms.first, terms.last) == ("2026-01-15", "2026-03-31")
    by_month = {month: amounts.get("EUR") for month, amounts in found.mrr.items()}
    assert by_month[date(2026, 2, 1)] == 100
    assert by_month[date(2026, 3, 1)] == 150
    # The end is exclusive: on 31 March the first term is over.
    assert by_month[date(2026, 4, 1)] == 50
    assert found.paying[date(2026, 3, 1)] == 2
    assert found.unread_columns == {"terms.csv": ["note"]}
    assert found.unread_files == ["other.csv"]


def test_rows_of_a_rejected_customer_are_folded_under_their_cause(tmp_path: Path) -> None:
    rows = "".join(f"S{n},2,2026-01-01,,5\n" for n in range(30))
    root = folder(
        tmp_path,
        TERMS,
        accounts_csv="id,gone\n1,\n2,perhaps\n",
        terms_csv=f"id,customer,start,end,price\n{rows}",
    )
    cause, child = check(root)
    assert (cause.file, cause.line, cause.code) == ("accounts.csv", 3, "not_a_boolean")
    assert (child.code, child.severity) == ("orphan", "warning")
    assert child.message == "'2' is rejected in accounts.csv:3; 30 rows refer to it"


def test_a_file_that_is_not_meant_to_be_read_is_listed_under_ignore(tmp_path: Path) -> None:
    root = folder(tmp_path, accounts_csv="id,name\n1,x\n", old_csv="a,b\n1,2\n")
    assert [(each.file, each.code) for each in check(root)] == [("old.csv", "unread_file")]
    assert check(folder(tmp_path, f'ignore: ["old*.csv"]\n{ACCOUNTS}')) == []


def test_init_and_preview_are_commands(tmp_path: Path) -> None:
    root = write(tmp_path, customers_csv=KUNDEN, contracts_csv=VERTRAEGE)
    made = CliRunner().invoke(app, ["files", "init", str(root)])
    assert made.exit_code == 0
    assert "subscriptions" in yaml.safe_load((root / "mapping.yml").read_text())["streams"]
    again = CliRunner().invoke(app, ["files", "init", str(root)])
    assert "exists already" in str(again.exception)
    shown = CliRunner().invoke(app, ["files", "preview", str(root)]).output
    assert "1,100.04 EUR" in shown
    assert "not read of" not in shown


@pytest.mark.parametrize("name", ["ravenstack", "fightchurn"])
class TestRealData:
    """The public data sets are drafted without an edit that the check asks for."""

    pytestmark = needs_shared_data

    def test_the_draft_has_no_error(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "mapping.yml"
        path.write_text(draft(SHARED / name))
        assert not has_errors(check(SHARED / name, path))
