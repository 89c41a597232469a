"""Amounts, dates and words of a file become canonical values, exactly or not at all."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from retention.source import Rejected
from tests.sources.files.files_folder import documents, folder, read, subscriptions

INVOICES = """
time_zone: America/New_York
null_values: [NULL]
streams:
  invoices:
    file: invoices.csv
    fields:
      invoice_id: id
      account_id: account
      currency: currency
      total_amount: {column: total, unit: minor}
      kind: {column: total, map: {"-500": credit_note}, otherwise: invoice}
  tickets:
    file: tickets.csv
    fields:
      ticket_id: id
      account_id: account
      opened_at: opened
      first_reply_at: {column: opened, plus: {column: hours, unit: hours}}
"""


def one(root: Path, stream: str) -> dict[str, Any]:
    (doc,) = documents(root, stream)
    return doc


@pytest.mark.parametrize(
    ("rule", "cell", "expected"),
    [
        ("price", "0.1", "0.1"),
        ("price", "0.1234567890123456789", "0.1234567890123456789"),
        ("price", "99999999999998.999999999999", "99999999999998.999999999999"),
        ("price", "1e3", "1000"),
        ("price", "-0", "0"),
        ("price", " 12.50 ", "12.5"),
        ("{column: price, per: year}", "1200", "100"),
        ("{column: price, per: year}", "100", "8.333333"),
        ("{column: price, per: quarter}", "100.50", "33.5"),
        ("{column: price, per: billing_period}", "600", "100"),
        ("{column: price, unit: minor}", "1999", "19.99"),
        ('{column: price, decimal: ",", thousands: "."}', '"1.234,56"', "1234.56"),
    ],
)
def test_amounts_are_exact(tmp_path: Path, rule: str, cell: str, expected: str) -> None:
    mapping = subscriptions(rule, billing_period_months="{value: 6}")
    root = folder(tmp_path, mapping, terms_csv=f"a,b,day,price\nA,x,31.01.2024,{cell}\n")
    amount = one(root, "subscriptions")["mrr_amount"]
    assert isinstance(amount, Decimal)
    assert str(amount) == expected


@pytest.mark.parametrize(
    "cell", ["NaN", "Infinity", "1e400", "1e-400", "12 000", "0x10", "\uff11\uff12"]
)
def test_an_invalid_number_is_rejected_not_rounded(tmp_path: Path, cell: str) -> None:
    root = folder(
        tmp_path, subscriptions("price"), terms_csv=f"a,b,day,price\nA,x,31.01.2024,{cell}\n"
    )
    (found,) = read(root, "subscriptions")
    assert isinstance(found, Rejected)
    assert found.code in {"not_a_number", "number_too_long"}
    assert cell in found.raw


@pytest.mark.parametrize(
    ("currency", "expected"), [("JPY", "1999"), ("USD", "19.99"), ("BHD", "1.999"), ("UGX", "1999")]
)
def test_minor_units_follow_the_currency(tmp_path: Path, currency: str, expected: str) -> None:
    rows = f"id,account,currency,total\n1,A,{currency},1999\n"
    assert one(folder(tmp_path, INVOICES, invoices_csv=rows), "invoices")[
        "total_amount"
    ] == Decimal(expected)


def test_values_are_mapped_and_unmapped_ones_get_the_default(tmp_path: Path) -> None:
    rows = "id,account,currency,total\n1,A,USD,-500\n2,A,USD,100\n"
    docs = documents(folder(tmp_path, INVOICES, invoices_csv=rows), "invoices")
    assert [doc["kind"] for doc in docs] == ["credit_note", "invoice"]


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        ("2024-01-15 08:00", "2024-01-15T13:00:00Z"),  # winter in New York
        ("2024-07-15 08:00", "2024-07-15T12:00:00Z"),  # summer
        ("2024-01-15T08:00:00.250+02:00", "2024-01-15T06:00:00.250000Z"),
        ("2024-01-15T08:00:00Z", "2024-01-15T08:00:00Z"),
        ("2024-01-15", "2024-01-15T05:00:00Z"),
    ],
)
def test_times_are_read_in_their_zone_and_written_in_utc(
    tmp_path: Path, opened: str, expected: str
) -> None:
    root = folder(tmp_path, INVOICES, tickets_csv=f"id,account,opened,hours\n1,A,{opened},NULL\n")
    doc = one(root, "tickets")
    assert doc["opened_at"] == expected
    assert doc["first_reply_at"] is None


def test_a_duration_is_added_to_a_time(tmp_path: Path) -> None:
    rows = "id,account,opened,hours\n1,A,2024-01-15T08:00:00Z,1.5\n"
    doc = one(folder(tmp_path, INVOICES, tickets_csv=rows), "tickets")
    assert doc["first_reply_at"] == "2024-01-15T09:30:00Z"


@pytest.mark.parametrize(
    "cell", ["0000-01-01", "2024-02-30", "infinity", "12026-01-01", "1714644000", "31/01/2024"]
)
def test_an_invalid_date_is_rejected(tmp_path: Path, cell: str) -> None:
    root = folder(tmp_path, INVOICES, tickets_csv=f"id,account,opened,hours\n1,A,{cell},\n")
    (found,) = read(root, "tickets")
    assert isinstance(found, Rejected)
    assert found.code == "bad_timestamp"
