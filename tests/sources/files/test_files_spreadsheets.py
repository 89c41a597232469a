"""What a spreadsheet does to a file: workbooks, rounded ids, day numbers, signs and spaces."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from retention.source import Rejected
from retention.sources.files.check import check, has_errors
from tests.sources.files.files_folder import (
    ACCOUNTS,
    Sheet,
    documents,
    folder,
    read,
    subscriptions,
    workbook,
)

TERMS: Sheet = [
    ["contract", "customer", "from", "price"],
    ["C-1", 9001, date(2026, 1, 1), 1200.5],
    [None, None, None, None],
    ["C-2", 9002, date(2026, 2, 15), 40],
]
CUSTOMERS: Sheet = [["id", "name"], [9001, "Alder & Sons"], [9002, "Birch"]]
BOOK = """
streams:
  accounts:
    file: book.xlsx
    sheet: Customers
    fields: {account_id: id, name: name}
  subscriptions:
    file: book.xlsx
    sheet: Terms
    fields:
      subscription_id: contract
      account_id: customer
      starts_on: from
      mrr_amount: price
      currency: {value: EUR}
"""


def one_rejected(root: Path, stream: str = "subscriptions") -> Rejected:
    (found,) = read(root, stream)
    assert isinstance(found, Rejected)
    return found


def test_each_stream_reads_its_sheet_of_a_workbook(tmp_path: Path) -> None:
    root = folder(tmp_path, BOOK, book_xlsx=workbook(Customers=CUSTOMERS, Terms=TERMS))
    assert check(root) == []
    assert [doc["name"] for doc in documents(root, "accounts")] == ["Alder & Sons", "Birch"]
    terms = documents(root, "subscriptions")
    assert [(t["account_id"], t["starts_on"], t["mrr_amount"]) for t in terms] == [
        ("9001", "2026-01-01", Decimal("1200.5")),
        ("9002", "2026-02-15", Decimal("40")),
    ]


def test_a_problem_names_the_sheet_and_the_row_of_the_workbook(tmp_path: Path) -> None:
    terms = [*TERMS, ["C-3", 9001, "soon", 1]]
    root = folder(tmp_path, BOOK, book_xlsx=workbook(Customers=CUSTOMERS, Terms=terms))
    (problem,) = check(root)
    assert str(problem).startswith("book.xlsx, sheet Terms:5: from: 'soon' is not a date")


def test_a_title_above_the_table_is_skipped_by_the_line_of_the_header(tmp_path: Path) -> None:
    titled = [["Contracts of all customers"], [None], *TERMS]
    mapping = BOOK.replace("sheet: Terms", "sheet: Terms\n    header_line: 3")
    root = folder(tmp_path, mapping, book_xlsx=workbook(Customers=CUSTOMERS, Terms=titled))
    assert check(root) == []
    assert len(documents(root, "subscriptions")) == 2
    text = "Accounts of June\n\nid,name\n1,x\n2,\n,y\n"
    mapping = ACCOUNTS.replace("accounts.csv", "accounts.csv\n    header_line: 3")
    found = read(folder(tmp_path, mapping, accounts_csv=text), "accounts")
    assert [each.position for each in found] == [f"accounts.csv line {n}" for n in (4, 5, 6)]


@pytest.mark.parametrize(
    ("old", "new", "code", "hint"),
    [
        ("sheet: Terms", "", "which_sheet", "'Customers', 'Terms'"),
        ("sheet: Terms", "sheet: Term", "missing_sheet", "Did you mean 'Terms'?"),
        ("starts_on: from", "starts_on: form", "missing_column", "Did you mean 'from'?"),
    ],
)
def test_a_workbook_that_the_mapping_does_not_fit_is_refused_with_a_hint(
    tmp_path: Path, old: str, new: str, code: str, hint: str
) -> None:
    book = workbook(Customers=CUSTOMERS, Terms=TERMS)
    (problem,) = check(folder(tmp_path, BOOK.replace(old, new), book_xlsx=book))
    assert problem.code == code
    assert hint in problem.message


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    problems = check(folder(tmp_path, BOOK, book_xlsx=b"id,name\n1,x\n"))
    assert [each.code for each in problems] == ["broken_workbook", "broken_workbook"]


@pytest.mark.parametrize("cell", ["1.84567E+11", "1,84567E+11", "2E+15"])
def test_an_id_that_a_spreadsheet_rounded_is_refused(tmp_path: Path, cell: str) -> None:
    root = folder(tmp_path, accounts_csv=f'id,name\n"{cell}",x\n')
    assert one_rejected(root, "accounts").code == "rounded_id"
    (problem,) = check(root)
    assert problem.line == 2
    assert "export the column as text" in problem.message


def test_ids_that_look_almost_like_rounded_ones_are_kept(tmp_path: Path) -> None:
    root = folder(tmp_path, accounts_csv="id,name\n12E4,x\nE+10,y\n1e5,z\n")
    assert [doc["account_id"] for doc in documents(root, "accounts")] == ["12E4", "E+10", "1e5"]


def test_a_rounded_key_of_a_lookup_is_refused(tmp_path: Path) -> None:
    mapping = subscriptions("price").replace(
        "account_id: a",
        "account_id: {column: a, lookup: {file: payers.csv, match: id, take: account}}",
    )
    rows, payers = "a,b,day,price\n1.5E+12,x,31.01.2024,1\n", "id,account\n1.5E+12,A\n"
    root = folder(tmp_path, mapping, terms_csv=rows, payers_csv=payers)
    assert one_rejected(root).code == "rounded_id"


EVENTS = """
streams:
  usage_events:
    file: usage.csv
    fields: {event_id: id, account_id: account, feature: what, occurred_at: at}
"""


def test_an_event_of_a_rounded_account_is_refused(tmp_path: Path) -> None:
    rows = "id,account,what,at\n1,9001,login,2026-06-01\n2,1.84567E+11,login,2026-06-01\n"
    (problem,) = check(folder(tmp_path, EVENTS, usage_csv=rows))
    assert (problem.line, problem.column, problem.code) == (3, "account", "rounded_id")


@pytest.mark.parametrize(
    ("unit", "cell", "hint"),
    [
        ("epoch_milliseconds", "1767225600", "2026-01-01 in epoch_seconds"),
        ("epoch_seconds", "1767225600000", "2026-01-01 in epoch_milliseconds"),
        ("epoch_seconds", "1767225600000000", "2026-01-01 in epoch_microseconds"),
        ("epoch_seconds", "46023", "2026-01-01 as a day number of a spreadsheet"),
        ("spreadsheet_days", "1767225600", "2026-01-01 in epoch_seconds"),
        (None, "46023", "set `unit: spreadsheet_days`"),
        (None, "1767225600", "set `unit: epoch_seconds`"),
    ],
)
def test_a_count_in_another_unit_than_stated_is_refused_with_the_unit_that_fits(
    tmp_path: Path, unit: str | None, cell: str, hint: str
) -> None:
    day = f"{{column: day, unit: {unit}}}" if unit else "day"
    mapping = subscriptions("price").replace('{column: day, format: "%d.%m.%Y"}', day)
    found = one_rejected(folder(tmp_path, mapping, terms_csv=f"a,b,day,price\nA,x,{cell},1\n"))
    assert found.code == "bad_timestamp"
    assert hint in found.reason


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("46023", "2026-01-01"), ("46023.75", "2026-01-01"), ("25569", "1970-01-01")],
)
def test_a_day_number_of_a_spreadsheet_is_read_where_it_is_stated(
    tmp_path: Path, cell: str, expected: str
) -> None:
    mapping = subscriptions("price").replace('format: "%d.%m.%Y"', "unit: spreadsheet_days")
    (doc,) = documents(
        folder(tmp_path, mapping, terms_csv=f"a,b,day,price\nA,x,{cell},1\n"), "subscriptions"
    )
    assert doc["starts_on"] == expected


@pytest.mark.parametrize(
    ("rule", "cell", "expected"),
    [
        ('{column: price, decimal: ",", thousands: " "}', "1\u00a0234,50", "1234.5"),
        ('{column: price, decimal: ",", thousands: " "}', "1\u202f234\u202f567,5", "1234567.5"),
        ('{column: price, thousands: ","}', "12,34,567.25", "1234567.25"),
        ('{column: price, thousands: "\'"}', "1'234.50", "1234.5"),
        ('{column: price, decimal: ",", thousands: ".", remove: ["€"]}', "€ 1.234,50", "1234.5"),
        ('{column: price, remove: ["kr."]}', "250\u00a0kr.", "250"),
        ('{column: price, thousands: ","}', "999.5", "999.5"),
    ],
)
def test_signs_and_spaces_in_an_amount_are_read_as_stated(
    tmp_path: Path, rule: str, cell: str, expected: str
) -> None:
    text = f'a,b,day,price\nA,x,31.01.2024,"{cell}"\n'
    (doc,) = documents(folder(tmp_path, subscriptions(rule), terms_csv=text), "subscriptions")
    assert doc["mrr_amount"] == Decimal(expected)


@pytest.mark.parametrize(
    ("rule", "cell", "hint"),
    [
        ('{column: price, thousands: ","}', "12,5", 'Set `decimal: ","`'),
        ('{column: price, thousands: ","}', "1,2345", "does not group its digits"),
        ('{column: price, thousands: ".", decimal: ","}', "1.5", 'Set `decimal: "."`'),
        ('{column: price, decimal: ","}', "1.5", 'Set `decimal: "."`'),
        ("price", "€5", "Set `remove: ['€']`"),
        ('{column: price, decimal: ",", thousands: " "}', "€ 1 234,50", "Set `remove: ['€']`"),
        ("price", "(100)", "Parentheses mean a negative amount"),
        ("price", "1\u202f000", 'Set `thousands: " "`'),
    ],
)
def test_an_amount_that_can_be_read_two_ways_is_refused_with_a_hint(
    tmp_path: Path, rule: str, cell: str, hint: str
) -> None:
    text = f'a,b,day,price\nA,x,31.01.2024,"{cell}"\n'
    found = one_rejected(folder(tmp_path, subscriptions(rule), terms_csv=text))
    assert found.code == "not_a_number"
    assert hint in found.reason
    assert repr(cell) in found.reason


def test_one_sign_cannot_separate_both_thousands_and_decimals(tmp_path: Path) -> None:
    mapping = subscriptions('{column: price, thousands: "."}')
    (problem,) = check(folder(tmp_path, mapping, terms_csv="a,b,day,price\n"))
    assert (problem.file, problem.code) == ("mapping.yml", "mapping_value")
    assert "same sign" in problem.message


def test_a_line_that_states_the_separator_is_no_header(tmp_path: Path) -> None:
    text = "sep=;\r\nid;name\r\n1;x\r\n2;y;z\r\n"
    root = folder(tmp_path, accounts_csv=text)
    assert [(each.line, each.code) for each in check(root) if each.severity == "error"] == [
        (4, "ragged_row")
    ]
    assert next(doc.position for doc in read(root, "accounts")) == "accounts.csv line 3"
    rows = "sep=,\nid,account,what,at\n1,9001,login,2026-06-01\n"
    assert check(folder(tmp_path / "usage", EVENTS, usage_csv=rows)) == []


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("United Kingdom", "`map: {United Kingdom: GB}`"),
        ("France", "`map: {France: FR}`"),
        ("uk", "`map: {uk: GB}`"),
    ],
)
def test_a_country_is_quoted_as_the_file_has_it(tmp_path: Path, cell: str, hint: str) -> None:
    mapping = ACCOUNTS.replace("name: name", "country: name")
    (problem,) = check(folder(tmp_path, mapping, accounts_csv=f"id,name\n1,{cell}\n"))
    assert problem.message.startswith(f"{cell!r} is not")
    assert hint in problem.message


@pytest.mark.parametrize("cell", ["#REF!", "#N/A", "#DIV/0!"])
def test_the_error_of_a_formula_is_no_value(tmp_path: Path, cell: str) -> None:
    root = folder(tmp_path, accounts_csv=f"id,name\n1,{cell}\n2,#1 in town\n")
    assert [each.code for each in check(root)] == ["formula_error"]
    known = folder(tmp_path, f'null_values: ["{cell}"]\n{ACCOUNTS}')
    assert not has_errors(check(known))
