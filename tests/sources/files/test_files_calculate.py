"""Calculated columns, periods of a price, dates in several forms, several records of a row."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from retention.source import Record, Rejected
from retention.sources.files.calculate import BadExpression, parsed
from retention.sources.files.check import check
from tests.sources.files.files_folder import ACCOUNTS, documents, folder, read

HEAD = "id,customer,start,end,price,seats,discount,every,times\n"
TERMS = """
streams:
  subscriptions:
    file: terms.csv{options}
    fields:
      subscription_id: id
      account_id: customer
      starts_on: {start}
      mrr_amount: {mrr}
      currency: {{value: EUR}}{more}
"""


def terms(mrr: str = "price", *, start: str = "start", calculate: str = "", **more: str) -> str:
    options = f"\n    calculate: {calculate}" if calculate else ""
    fields = "".join(f"\n      {name}: {rule}" for name, rule in more.items())
    return TERMS.format(options=options, mrr=mrr, start=start, more=fields)


def only(root: Path, stream: str = "subscriptions") -> dict[str, Any]:
    (doc,) = documents(root, stream)
    return doc


ROW = "S,A,2026-01-31,2026-12-31,10.50,3,0.1,month,1\n"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("number(price) * number(seats)", "31.5"),
        ("number(price) * number(seats) * (1 - number(discount))", "28.35"),
        ("number(price) / 3", "3.5"),
        ("number(price) / 9", "1.166667"),
        ("number(price) * 52 / 12", "45.5"),
        ("greatest(number(price) - 2, 0)", "8.5"),
        ("case when every = 'month' then number(price) else 0 end", "10.5"),
        ("number_in(replace(price, '.', ','), ',', '.')", "10.5"),
        ("coalesce(number(missing), number(price))", "10.5"),
        ('number("list price") * 2', "80"),
    ],
)
def test_an_amount_is_calculated_from_the_columns_of_its_row(
    tmp_path: Path, expression: str, expected: str
) -> None:
    mapping = terms(
        "monthly", calculate=f"{{monthly: '{expression.replace(chr(39), chr(39) * 2)}'}}"
    )
    head, row = HEAD.replace("\n", ",missing,list price\n"), ROW.replace("\n", ",,40\n")
    root = folder(tmp_path, mapping, terms_csv=head + row)
    assert check(root) == []
    assert only(root)["mrr_amount"] == Decimal(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("plus_months(start, 1)", "2026-02-28"),
        ("plus_months(start, number(seats) * 12)", "2029-01-31"),
        ("plus_days(start, 14)", "2026-02-14"),
        ('least(day("end"), plus_months(start, 6))', "2026-07-31"),
        ("last_day(day(start))", "2026-01-31"),
        ('coalesce("end", start)', "2026-12-31"),
    ],
)
def test_a_date_is_calculated(tmp_path: Path, expression: str, expected: str) -> None:
    mapping = terms(calculate=f"{{until: '{expression}'}}", ends_on="until")
    assert only(folder(tmp_path, mapping, terms_csv=HEAD + ROW))["ends_on"] == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("domain(mail)", "birch.example"),
        ("first_word(name)", "Ada"),
        ("last_word(name)", "Lovelace"),
        ("upper(first_word(name)) || '/' || domain(mail)", "ADA/birch.example"),
    ],
)
def test_a_text_is_taken_apart(tmp_path: Path, expression: str, expected: str) -> None:
    mapping = f"""
streams:
  accounts:
    file: people.csv
    calculate: {{taken: "{expression}"}}
    fields: {{account_id: id, name: taken}}
"""
    rows = "id,name,mail\n1,Ada King Lovelace,ada@Birch.example\n"
    assert only(folder(tmp_path, mapping, people_csv=rows), "accounts")["name"] == expected


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("price * seats", "write number(column)"),
        ("(select 1)", "subquery is not allowed"),
        ("1 from range(5)", "not one expression"),
        ("1; select 2", "several statements"),
        ("price, seats", "not one expression"),
        ("read_text('/etc/hostname')", "'read_text' is not allowed"),
        ("now()", "'now' is not allowed"),
        ("random()", "'random' is not allowed"),
        ("sum(number(price))", "'sum' is not allowed"),
        ("row_number() over ()", "window is not allowed"),
        ("nunber(price)", "Did you mean 'number'?"),
        ("number(price", "not an expression"),
    ],
)
def test_what_is_no_expression_over_a_row_is_refused_with_its_line(
    tmp_path: Path, expression: str, why: str
) -> None:
    with pytest.raises(BadExpression):
        parsed(expression)
    mapping = terms("monthly", calculate=f'\n      monthly: "{expression}"')
    (problem,) = check(folder(tmp_path, mapping, terms_csv=HEAD + ROW))
    assert (problem.file, problem.line, problem.code) == ("mapping.yml", 6, "bad_expression")
    assert why in problem.message


def test_the_case_of_a_column_counts_in_an_expression(tmp_path: Path) -> None:
    mapping = terms("monthly", calculate="{monthly: number(Price)}")
    (problem,) = check(folder(tmp_path, mapping, terms_csv=HEAD + ROW))
    assert (problem.code, problem.column) == ("missing_column", "Price")


def test_a_calculation_that_fails_costs_its_row_and_no_other(tmp_path: Path) -> None:
    mapping = terms("monthly", calculate="{monthly: number(price) * number(seats)}")
    rows = "".join(f"S{n},A,2026-01-01,,{n},2,,,\n" for n in range(3_000))
    broken = rows.replace("S2500,A,2026-01-01,,2500,", "S2500,A,2026-01-01,,soon,")
    found = read(folder(tmp_path, mapping, terms_csv=HEAD + broken), "subscriptions")
    (rejected,) = [each for each in found if isinstance(each, Rejected)]
    assert (rejected.position, rejected.code) == ("terms.csv line 2502", "calculation_failed")
    assert "'soon' is not a plain number" in rejected.reason
    amounts = [each.doc["mrr_amount"] for each in found if isinstance(each, Record)]
    assert amounts == [Decimal(2 * n) for n in range(3_000) if n != 2_500]


def test_rows_are_selected_by_a_calculated_column(tmp_path: Path) -> None:
    mapping = terms(calculate="{kind: first_word(every)}").replace(
        "    fields:", "    only: {kind: [month]}\n    fields:"
    )
    rows = ROW + ROW.replace("S,", "T,").replace("month", "once only")
    docs = documents(folder(tmp_path, mapping, terms_csv=HEAD + rows), "subscriptions")
    assert [doc["subscription_id"] for doc in docs] == ["S"]


@pytest.mark.parametrize(
    ("every", "times", "price", "expected"),
    [
        ("month", "1", "10", "10"),
        ("month", "3", "30", "10"),
        ("year", "1", "120", "10"),
        ("year", "2", "240", "10"),
        ("week", "1", "12", "52"),
        ("Week", "2", "12", "26"),
        ("day", "1", "12", "365"),
        ("annually", "", "120", "10"),
        ("quarter", "1", "1", "0.333333"),
    ],
)
def test_a_price_per_interval_and_count_becomes_monthly(
    tmp_path: Path, every: str, times: str, price: str, expected: str
) -> None:
    words = "map: {annually: year}"
    rule = f"{{column: price, per: interval, interval: {{column: every, count: times, {words}}}}}"
    row = f"S,A,2026-01-31,,{price},3,,{every},{times}\n"
    root = folder(tmp_path, terms(rule), terms_csv=HEAD + row)
    assert only(root)["mrr_amount"] == Decimal(expected)


def test_a_weekly_price_has_fifty_two_weeks_a_year(tmp_path: Path) -> None:
    row = "S,A,2026-01-31,,100,3,,,\n"
    root = folder(tmp_path, terms("{column: price, per: week}"), terms_csv=HEAD + row)
    assert only(root)["mrr_amount"] == Decimal("433.333333")


@pytest.mark.parametrize(
    ("every", "times", "code"),
    [
        ("fortnight", "1", "unknown_word"),
        ("month", "0", "out_of_range"),
        ("", "1", "missing_value"),
    ],
)
def test_a_period_that_is_not_known_costs_the_row(
    tmp_path: Path, every: str, times: str, code: str
) -> None:
    rule = "{column: price, per: interval, interval: {column: every, count: times}}"
    row = f"S,A,2026-01-31,,10,3,,{every},{times}\n"
    (found,) = read(folder(tmp_path, terms(rule), terms_csv=HEAD + row), "subscriptions")
    assert isinstance(found, Rejected)
    assert found.code == code


def test_an_inclusive_end_is_the_day_before_the_exclusive_one(tmp_path: Path) -> None:
    rule = "{column: end, inclusive: true}"
    doc = only(folder(tmp_path, terms(ends_on=rule), terms_csv=HEAD + ROW))
    assert doc["ends_on"] == "2027-01-01"


@pytest.mark.parametrize(
    ("zone", "written", "expected"),
    [
        ("Europe/Berlin", "2026-01-31T23:00:00Z", "2026-02-01"),
        ("Europe/Berlin", "2026-02-01T00:00:00+01:00", "2026-02-01"),
        ("America/New_York", "2026-02-01T03:00:00Z", "2026-01-31"),
        ("UTC", "2026-02-01T00:00:00+01:00", "2026-01-31"),
        ("Europe/Berlin", "2026-02-01", "2026-02-01"),
        ("America/New_York", "2026-02-01 00:00:00", "2026-02-01"),
    ],
)
def test_a_day_is_that_of_the_companys_time_zone(
    tmp_path: Path, zone: str, written: str, expected: str
) -> None:
    mapping = f"time_zone: {zone}\n" + terms()
    row = f"S,A,{written},,10,3,,,\n"
    assert only(folder(tmp_path, mapping, terms_csv=HEAD + row))["starts_on"] == expected


def test_an_epoch_is_a_day_of_the_companys_time_zone(tmp_path: Path) -> None:
    mapping = "time_zone: Europe/Berlin\n" + terms(start="{column: start, unit: epoch_seconds}")
    row = "S,A,1769900400,,10,3,,,\n"  # midnight of 1 February in Berlin
    assert only(folder(tmp_path, mapping, terms_csv=HEAD + row))["starts_on"] == "2026-02-01"


FORMS = '{column: start, format: ["%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y"]}'


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("31.01.2026", "2026-01-31"),
        ("2026-01-31", "2026-01-31"),
        ("01/31/2026", "2026-01-31"),
        ("31/01/2026", "2026-01-31"),
        ("03/03/2026", "2026-03-03"),
    ],
)
def test_one_column_may_have_several_forms_of_a_date(
    tmp_path: Path, written: str, expected: str
) -> None:
    root = folder(tmp_path, terms(start=FORMS), terms_csv=f"{HEAD}S,A,{written},,10,3,,,\n")
    assert only(root)["starts_on"] == expected


def test_a_date_that_two_forms_read_differently_is_refused(tmp_path: Path) -> None:
    root = folder(tmp_path, terms(start=FORMS), terms_csv=f"{HEAD}S,A,02/03/2026,,10,3,,,\n")
    (problem,) = check(root)
    assert problem.code == "ambiguous_date"
    assert "'%m/%d/%Y' and '%d/%m/%Y'" in problem.message


UPGRADES = """
streams:
  accounts: {file: accounts.csv, fields: {account_id: id}}
  subscriptions:
    file: plans.csv
    calculate: {first_end: "coalesce(upgraded_on, until)"}
    fields:
      subscription_id: id
      account_id: customer
      product: plan
      starts_on: since
      ends_on: first_end
      mrr_amount: {column: plan, map: {Team: "40", Firm: "90"}}
      currency: {value: EUR}
    also:
      - skip: {upgraded_to: [""]}
        fields:
          subscription_id: {columns: [id, upgraded_on]}
          product: upgraded_to
          starts_on: upgraded_on
          ends_on: until
          mrr_amount: {column: upgraded_to, map: {Team: "40", Firm: "90"}}
"""
PLANS = """id,customer,plan,since,until,upgraded_to,upgraded_on
P1,K1,Team,2025-03-01,,Firm,2025-10-15
P2,K2,Team,2025-04-01,2026-01-01,,
"""


def test_a_row_with_an_upgrade_makes_two_terms(tmp_path: Path) -> None:
    root = folder(tmp_path, UPGRADES, plans_csv=PLANS, accounts_csv="id\nK1\nK2\n")
    assert check(root) == []
    found = [
        (
            doc["subscription_id"],
            doc["product"],
            doc["starts_on"],
            doc["ends_on"],
            doc["mrr_amount"],
        )
        for doc in documents(root, "subscriptions")
    ]
    assert found == [
        ("P1", "Team", "2025-03-01", "2025-10-15", 40),
        ("P2", "Team", "2025-04-01", "2026-01-01", 40),
        ("P1|2025-10-15", "Firm", "2025-10-15", None, 90),
    ]


def test_two_files_of_different_shape_feed_one_stream(tmp_path: Path) -> None:
    mapping = """
streams:
  accounts:
    file: old.csv
    fields: {account_id: id, name: name, segment: size}
    also:
      - file: new.csv
        delimiter: ";"
        fields: {account_id: number, name: title, segment: null}
"""
    old, new = "id,name,size\n1,x,SMB\n", "number;title\n2;y\n1;z\n"
    root = folder(tmp_path, mapping, old_csv=old, new_csv=new)
    (problem,) = check(root)
    assert (problem.file, problem.line, problem.code) == ("new.csv", 3, "duplicate_id")
    keys = [(doc["account_id"], doc["segment"]) for doc in documents(root, "accounts")]
    assert keys == [("1", "SMB"), ("2", None), ("1", None)]


def test_a_problem_of_a_further_rule_has_its_line(tmp_path: Path) -> None:
    mapping = UPGRADES.replace("product: upgraded_to", "produkt: upgraded_to")
    (problem,) = check(folder(tmp_path, mapping, plans_csv=PLANS, accounts_csv="id\nK1\nK2\n"))
    assert (problem.line, problem.code) == (19, "unknown_field")
    assert "Did you mean 'product'?" in problem.message


CONTACTS = """
streams:
  accounts: {file: accounts.csv, fields: {account_id: id}}
  contacts:
    file: contacts.csv
    fields: {contact_id: id, account_id: RULE, role: role, created_on: since, left_on: left}
"""


def contacts(root: Path, rule: str, rows: str) -> Path:
    head = "id,companies,role,since,left\n"
    known = "id\n9001\n9002\n"
    return folder(
        root, CONTACTS.replace("RULE", rule), accounts_csv=known, contacts_csv=head + rows
    )


@pytest.mark.parametrize("cell", ["9001;9999", " 9001 ; 9002", ";9001", "9001"])
def test_the_first_of_several_ids_in_a_cell_is_used(tmp_path: Path, cell: str) -> None:
    root = contacts(tmp_path, "{column: companies, separator: ';'}", f"1,{cell},user,,\n")
    assert check(root) == []
    assert only(root, "contacts")["account_id"] == "9001"


def test_several_ids_in_a_cell_are_an_error_while_no_separator_is_set(tmp_path: Path) -> None:
    sound = "".join(f"{n},9001,user,,\n" for n in range(50))
    (problem,) = check(contacts(tmp_path, "companies", f"{sound}50,9001;9999,user,,\n"))
    assert (problem.severity, problem.code, problem.line) == ("error", "several_ids", 52)
    assert "set `separator: ';'`" in problem.message


def test_an_optional_value_that_is_wrong_is_lost_alone(tmp_path: Path) -> None:
    rows = "1,9001,boss,2024-01-01,\n2,9001,user,someday,\n3,9001,user,2024-01-01,\n"
    root = contacts(tmp_path, "companies", rows)
    assert {(each.line, each.code, each.severity) for each in check(root)} == {
        (2, "unknown_word", "warning"),
        (3, "bad_timestamp", "warning"),
    }
    found = read(root, "contacts")
    held = [each for each in found if isinstance(each, Rejected)]
    assert [(each.record_id, each.raw, each.record_kept) for each in held] == [
        ("1", '{"role": "boss"}', True),
        ("2", '{"since": "someday"}', True),
    ]
    docs = [each.doc for each in found if isinstance(each, Record)]
    assert [(doc["role"], doc["created_on"]) for doc in docs] == [
        (None, "2024-01-01"),
        ("user", None),
        ("user", "2024-01-01"),
    ]


def test_a_value_whose_loss_would_change_a_figure_costs_the_row(tmp_path: Path) -> None:
    rows = "1,9001,user,2024-01-01,someday\n2,9001,user,2024-01-01,\n"
    root = contacts(tmp_path, "companies", rows)
    assert [(each.line, each.severity) for each in check(root)] == [(2, "error")]
    assert [type(each) for each in read(root, "contacts")] == [Rejected, Record]


def test_a_column_without_any_readable_value_is_an_error(tmp_path: Path) -> None:
    rows = "".join(f"{n},9001,user,31.01.2024,\n" for n in range(60))
    problems = check(contacts(tmp_path, "companies", rows))
    assert {(each.code, each.severity) for each in problems} == {("bad_timestamp", "error")}
    assert sum(each.count for each in problems) == 60


def test_a_value_outside_its_contract_is_lost_alone(tmp_path: Path) -> None:
    mapping = ACCOUNTS.replace("name: name", "name: name, seats: seats")
    root = folder(tmp_path, mapping, accounts_csv="id,name,seats\n1,x,-3\n2,y,4\n")
    held, one, two = read(root, "accounts")
    assert isinstance(held, Rejected)
    assert (held.code, held.raw) == ("out_of_range", '{"seats": "-3"}')
    assert [each.doc["seats"] for each in (one, two) if isinstance(each, Record)] == [None, 4]
