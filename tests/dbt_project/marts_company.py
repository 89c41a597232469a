"""Three small customers as vendor documents, and a build of the marts on top."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

from retention import migration
from retention.builds import build
from retention.landing import land as landing
from retention.source import Record
from retention.sources import SOURCES
from retention.warehouse import Warehouse
from retention.window import Window
from tests.loading import query

AS_OF = date(2026, 6, 30)
NEXT_DAY = Window.of_day(date(2026, 7, 1))
BY_NAME = {source.name: source for source in SOURCES}


def epoch(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T10:00:00+00:00").timestamp())


def land(
    wh: Warehouse, source: str, stream: str, *docs: dict[str, Any], window: Window | None = None
) -> None:
    """Land the documents as in production, with record contracts; no window is a full listing."""
    found = replace(BY_NAME[source].stream(stream), deletes="tombstone")
    changed = datetime(2026, 6, 1, tzinfo=UTC)
    rows = [
        Record(doc[found.key], doc, changed, f"row {n}", deleted=doc.get("archived", False))
        for n, doc in enumerate(docs)
    ]
    over = window or Window.through(AS_OF)
    landing.land(wh, BY_NAME[source], found, over, iter(rows))


def crm(key: str, company: str | None = None, **properties: str | None) -> dict[str, Any]:
    """A HubSpot object; with a company it is associated to it."""
    at = "2026-06-01T00:00:00Z"
    links = {"companies": {"results": [{"id": company, "type": "x"}]}} if company else {}
    base = {"id": key, "createdAt": at, "updatedAt": at, "archived": False}
    return {**base, "properties": properties, "associations": links}


def invoice(key: str, payer: str, start: str, end: str, cents: int, **more: Any) -> dict[str, Any]:
    """A Stripe invoice of one monthly seat line."""
    currency = more.pop("currency", "usd")
    price = {
        "currency": currency,
        "unit_amount": cents,
        "type": "recurring",
        "lookup_key": "growth_seat",
        "recurring": {"interval": "month", "interval_count": 1},
    }
    line = {
        "id": f"il_{key}",
        "amount": cents,
        "currency": currency,
        "quantity": 1,
        "price": price,
        "period": {"start": epoch(start), "end": epoch(end)},
        "proration": False,
        "discount_amounts": [],
        "subscription_item": f"si_{payer}",
    }
    base = {"id": f"in_{key}", "customer": payer, "subscription": f"sub_{payer}", "total": cents}
    money = {"currency": currency, "amount_due": cents, "amount_paid": cents, "status": "paid"}
    times = {"created": epoch(start), "status_transitions": {"paid_at": epoch(start)}}
    return {**base, **money, **times, "lines": {"data": [line]}, **more}


def answer(key: str, company: str, score: int, day: str) -> dict[str, Any]:
    """An answer to the recommendation question."""
    scored = {"type": "number", "number": score, "field": {"id": "f1", "type": "opinion_scale"}}
    why = {"type": "text", "text": "because", "field": {"id": "f2", "type": "long_text"}}
    return {
        "token": key,
        "form_id": "a1b2c3",
        "form_title": "How likely are you to recommend us? (NPS)",
        "response_type": "completed",
        "landed_at": f"{day}T09:00:00Z",
        "submitted_at": f"{day}T09:01:00Z",
        "hidden": {"company_id": company, "email": "Ann@Keen.example"},
        "answers": [scored, why],
    }


MONTHS = [f"2026-{month:02d}-01" for month in range(1, 9)]


def found_company(wh: Warehouse) -> None:
    """Keen grows, Gone churns on 1 May, and Stray pays without a CRM account.

    Keen was two accounts once: 7 has been merged into 1, and an old survey link still says 7.
    """
    keen_crm = {"customer_segment": "SMB", "hs_merged_object_ids": "7"}
    land(
        wh, "hubspot", "companies",
        crm("1", name="Keen Inc.", createdate="2025-12-01T00:00:00Z", **keen_crm),
        crm("2", name="Gone Ltd.", customer_segment="SMB", createdate="2025-12-01T00:00:00Z"),
        {**crm("7", name="Keen"), "archived": True},
    )  # fmt: skip
    land(
        wh, "stripe", "customers",
        {"id": "cus_1", "created": epoch("2026-01-01"), "metadata": {"crm_company_id": "1"}},
        {"id": "cus_2", "created": epoch("2026-01-01"), "metadata": {"crm_company_id": "2"}},
        {"id": "cus_3", "created": epoch("2026-01-01"), "name": "Stray AG"},
    )  # fmt: skip
    spans = list(pairwise(MONTHS))
    keen = [invoice(f"k{a}", "cus_1", a, b, 10000 if a < "2026-04" else 15000) for a, b in spans]
    gone = [invoice(f"g{a}", "cus_2", a, b, 4000) for a, b in spans if a < "2026-05"]
    stray = [invoice(f"s{a}", "cus_3", a, b, 5000, currency="eur") for a, b in spans]
    land(wh, "stripe", "invoices", *keen, *gone, *stray)
    answers = answer("t1", "7", 9, "2026-05-10"), answer("t2", "1", 4, "2026-06-20")
    land(wh, "typeform", "responses", *answers)


def build_day(wh: Warehouse, day: date = AS_OF, known_at: datetime | None = None) -> None:
    """Build on raw tables of every source, including sources without records."""
    migration.migrate(wh, SOURCES)
    build.build(wh, day, known_at)


def show_readers(wh: Warehouse, day: date) -> None:
    """Record the newest build as published; a later build reads only this record."""
    with wh.connect("publisher") as conn:
        conn.execute(
            "insert into ops.publishes"
            " (build_id, as_of, known_at, status, published_at, actor, reason)"
            " select build_id, as_of, known_at, 'published', clock_timestamp(), 'test', ''"
            " from ops.builds where as_of = %s order by build_id desc limit 1",
            [day],
        )


def marts(wh: Warehouse) -> dict[str, Any]:
    """Return a fingerprint of every mart."""
    relations = (
        "select relname from pg_class"
        " where relnamespace = 'marts'::regnamespace and relkind in ('r', 'v')"
    )
    names = query(wh, relations, "transformer")
    prints = {}
    for (name,) in names:
        digest = "md5(string_agg(m::text, '|' order by m::text))"
        prints[name] = query(wh, f"select count(*), {digest} from marts.{name} m", "transformer")
    assert prints, "no mart was built"
    return prints
