"""A small world made by hand, and the ways to ask the servers over it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import hubspot
import hubspot.crm.objects
import pyarrow as pa
import stripe

from demo.company import render_stripe
from demo.company.world import Version, World
from demo.servers.app import Servers

START = datetime(2026, 6, 1, tzinfo=UTC)
AS_OF = date(2026, 6, 30)
COMPANIES = 250
SUBSCRIPTIONS = 120


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def crm(record_id: int, at: datetime, born: datetime = START, **properties: Any) -> Version:
    """A CRM object as its API shows it, last modified at ``at``."""
    more = {"createdate": stamp(born), "hs_lastmodifieddate": stamp(at)}
    doc = {
        "id": str(record_id),
        "properties": {**properties, **more, "hs_object_id": str(record_id)},
        "createdAt": stamp(born),
        "updatedAt": stamp(at),
        "archived": False,
    }
    return Version(at, doc)


def company(number: int) -> list[Version]:
    born = START + timedelta(hours=number)
    first = crm(1000 + number, born, born, name=f"Company {number}", domain=None, size=str(number))
    changed = born + timedelta(days=18)
    second = crm(1000 + number, changed, born, name=f"Company {number} AG", domain="x", size="7")
    return [first, second] if number % 2 else [first]


def contact(number: int) -> list[Version]:
    made = crm(9000 + number, START, email=f"c{number}@example.com", customer_role="champion")
    key, kind = str(1000 + number % COMPANIES), "contact_to_company"
    entries = [{"id": key, "type": kind}, {"id": key, "type": f"{kind}_unlabeled"}]
    doc = {**made.doc, "associations": {"companies": {"results": entries}}}
    doc["properties"] = {**doc["properties"], "lastmodifieddate": stamp(START)}
    return [Version(START, doc)]


def item(number: int, subscription: str) -> dict[str, Any]:
    price = {"id": f"price_{number}", "object": "price", "unit_amount": 4900, "currency": "usd"}
    return {
        "id": f"si_{subscription}{number}",
        "object": "subscription_item",
        "price": price,
        "quantity": 1,
        "subscription": subscription,
    }


def subscription(number: int) -> list[Version]:
    at = START + timedelta(hours=6 * number)
    key, items = f"sub_{number:04d}", 23 if number == 5 else 1
    doc = {
        "id": key,
        "object": "subscription",
        "created": int(at.timestamp()),
        "customer": f"cus_{number % 10:03d}",
        "status": "active",
        "items": {"object": "list", "data": [item(n, key) for n in range(items)]},
    }
    canceled = {**doc, "status": "canceled"}
    later = at + timedelta(hours=3)
    return [Version(at, doc), Version(later, canceled)] if number % 4 == 0 else [Version(at, doc)]


def customer(number: int) -> list[Version]:
    at = START - timedelta(days=60) + timedelta(days=number)
    doc = {
        "id": f"cus_{number:03d}",
        "object": "customer",
        "created": int(at.timestamp()),
        "email": f"billing{number}@example.com",
        "metadata": {"crm_company_id": str(1000 + number)},
    }
    gone = Version(START + timedelta(days=25), doc, deleted=True)
    return [Version(at, doc), gone] if number == 3 else [Version(at, doc)]


def invoice(number: int) -> list[Version]:
    at = START + timedelta(days=number)
    lines = [
        {"id": f"il_{number}_{n}", "object": "line_item", "amount": 100 + n}
        for n in range(23 if number == 2 else 2)
    ]
    doc = {
        "id": f"in_{number:04d}",
        "object": "invoice",
        "created": int(at.timestamp()),
        "customer": "cus_001",
        "status": "open",
        "attempt_count": 0,
        "lines": {"object": "list", "data": lines},
    }
    paid = {**doc, "status": "paid", "attempt_count": 1}
    return [Version(at, doc), Version(at + timedelta(hours=2), paid)]


def billing() -> dict[tuple[str, str], dict[str, list[Version]]]:
    """The billing objects and the events that tell of them."""
    nouns = {
        "customers": "customer",
        "subscriptions": "customer.subscription",
        "invoices": "invoice",
    }
    records = {("stripe", stream): {} for stream in (*nouns, "events")}
    for stream, make, count in (
        ("customers", customer, 10),
        ("subscriptions", subscription, SUBSCRIPTIONS),
        ("invoices", invoice, 25),
    ):
        for versions in map(make, range(count)):
            render_stripe.add(records, stream, versions[0].doc["id"], versions, nouns[stream])
    return records


def response(number: int) -> list[Version]:
    at = START + timedelta(minutes=10 * number)
    score = {
        "type": "number",
        "number": number % 11,
        "field": {"id": "f1", "type": "opinion_scale"},
    }
    doc = {
        "form_id": "nps",
        "token": f"tok{number:05d}",
        "response_id": f"tok{number:05d}",
        "response_type": "completed",
        "landed_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "submitted_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "hidden": {"company_id": str(1000 + number % COMPANIES)},
        "answers": [score],
    }
    return [Version(at, doc)]


def usage() -> pa.Table:
    rows = []
    for number in range(300):
        at = START + timedelta(hours=number)
        late = timedelta(days=3) if number % 50 == 0 else timedelta(minutes=1)
        row = {"uuid": f"u{number}", "event": "report opened", "distinct_id": f"{9000 + number}"}
        row |= {"company_id": "1001", "timestamp": at, "received_at": at + late}
        properties = {"quantity": 1, "$groups": {"company": "1001"}}
        rows.append({**row, "properties": json.dumps(properties)})
    return pa.Table.from_pylist(rows)


def small_world() -> World:
    """Records of every vendor with paging, ties, deletions and late events, by hand."""
    records = {
        ("hubspot", "companies"): {v[0].doc["id"]: v for v in map(company, range(COMPANIES))},
        ("hubspot", "contacts"): {v[0].doc["id"]: v for v in map(contact, range(300))},
        ("hubspot", "tickets"): {},
        ("hubspot", "owners"): {
            str(n): [
                Version(
                    START,
                    {
                        "id": str(n),
                        "email": f"o{n}@x",
                        "firstName": "O",
                        "lastName": "W",
                        "type": "PERSON",
                        "userId": n,
                        "createdAt": stamp(START),
                        "updatedAt": stamp(START),
                        "archived": False,
                    },
                    deleted=n == 2,
                )
            ]
            for n in range(1, 131)
        },
        **billing(),
        ("typeform", "responses"): {v[0].doc["token"]: v for v in map(response, range(1100))},
    }
    gone = company(7)[-1]
    at = START + timedelta(days=28)
    records["hubspot", "companies"]["1007"].append(Version(at, gone.doc, deleted=True))
    return World(7, 10, START.date(), 40, records, usage(), {})


def ask(servers: Servers, vendor: str, path: str, **options: Any) -> httpx.Response:
    """One request with the account's own token; a POST when there is a ``json`` body."""
    headers = {"authorization": f"Bearer {servers.tokens[vendor]}", **options.pop("headers", {})}
    verb = "POST" if "json" in options else "GET"
    return httpx.request(verb, servers.urls[vendor] + path, headers=headers, **options)


def crm_client(servers: Servers) -> Any:
    return hubspot.Client.create(
        access_token=servers.tokens["hubspot"], host=servers.urls["hubspot"]
    )


def billing_client(servers: Servers) -> stripe.StripeClient:
    return stripe.StripeClient(
        servers.tokens["stripe"], base_addresses={"api": servers.urls["stripe"]}
    )


def responses(servers: Servers, query: str) -> Any:
    return ask(servers, "typeform", f"/forms/nps/responses?{query}").json()
