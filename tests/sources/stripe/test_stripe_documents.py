"""Stripe: documents as the contract has them, and one that breaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from retention.landing.documents import Prepared, prepare
from retention.source import Record, Stream
from retention.sources.stripe import SOURCE
from tests.loading import is_whole
from tests.sources.stripe.billing import HISTORY, START, Billing, at, read
from tests.vendor_replay import Answer, Replay, Request, fixture, json_answer


@pytest.mark.parametrize("stream", SOURCE.streams, ids=lambda stream: stream.name)
def test_valid_documents_pass_the_contract_and_the_invalid_one_fails(stream: Stream) -> None:
    """The ugly ones: a birth "yesterday", a negative price, money that does not exist."""
    pages = fixture("stripe", stream.name)

    def vendor(request: Request) -> Answer:
        if request.path == "/v1/events":
            return Billing()(request)
        return json_answer(pages[1] if "starting_after" in request.query else pages[0])

    with Replay(vendor) as server:
        rows = read(server.connection(), HISTORY, stream)
    assert len(rows) == 4
    judged = [prepare(row, stream.record) for row in rows if isinstance(row, Record)]
    assert [is_whole(each) for each in judged] == [True, True, True, False]


@pytest.mark.parametrize("amount", [-1, "-0.5", "NaN", True, "much"])
def test_a_price_is_never_negative(amount: Any) -> None:
    page = fixture("stripe", "subscriptions")[0]
    doc = page["data"][0]
    doc["items"]["data"][0]["price"]["unit_amount_decimal"] = amount
    record = Record(doc["id"], doc, at(START), "page 1 row 1")
    judged = prepare(record, SOURCE.stream("subscriptions").record)
    assert isinstance(judged, Prepared)
    (part,) = judged.set_aside
    assert part.path == "items.data.0.price.unit_amount_decimal"
    assert part.code == "contract"


def invoice(**line: Any) -> dict[str, Any]:
    doc = fixture("stripe", "invoices")[0]["data"][0]
    doc["lines"]["data"][0] |= line
    return dict(doc)


@pytest.mark.parametrize(
    "line",
    [
        {"discount_amounts": None, "tax_amounts": None},
        {"price": None, "quantity": None},
        {"price": {"currency": "usd", "unit_amount": None, "unit_amount_decimal": "12.5"}},
        {"amount": -500, "quantity": -1, "proration": True},
    ],
)
def test_a_line_may_be_all_that_the_api_reference_allows(line: dict[str, Any]) -> None:
    doc = invoice(**line)
    record = Record(doc["id"], doc, at(START), "page 1 row 1")
    assert is_whole(prepare(record, SOURCE.stream("invoices").record))


def test_a_line_that_breaks_the_contract_is_set_aside_and_its_invoice_loads() -> None:
    doc = invoice(period={"start": "yesterday", "end": 1})
    lines = len(doc["lines"]["data"])
    key = doc["lines"]["data"][0]["id"]
    record = Record(doc["id"], doc, at(START), "page 1 row 1")
    judged = prepare(record, SOURCE.stream("invoices").record)
    assert isinstance(judged, Prepared)
    assert [part.path for part in judged.set_aside] == [f"lines.data.0 ({key})"]
    assert len(json.loads(judged.text)["lines"]["data"]) == lines - 1
