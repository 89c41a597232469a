"""Stripe: documents as the contract has them, and one that breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from retention.landing.documents import Prepared, prepare
from retention.source import Record, Rejected, Stream
from retention.sources.stripe import SOURCE
from tests.sources.stripe.billing import HISTORY, START, Billing, at, read
from tests.vendor_replay import Answer, Asked, Replay, fixture, said


@pytest.mark.parametrize("stream", SOURCE.streams, ids=lambda stream: stream.name)
def test_good_documents_keep_the_contract_and_the_ugly_one_does_not(stream: Stream) -> None:
    """The ugly ones: a birth "yesterday", a negative price, money that does not exist."""
    pages = fixture("stripe", stream.name)

    def vendor(asked: Asked) -> Answer:
        if asked.path == "/v1/events":
            return Billing()(asked)
        return said(pages[1] if "starting_after" in asked.query else pages[0])

    with Replay(vendor) as server:
        rows = read(server.connection(), HISTORY, stream)
    assert len(rows) == 4
    judged = [prepare(row, stream.record) for row in rows if isinstance(row, Record)]
    assert [isinstance(each, Prepared) for each in judged] == [True, True, True, False]


@pytest.mark.parametrize("amount", [-1, "-0.5", "NaN", True, "much"])
def test_a_price_is_never_negative(amount: Any) -> None:
    page = fixture("stripe", "subscriptions")[0]
    doc = page["data"][0]
    doc["items"]["data"][0]["price"]["unit_amount_decimal"] = amount
    record = Record(doc["id"], doc, at(START), "page 1 row 1")
    judged = prepare(record, SOURCE.stream("subscriptions").record)
    assert isinstance(judged, Rejected)
    assert judged.code == "contract"
