"""The demo servers speak the vendors' formats: the vendors' own clients read them."""

from __future__ import annotations

import base64
import gzip
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import hubspot
import hubspot.crm.objects
import pyarrow as pa
import pytest
import stripe
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.objects import (
    BatchInputSimplePublicObjectBatchInput,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
)

from demo.company import render_stripe
from demo.company.world import Version, World
from demo.servers import posthog_export
from demo.servers.app import Servers, serve
from demo.servers.bad_day import BadDayFile
from demo.servers.clock import move
from demo.servers.mishaps import (
    edited,
    hubspot_limit,
    lagging,
    reset,
    server_error,
    stripe_limit,
    truncated,
    truncated_gzip,
)

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


@pytest.fixture(scope="module")
def world() -> World:
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


@pytest.fixture
def servers(world: World, tmp_path: Path) -> Iterator[Servers]:
    with serve(world, AS_OF, folder=tmp_path) as running:
        yield running


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


# HubSpot


def test_the_official_hubspot_client_pages_through_every_company(servers: Servers) -> None:
    api = crm_client(servers).crm.objects.basic_api
    seen, after = [], None
    while True:
        page = api.get_page("companies", limit=100, after=after, properties=["name", "size"])
        seen += page.results
        if page.paging is None:
            break
        after = page.paging.next.after
    ids = [found.id for found in seen]
    assert ids == [str(1000 + n) for n in range(COMPANIES) if n != 7]
    assert seen[1].properties["name"] == "Company 1 AG"
    assert seen[2].properties["name"] == "Company 2"


def test_an_archived_company_is_only_in_the_archived_list(servers: Servers) -> None:
    api = crm_client(servers).crm.objects.basic_api
    gone = api.get_page("companies", archived=True).results
    assert [found.id for found in gone] == ["1007"]
    assert gone[0].archived
    assert gone[0].archived_at == START + timedelta(days=28)
    assert ask(servers, "hubspot", "/crm/v3/objects/companies/1007").status_code == 404


def test_only_requested_properties_come_back(servers: Servers) -> None:
    named = ask(servers, "hubspot", "/crm/v3/objects/companies/1001?properties=size,unheard_of")
    always = {"createdate", "hs_lastmodifieddate", "hs_object_id"}
    assert set(named.json()["properties"]) == always | {"size"}
    default = ask(servers, "hubspot", "/crm/v3/objects/companies/1002").json()["properties"]
    assert set(default) == always | {"name", "domain"}
    assert default["domain"] is None


def test_history_of_a_property_is_newest_first(servers: Servers) -> None:
    path = "/crm/v3/objects/companies/1001?propertiesWithHistory=name"
    told = ask(servers, "hubspot", path).json()["propertiesWithHistory"]["name"]
    assert [entry["value"] for entry in told] == ["Company 1 AG", "Company 1"]


def test_the_official_client_searches_by_keyset(servers: Servers) -> None:
    api = crm_client(servers).crm.objects.search_api
    bound = str(int((START + timedelta(days=21)).timestamp() * 1000))
    expected = [1000 + n for n in range(COMPANIES) if n % 2 and n >= 72]
    seen: list[int] = []
    while True:
        modified = {"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": bound}
        beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": str([0, *seen][-1])}
        request = PublicObjectSearchRequest(
            filter_groups=[{"filters": [modified, beyond]}],
            sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            limit=50,
        )
        page = api.do_search("companies", public_object_search_request=request)
        if not page.results:
            break
        assert page.total == len([key for key in expected if not seen or key > seen[-1]])
        seen += [int(found.id) for found in page.results]
    assert seen == expected
    assert len(seen) == 89


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        ({"operator": "EQ", "propertyName": "name", "value": "company 2"}, 1),
        ({"operator": "IN", "propertyName": "size", "values": ["2", "4", "7"]}, 2 + 124),
        ({"operator": "BETWEEN", "propertyName": "size", "value": "2", "highValue": "6"}, 3),
        ({"operator": "GT", "propertyName": "size", "value": "246"}, 1),
        ({"operator": "LTE", "propertyName": "hs_object_id", "value": "1003"}, 4),
        ({"operator": "LT", "propertyName": "createdate", "value": "2026-06-01T02:00:00Z"}, 2),
        ({"operator": "HAS_PROPERTY", "propertyName": "domain"}, 124),
        ({"operator": "NOT_HAS_PROPERTY", "propertyName": "domain"}, 125),
    ],
)
def test_search_knows_the_operators(servers: Servers, rule: dict[str, Any], count: int) -> None:
    body = {"filterGroups": [{"filters": [rule]}], "limit": 1}
    found = ask(servers, "hubspot", "/crm/v3/objects/companies/search", json=body).json()
    assert found["total"] == count


def test_filter_groups_are_alternatives_and_sorts_descend(servers: Servers) -> None:
    groups = [
        {"filters": [{"propertyName": "size", "operator": "EQ", "value": size}]}
        for size in ("4", "8")
    ]
    sort = [{"propertyName": "createdate", "direction": "DESCENDING"}]
    body = {"filterGroups": groups, "sorts": sort}
    found = ask(servers, "hubspot", "/crm/v3/objects/companies/search", json=body).json()
    assert [entry["id"] for entry in found["results"]] == ["1008", "1004"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"limit": 100, "after": "9950"},
        {"after": "10000"},
        {"after": "page two"},
        {
            "filterGroups": [
                {"filters": [{"propertyName": "size", "operator": "LIKE", "value": "1"}]}
            ]
        },
        {"filterGroups": [{"filters": []}] * 6},
        {"sorts": ["name", "size"]},
    ],
)
def test_search_refuses_with_400_what_hubspot_refuses(servers: Servers, body: Any) -> None:
    refused = ask(servers, "hubspot", "/crm/v3/objects/companies/search", json=body)
    assert refused.status_code == 400
    assert refused.json()["category"] == "VALIDATION_ERROR"


def test_batch_read_names_the_ids_it_did_not_find(servers: Servers) -> None:
    api = crm_client(servers).crm.objects.batch_api
    ids = [{"id": "1001"}, {"id": "77"}, {"id": "1002"}]
    request = BatchReadInputSimplePublicObjectId(
        inputs=ids, properties=["name"], properties_with_history=[]
    )
    found = api.read("companies", batch_read_input_simple_public_object_id=request)
    assert sorted(entry.id for entry in found.results) == ["1001", "1002"]
    assert found.num_errors == 1
    assert found.errors[0].context["ids"] == ["77"]


def test_associations_are_known_from_both_sides(servers: Servers) -> None:
    api = crm_client(servers).crm.associations.v4.batch_api
    request = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": "9003"}, {"id": "9298"}])
    there = api.get_page(
        "contacts",
        "companies",
        batch_input_public_fetch_associations_batch_request=request,
    )
    assert {r._from.id: [to.to_object_id for to in r.to] for r in there.results} == {
        "9003": ["1003"],
        "9298": ["1048"],
    }
    types = there.results[0].to[0].association_types
    assert [(kind.type_id, kind.label) for kind in types] == [(1, "Primary"), (279, None)]
    back = ask(servers, "hubspot", "/crm/v3/objects/companies/1003?associations=contacts").json()
    linked = back["associations"]["contacts"]["results"]
    assert [entry["id"] for entry in linked] == ["9003", "9003", "9253", "9253"]
    kinds = {entry["type"] for entry in linked}
    assert kinds == {"company_to_contact", "company_to_contact_unlabeled"}
    alone = {"inputs": [{"id": "1001"}, {"id": "77"}]}
    path = "/crm/v4/associations/companies/contacts/batch/read"
    partly = ask(servers, "hubspot", path, json=alone)
    assert partly.status_code == 207
    assert partly.json()["errors"][0]["subCategory"] == "crm.associations.NO_ASSOCIATIONS_FOUND"


def test_the_official_client_reads_all_owners(servers: Servers) -> None:
    owners = crm_client(servers).crm.owners.get_all()
    assert len(owners) == 129
    archived = crm_client(servers).crm.owners.get_all(archived=True)
    assert [owner.id for owner in archived] == ["2"]


def test_written_properties_are_read_back_and_survive_a_restart(
    servers: Servers, world: World, tmp_path: Path
) -> None:
    api = crm_client(servers).crm.objects.batch_api
    update = SimplePublicObjectBatchInput(id="1001", properties={"health": "71"})
    inputs = BatchInputSimplePublicObjectBatchInput(inputs=[update])
    with pytest.raises(hubspot.crm.objects.ApiException, match="PROPERTY_DOESNT_EXIST"):
        api.update("companies", batch_input_simple_public_object_batch_input=inputs)
    definition = {"name": "health", "label": "Health", "type": "number", "fieldType": "number"}
    made = ask(
        servers, "hubspot", "/crm/v3/properties/companies", json={**definition, "groupName": "g"}
    )
    assert made.status_code == 201
    api.update("companies", batch_input_simple_public_object_batch_input=inputs)
    with serve(world, AS_OF, folder=tmp_path) as again:
        found = ask(
            again, "hubspot", "/crm/v3/objects/companies/1001?properties=health,name"
        ).json()
        assert found["properties"]["health"] == "71"
        assert found["properties"]["name"] == "Company 1 AG"
        assert found["updatedAt"] == "2026-07-01T00:00:00.000Z"
        again.clock.as_of = AS_OF - timedelta(days=1)
        before = ask(again, "hubspot", "/crm/v3/objects/companies/1001?properties=health").json()
        assert before["properties"]["health"] is None


def test_a_wrong_token_and_an_unknown_type_get_hubspots_errors(servers: Servers) -> None:
    with pytest.raises(hubspot.crm.objects.ApiException) as error:
        hubspot.Client.create(
            access_token="pat-wrong", host=servers.urls["hubspot"]
        ).crm.objects.basic_api.get_page("companies")
    assert error.value.status == 401
    assert json.loads(error.value.body)["category"] == "INVALID_AUTHENTICATION"
    unknown = ask(servers, "hubspot", "/crm/v3/objects/spaceships")
    assert unknown.status_code == 400
    assert "Unable to infer object type" in unknown.json()["message"]
    assert ask(servers, "hubspot", "/crm/v3/objects/companies?limit=101").status_code == 400


# Stripe


def test_the_official_stripe_client_auto_pages_newest_first(servers: Servers) -> None:
    found = list(
        billing_client(servers)
        .v1.subscriptions.list({"status": "all", "limit": 50})
        .auto_paging_iter()
    )
    assert [each.id for each in found] == [f"sub_{n:04d}" for n in reversed(range(SUBSCRIPTIONS))]
    shown = servers.faults.log["stripe"]
    assert len(shown) == 3


def test_canceled_subscriptions_hide_unless_asked_for(servers: Servers) -> None:
    client = billing_client(servers).v1.subscriptions
    live = list(client.list({"limit": 100}).auto_paging_iter())
    canceled = list(client.list({"limit": 100, "status": "canceled"}).auto_paging_iter())
    assert (len(live), len(canceled)) == (90, 30)
    assert {each.status for each in live} == {"active"}
    one = client.list({"customer": "cus_004", "status": "all"})
    assert {each.customer for each in one.data} == {"cus_004"}


def test_created_filters_are_half_open_or_closed_as_asked(servers: Servers) -> None:
    client = billing_client(servers).v1.invoices
    day = int((START + timedelta(days=3)).timestamp())
    assert [i.id for i in client.list({"created": {"gte": day, "lt": day + 86400}}).data] == [
        "in_0003"
    ]
    assert [i.id for i in client.list({"created": {"gt": day, "lte": day + 86400}}).data] == [
        "in_0004"
    ]


def test_paging_backwards_gives_the_page_before(servers: Servers) -> None:
    client = billing_client(servers).v1.invoices
    page = client.list({"limit": 3, "ending_before": "in_0010"})
    assert [each.id for each in page.data] == ["in_0013", "in_0012", "in_0011"]
    assert page.has_more


def test_nested_lists_show_ten_and_page_on_from_their_url(servers: Servers) -> None:
    invoice_shown = billing_client(servers).v1.invoices.retrieve("in_0002")
    assert len(invoice_shown.lines.data) == 10
    assert invoice_shown.lines.has_more
    lines = list(billing_client(servers).v1.invoices.line_items.list("in_0002").auto_paging_iter())
    assert [line.id for line in lines] == [f"il_2_{n}" for n in range(23)]
    owner = billing_client(servers).v1.subscriptions.retrieve("sub_0005")
    assert (len(owner["items"].data), owner["items"].has_more) == (10, True)
    items = billing_client(servers).v1.subscription_items.list({"subscription": "sub_0005"})
    assert len(list(items.auto_paging_iter())) == 23


def test_events_tell_every_change_of_the_last_thirty_days(servers: Servers) -> None:
    found = list(billing_client(servers).v1.events.list({"limit": 100}).auto_paging_iter())
    times = [event.created for event in found]
    assert times == sorted(times, reverse=True)
    assert min(times) >= int((datetime(2026, 7, 1, tzinfo=UTC) - timedelta(days=30)).timestamp())
    paid = billing_client(servers).v1.events.list({"type": "invoice.paid", "limit": 100}).data
    assert len(paid) == 25
    assert paid[0].data.object["status"] == "paid"
    assert paid[0].data.previous_attributes.to_dict() == {"attempt_count": 0, "status": "open"}
    kinds = {event.type for event in found}
    assert {"customer.deleted", "customer.subscription.deleted", "invoice.created"} <= kinds
    one = billing_client(servers).v1.events.retrieve(found[3].id)
    assert one.to_dict() == found[3].to_dict()
    types = ["invoice.created", "customer.deleted"]
    some = billing_client(servers).v1.events.list({"types": types, "limit": 100}).data
    assert {event.type for event in some} == set(types)


def test_events_older_than_thirty_days_are_gone(servers: Servers) -> None:
    servers.clock.as_of = AS_OF + timedelta(days=31)
    found = list(billing_client(servers).v1.events.list({"limit": 100}).auto_paging_iter())
    assert found == []


def test_a_deleted_customer_leaves_the_list_and_answers_deleted(servers: Servers) -> None:
    ids = [each.id for each in billing_client(servers).v1.customers.list().data]
    assert "cus_003" not in ids
    assert len(ids) == 9
    assert billing_client(servers).v1.customers.retrieve("cus_003").deleted


def test_expanding_puts_the_object_in_place_of_its_id(servers: Servers) -> None:
    client = billing_client(servers).v1.invoices
    found = client.list({"limit": 1, "expand": ["data.customer"]}).data[0]
    assert found.customer.email == "billing1@example.com"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.list({"limit": 1, "expand": ["data.flavour"]})


def test_stripe_answers_with_its_own_errors(servers: Servers) -> None:
    client = billing_client(servers).v1
    with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_x'") as error:
        client.customers.retrieve("cus_x")
    assert (error.value.http_status, error.value.code) == (404, "resource_missing")
    assert error.value.request_id.startswith("req_")
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter: colour"):
        client.customers.list({"colour": "red"})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 100"):
        client.customers.list({"limit": 101})
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param"):
        client.subscription_items.list({})  # type: ignore[typeddict-item]
    wrong = stripe.StripeClient("sk_test_wrong", base_addresses={"api": servers.urls["stripe"]})
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        wrong.v1.customers.list()


def test_basic_authentication_and_a_pinned_version_are_accepted(servers: Servers) -> None:
    key = base64.b64encode(f"{servers.tokens['stripe']}:".encode()).decode()
    told = {"authorization": f"Basic {key}", "stripe-version": "2024-06-20"}
    found = ask(servers, "stripe", "/v1/customers", headers=told)
    assert found.status_code == 200
    assert found.headers["stripe-version"] == "2024-06-20"
    wrong = ask(servers, "stripe", "/v1/customers", headers={"stripe-version": "yesterday"})
    assert wrong.status_code == 400


# Typeform


def responses(servers: Servers, query: str) -> Any:
    return ask(servers, "typeform", f"/forms/nps/responses?{query}").json()


def test_typeform_walks_back_through_all_responses_by_token(servers: Servers) -> None:
    assert len(responses(servers, "")["items"]) == 25
    first = responses(servers, "page_size=1000")
    assert (first["total_items"], first["page_count"]) == (1100, 2)
    last = first["items"][-1]["token"]
    rest = responses(servers, f"page_size=1000&before={last}")
    assert rest["page_count"] == 1
    tokens = [entry["token"] for entry in first["items"] + rest["items"]]
    assert tokens == [f"tok{n:05d}" for n in reversed(range(1100))]
    assert "form_id" not in first["items"][0]
    forward = responses(servers, "page_size=10&after=tok00005")
    assert [entry["token"] for entry in forward["items"]] == [f"tok{n:05d}" for n in range(6, 16)]


def test_since_and_until_include_both_ends(servers: Servers) -> None:
    window = "since=2026-06-01T00:10:00&until=1780273800"
    found = responses(servers, window)
    assert [entry["token"] for entry in found["items"]] == ["tok00003", "tok00002", "tok00001"]


def test_typeform_refuses_a_token_together_with_a_window(servers: Servers) -> None:
    refused = ask(servers, "typeform", "/forms/nps/responses?before=tok00005&since=1780273800")
    assert refused.status_code == 400
    assert refused.json()["code"] == "VALIDATION_ERROR"
    assert ask(servers, "typeform", "/forms/nps/responses?page_size=1001").status_code == 400
    assert ask(servers, "typeform", "/forms/other/responses").json()["code"] == "FORM_NOT_FOUND"
    wrong = ask(servers, "typeform", "/forms", headers={"authorization": "Bearer no"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "AUTHENTICATION_FAILED")


def test_typeform_lists_its_forms(servers: Servers) -> None:
    assert [form["id"] for form in ask(servers, "typeform", "/forms").json()["items"]] == ["nps"]
    assert ask(servers, "typeform", "/forms/nps").json()["fields"][0]["id"] == "f1"


# PostHog


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_an_event_is_in_the_file_of_the_day_it_arrived(servers: Servers, tmp_path: Path) -> None:
    written = servers.sync(date(2026, 6, 5))
    folder = tmp_path / "exports" / "posthog"
    files = sorted(path.name for path in folder.glob("*.jsonl.gz"))
    assert written == len(files) == 5
    assert files[0] == "2026-06-01T00:00:00+00:00-2026-06-02T00:00:00+00:00.jsonl.gz"
    fourth = lines(folder / posthog_export.file_name(date(2026, 6, 4)))
    assert "u0" in {event["uuid"] for event in fourth}
    late = next(event for event in fourth if event["uuid"] == "u0")
    assert late["timestamp"] == "2026-06-01T00:00:00.000000+00:00"
    assert late["properties"] == {"quantity": 1, "$groups": {"company": "1001"}}


def test_exporting_again_leaves_old_files_untouched(servers: Servers, tmp_path: Path) -> None:
    servers.sync(date(2026, 6, 5))
    folder = tmp_path / "exports" / "posthog"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.jsonl.gz")}
    assert servers.sync(date(2026, 6, 6)) == 1
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.jsonl.gz")}
    assert before.items() <= after.items()
    assert servers.sync(date(2026, 6, 5)) == 0
    assert {path.name for path in folder.glob("*.jsonl.gz")} == set(before)


# The clock, faults and a bad day


def test_moving_the_clock_changes_what_the_servers_show(servers: Servers) -> None:
    path = "/crm/v3/objects/companies/search"
    counts = []
    for day in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 30), date(2026, 6, 1)):
        servers.clock.as_of = day
        counts.append(ask(servers, "hubspot", path, json={}).json()["total"])
    assert counts == [0, 24, 249, 24]


class CountingClock:
    """A clock that notes how often it is read."""

    def __init__(self) -> None:
        self.reads = 0

    @property
    def as_of(self) -> date:
        self.reads += 1
        return AS_OF


def test_a_request_looks_at_the_clock_once(world: World) -> None:
    clock = CountingClock()
    update = {"inputs": [{"id": "1001", "properties": {"name": "New"}}]}
    with serve(world, clock) as running:
        ask(running, "hubspot", "/crm/v3/objects/companies/batch/update", json=update)
        ask(running, "hubspot", "/crm/v3/objects/contacts?associations=companies")
        ask(running, "stripe", "/v1/invoices?expand[]=data.customer")
        ask(running, "typeform", "/forms/nps/responses")
    assert clock.reads == 4


def test_faults_strike_the_requests_they_were_ordered_for(servers: Servers) -> None:
    servers.faults.add("hubspot", hubspot_limit("DAILY"), on=2, path="/companies")
    servers.faults.add("hubspot", server_error(502), on=3, path="/companies")
    codes = [ask(servers, "hubspot", "/crm/v3/objects/companies").status_code for _ in range(4)]
    assert codes == [200, 429, 502, 200]
    servers.faults.add("stripe", stripe_limit("lock_timeout"), times=1)
    with pytest.raises(stripe.RateLimitError):
        stripe.StripeClient(
            servers.tokens["stripe"],
            base_addresses={"api": servers.urls["stripe"]},
            max_network_retries=0,
        ).v1.customers.list()
    assert list(servers.faults.log["stripe"]) == ["GET /v1/customers"]


def test_the_daily_limit_says_so(servers: Servers) -> None:
    servers.faults.add("hubspot", hubspot_limit("DAILY"))
    body = ask(servers, "hubspot", "/crm/v3/owners").json()
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "DAILY")


def test_a_rate_limit_refuses_what_is_too_fast(servers: Servers) -> None:
    servers.faults.limit("typeform", 2)
    codes = [ask(servers, "typeform", "/forms").status_code for _ in range(4)]
    assert codes[:2] == [200, 200]
    assert 429 in codes[2:]


def test_broken_transport_breaks_the_clients_read(servers: Servers) -> None:
    servers.faults.add("stripe", truncated(), on=1)
    servers.faults.add("stripe", reset(), on=2)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(servers, "stripe", "/v1/invoices")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ask(servers, "stripe", "/v1/invoices")
    assert ask(servers, "stripe", "/v1/invoices").status_code == 200
    servers.faults.add("typeform", truncated_gzip())
    cut = ask(servers, "typeform", "/forms")
    assert cut.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        cut.json()


def test_an_edited_answer_and_a_lagging_index(servers: Servers) -> None:
    servers.faults.add("hubspot", edited(lambda page: page | {"total": 9}), on=1)
    body: dict[str, Any] = {"limit": 1}
    path = "/crm/v3/objects/companies/search"
    assert ask(servers, "hubspot", path, json=body).json()["total"] == 9
    servers.clock.as_of = date(2026, 6, 1)
    servers.faults.add("hubspot", lagging(timedelta(hours=4)))
    assert ask(servers, "hubspot", path, json=body).json()["total"] == 20


def test_a_bad_day_poisons_what_changed_on_it_until_it_is_switched_off(servers: Servers) -> None:
    servers.clock.as_of = date(2026, 6, 3)
    kinds = ("nps_eleven", "negative_price", "vanished:stripe/invoices", "emptied:hubspot/contacts")
    servers.bad_day.switch_on(date(2026, 6, 3), kinds)
    scores = [r["answers"][0]["number"] for r in responses(servers, "page_size=500")["items"]]
    assert (scores[:144], set(scores[144:])) == ([11] * 144, set(range(11)))
    client = billing_client(servers).v1
    priced = client.subscriptions.list({"limit": 5, "status": "all"}).data
    amounts = [each["items"].data[0].price.unit_amount for each in priced]
    assert amounts == [-4900, -4900, -4900, -4900, 4900]
    assert ask(servers, "stripe", "/v1/invoices").status_code == 404
    assert ask(servers, "hubspot", "/crm/v3/objects/contacts").json() == {"results": []}
    servers.clock.as_of = date(2026, 6, 2)
    assert ask(servers, "stripe", "/v1/invoices").status_code == 200
    servers.clock.as_of = date(2026, 6, 3)
    servers.bad_day.switch_off()
    assert (
        max(r["answers"][0]["number"] for r in responses(servers, "page_size=500")["items"]) == 10
    )


def test_poison_can_be_kept_to_a_few_records(servers: Servers) -> None:
    servers.clock.as_of = date(2026, 6, 3)
    servers.bad_day.switch_on(date(2026, 6, 3), ("nps_eleven*2", "inflated_prices*1"))
    scores = [r["answers"][0]["number"] for r in responses(servers, "page_size=500")["items"]]
    assert scores.count(11) == 2
    found = billing_client(servers).v1.subscriptions.list({"limit": 50, "status": "all"}).data
    assert [each["items"].data[0].price.unit_amount for each in found].count(4_900_000) == 1


def test_a_quiet_day_is_made_bad_by_a_change_of_its_own(servers: Servers) -> None:
    day = date(2026, 6, 30)
    servers.bad_day.switch_on(day, ("nps_eleven",))
    newest = responses(servers, "")["items"][0]
    assert newest["answers"][0]["number"] == 11
    assert newest["submitted_at"].startswith("2026-06-30")
    with pytest.raises(ValueError, match="no poison"):
        servers.bad_day.switch_on(day, ("arsenic",))


# The command


def start(folder: Path, *more: str) -> subprocess.Popen[str]:
    """The servers in a process of their own; returns once they have said where they are."""
    announced = folder / "demo" / "servers.json"
    announced.unlink(missing_ok=True)
    words = ["--state", str(folder), "--as-of", "2024-07-20", "--customers", "6", *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.servers", *words],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(3000):
        if announced.exists():
            return process
        assert process.poll() is None, "the servers ended before they served"
        time.sleep(0.01)
    raise AssertionError("the servers did not start")


def finish(process: subprocess.Popen[str]) -> list[str]:
    """End the servers as `make down` does; what they printed."""
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    return printed.splitlines()


def test_the_command_serves_follows_its_clock_and_keeps_its_addresses(tmp_path: Path) -> None:
    process = start(tmp_path)
    try:
        told = json.loads((tmp_path / "demo" / "servers.json").read_text())
        assert set(told) == {"hubspot", "stripe", "typeform", "posthog"}
        assert (tmp_path / "demo" / "servers.json").stat().st_mode & 0o077 == 0
        headers = {"authorization": f"Bearer {told['hubspot']['token']}"}
        url = f"{told['hubspot']['base_url']}/crm/v3/objects/companies/search"
        before = httpx.post(url, json={}, headers=headers).json()["total"]
        move(tmp_path / "demo", date(2025, 7, 1))
        after = httpx.post(url, json={}, headers=headers).json()["total"]
        files = [path.name for path in Path(told["posthog"]["base_url"]).glob("*.jsonl.gz")]
    finally:
        printed = finish(process)
    assert 0 < before < after <= 6
    assert max(files) <= posthog_export.file_name(date(2025, 7, 1))
    assert len(files) > 300
    assert [line.split()[0] for line in printed] == ["hubspot", "stripe", "typeform", "posthog"]
    assert not (tmp_path / "demo" / "served").exists()
    again = start(tmp_path)
    try:
        assert json.loads((tmp_path / "demo" / "servers.json").read_text()) == told
    finally:
        finish(again)


def test_a_bad_day_can_be_switched_on_from_the_command_line(tmp_path: Path) -> None:
    process = start(tmp_path, "--bad-day", "2024-07-20:emptied:hubspot/companies")
    try:
        told = json.loads((tmp_path / "demo" / "servers.json").read_text())["hubspot"]
        headers = {"authorization": f"Bearer {told['token']}"}
        url = f"{told['base_url']}/crm/v3/objects/companies"
        assert httpx.get(url, headers=headers).json() == {"results": []}
        BadDayFile(tmp_path / "demo" / "bad_day.json").switch_off()
        assert httpx.get(url, headers=headers).json()["results"]
    finally:
        finish(process)
