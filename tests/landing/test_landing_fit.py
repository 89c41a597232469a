"""What breaks a contract costs the smallest part that may be missing."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, Field, model_validator

from retention.landing.fit import SetAside, Unfit, fit


class Share(BaseModel):
    amount: int


class Period(BaseModel):
    start: int
    note: int | None = None


class Line(BaseModel):
    id: str
    period: Period
    shares: list[Share] | None = None


class Address(BaseModel):
    zip_code: int


class Bill(BaseModel):
    id: str
    total: int = Field(alias="totalAmount")
    due: date | None = None
    paid: int | None = None
    address: Address | None = None
    lines: list[Line] = []

    @model_validator(mode="after")
    def paid_is_not_more_than_total(self) -> Bill:
        if (self.paid or 0) > self.total:
            raise ValueError("paid is more than total")
        return self


def line(key: str, start: Any = 1, **more: Any) -> dict[str, Any]:
    return {"id": key, "period": {"start": start}, **more}


def bill(**more: Any) -> dict[str, Any]:
    return {"id": "b", "totalAmount": 5, **more}


def test_a_document_that_fits_is_returned_as_it_is() -> None:
    doc = bill(lines=[line("a")], unknown="kept")
    assert fit(doc, Bill) == (doc, [])


@pytest.mark.parametrize(
    ("broken", "fitted", "paths"),
    [
        (bill(paid="much"), bill(paid=None), ["paid"]),
        (bill(due="1899-12-31"), bill(due=None), ["due"]),
        (bill(address={}), bill(address=None), ["address"]),
        (bill(address={"zip_code": "x"}), bill(address=None), ["address"]),
        (
            bill(lines=[line("a"), line("b", "x"), line("c")]),
            bill(lines=[line("a"), line("c")]),
            ["lines.1 (b)"],
        ),
        (
            bill(lines=[line("a", None), line("b"), line("c", "x", shares=[{}])]),
            bill(lines=[line("b")]),
            ["lines.0 (a)", "lines.2 (c)"],
        ),
        (
            bill(lines=[{"id": "a", "period": {"start": 1, "note": "x"}}]),
            bill(lines=[{"id": "a", "period": {"start": 1, "note": None}}]),
            ["lines.0.period.note"],
        ),
        (
            bill(lines=[line("a", shares=[{"amount": 1}, {"amount": "x"}])]),
            bill(lines=[line("a", shares=[{"amount": 1}])]),
            ["lines.0.shares.1"],
        ),
    ],
)
def test_the_smallest_part_is_set_aside(
    broken: dict[str, Any], fitted: dict[str, Any], paths: list[str]
) -> None:
    before = copy.deepcopy(broken)
    found, set_aside = fit(broken, Bill)
    assert found == fitted
    assert [part.path for part in set_aside] == paths
    assert broken == before
    assert fit(found, Bill) == (found, [])


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"id": "b"}, "totalAmount: "),
        (bill(totalAmount="much", paid="x"), "totalAmount: "),
        (bill(lines=None), "lines: "),
        (bill(paid=6), r"\$: paid is more than total"),
    ],
)
def test_a_required_value_costs_the_record(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}"):
        fit(broken, Bill)


def test_the_reason_names_the_value_that_broke_and_not_what_it_says() -> None:
    _, (part,) = fit(bill(lines=[line("a", "secret")]), Bill)
    assert part == SetAside(
        "lines.0 (a)",
        "contract",
        "lines.0.period.start: Input should be a valid integer,"
        " unable to parse string as an integer",
    )
