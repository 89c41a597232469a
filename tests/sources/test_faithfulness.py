"""The vendors' clients and the connectors get the same records from the same servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import hubspot
import pytest
import stripe as stripe_client
from hubspot.crm.objects import PublicObjectSearchRequest

from demo.company.world import World, simulate
from demo.servers.app import Servers, serve
from demo.servers.clock import instant_after
from retention.source import Connection, Record, Source
from retention.sources import hubspot as hubspot_source
from retention.sources import stripe, typeform
from retention.window import Window

AS_OF = date(2025, 3, 31)
CRM_STREAMS = [each.name for each in hubspot_source.SOURCE.streams if each.name != "owners"]
EPOCH = date(1970, 1, 1)
OBJECT_TYPES = {"goals": "2-9001"}


@pytest.fixture(scope="module")
def world() -> World:
    return simulate(customers=30, days=280)


@pytest.fixture(scope="module")
def servers(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with serve(world, AS_OF, folder=tmp_path_factory.mktemp("demo")) as running:
        yield running


def read(servers: Servers, source: Source, name: str, window: Window) -> dict[str, Record]:
    """Read with the connector; every row must be a record."""
    connection = Connection(source.conn_id, servers.urls[source.name], servers.tokens[source.name])
    stream = source.stream(name)
    rows = list(stream.extract(connection, stream, window))
    assert all(isinstance(row, Record) for row in rows)
    found = {row.record_id: row for row in rows if isinstance(row, Record)}
    assert len(found) == len(rows) > 0
    return found


# HubSpot


def crm(servers: Servers) -> Any:
    return hubspot.Client.create(
        access_token=servers.tokens["hubspot"], host=servers.urls["hubspot"]
    ).crm


def object_type(name: str) -> str:
    return OBJECT_TYPES.get(name, name)


def listed_by_client(servers: Servers, name: str, *, archived: bool) -> dict[str, Any]:
    """List all objects of a type with the official client."""
    extra = hubspot_source.SOURCE.stream(name).extra
    found: dict[str, Any] = {}
    after = None
    while True:
        page = crm(servers).objects.basic_api.get_page(
            object_type(name),
            limit=100,
            after=after,
            properties=list(extra["properties"]),
            associations=list(extra["associations"]) or None,
            archived=archived,
        )
        found |= {each.id: each for each in page.results}
        if page.paging is None:
            return found
        after = page.paging.next.after


def essence_of_client(each: Any) -> tuple[Any, ...]:
    links = {
        target: {other.id for other in others.results}
        for target, others in (each.associations or {}).items()
    }
    return each.properties, each.created_at, each.updated_at, each.archived, links


def essence_of_record(record: Record) -> tuple[Any, ...]:
    doc = record.doc
    links = {
        target: {other["id"] for other in others["results"]}
        for target, others in doc.get("associations", {}).items()
    }
    born, changed = (datetime.fromisoformat(doc[name]) for name in ("createdAt", "updatedAt"))
    return doc["properties"], born, changed, doc["archived"], links


@pytest.mark.parametrize("name", CRM_STREAMS)
def test_hubspots_client_and_ours_list_the_same_objects(servers: Servers, name: str) -> None:
    ours = read(servers, hubspot_source.SOURCE, name, Window.through(AS_OF))
    theirs = listed_by_client(servers, name, archived=False)
    living = {key: essence_of_record(record) for key, record in ours.items() if not record.deleted}
    assert len(living) > 10
    assert living == {key: essence_of_client(each) for key, each in theirs.items()}
    gone = {key for key, record in ours.items() if record.deleted}
    assert gone == set(listed_by_client(servers, name, archived=True))


def last_day_with_a_change(world: World, name: str) -> Window:
    """Return a day on which the connector searches; once a week it lists everything."""
    true = world.visible("hubspot", name, instant_after(AS_OF)).values()
    days = {version.at.date() for version in true if not version.deleted}
    return Window.of_day(max(day for day in days if (day - EPOCH).days % 7 != 6))


@pytest.mark.parametrize("name", CRM_STREAMS)
def test_hubspots_client_and_ours_find_the_same_changes(
    servers: Servers, world: World, name: str
) -> None:
    window = last_day_with_a_change(world, name)
    ours = read(servers, hubspot_source.SOURCE, name, window)
    extra = hubspot_source.SOURCE.stream(name).extra
    bounds = [("GTE", window.start), ("LT", window.end)]
    filters = [
        {
            "propertyName": extra["changed"],
            "operator": operator,
            "value": str(int(at.timestamp() * 1000)),
        }
        for operator, at in bounds
        if at
    ]
    theirs: dict[str, Any] = {}
    after = None
    while True:
        request = PublicObjectSearchRequest(
            filter_groups=[{"filters": filters}],
            properties=list(extra["properties"]),
            limit=100,
            after=after,
        )
        page = crm(servers).objects.search_api.do_search(
            object_type(name), public_object_search_request=request
        )
        theirs |= {each.id: (each.properties, each.updated_at) for each in page.results}
        if page.paging is None:
            break
        after = page.paging.next.after
    living = {key: record for key, record in ours.items() if not record.deleted}
    assert theirs == {
        key: (record.doc["properties"], record.updated_at) for key, record in living.items()
    }


def test_hubspots_client_and_ours_know_the_same_owners(servers: Servers) -> None:
    ours = read(servers, hubspot_source.SOURCE, "owners", Window.through(AS_OF))
    theirs = {
        owner.id: (owner.email, owner.last_name, owner.updated_at, owner.archived)
        for archived in (False, True)
        for owner in crm(servers).owners.get_all(archived=archived)
    }
    assert {
        key: (record.doc["email"], record.doc["lastName"], record.updated_at, record.deleted)
        for key, record in ours.items()
    } == theirs


@pytest.mark.parametrize("name", CRM_STREAMS)
def test_hubspot_shows_the_state_at_the_instant(servers: Servers, world: World, name: str) -> None:
    ours = read(servers, hubspot_source.SOURCE, name, Window.through(AS_OF))
    true = world.visible("hubspot", name, instant_after(AS_OF))
    assert {key: record.deleted for key, record in ours.items()} == {
        key: version.deleted for key, version in true.items()
    }
    for key, record in ours.items():
        for word, value in record.doc["properties"].items():
            assert value == true[key].doc["properties"][word], (key, word)


# Stripe


def by_client(each: Any) -> dict[str, Any]:
    """Return the object of the official client with all pages of nested lists."""
    doc = json.loads(str(each))
    for name in ("lines", "items"):
        if isinstance(doc.get(name), dict):
            whole = [json.loads(str(entry)) for entry in each[name].auto_paging_iter()]
            doc[name] = {**doc[name], "data": whole, "has_more": False}
    return doc


@pytest.mark.parametrize("name", [each.name for each in stripe.SOURCE.streams])
def test_stripes_client_and_ours_get_the_same_objects(
    servers: Servers, world: World, name: str
) -> None:
    client = stripe_client.StripeClient(
        servers.tokens["stripe"],
        base_addresses={"api": servers.urls["stripe"]},
        stripe_version=stripe.API_VERSION,
    )
    params = {"limit": 100, **({"status": "all"} if name == "subscriptions" else {})}
    listing = getattr(client.v1, name).list(params)
    theirs = {each.id: by_client(each) for each in listing.auto_paging_iter()}
    ours = read(servers, stripe.SOURCE, name, Window.through(AS_OF))
    assert {key: record.doc for key, record in ours.items()} == theirs
    true = world.visible("stripe", name, instant_after(AS_OF))
    assert theirs == {key: version.doc for key, version in true.items() if not version.deleted}


@pytest.mark.parametrize("name", [each.name for each in stripe.SOURCE.streams])
def test_stripes_client_and_ours_see_the_same_changes(servers: Servers, name: str) -> None:
    client = stripe_client.StripeClient(
        servers.tokens["stripe"], base_addresses={"api": servers.urls["stripe"]}
    )
    end = instant_after(AS_OF)
    window = Window(end - timedelta(days=5), end)
    since = int((end - timedelta(days=5)).timestamp())
    kinds = stripe.SOURCE.stream(name).extra["events"]
    events = client.v1.events.list({"limit": 100, "type": kinds, "created": {"gte": since}})
    noun = name.removesuffix("s")
    subjects = [event.data.object for event in events.auto_paging_iter()]
    named = {subject["id"] for subject in subjects if subject["object"] == noun}
    ours = read(servers, stripe.SOURCE, name, window)
    assert set(ours) == named
    for key, record in ours.items():
        assert record.doc == by_client(getattr(client.v1, name).retrieve(key))


# Typeform and PostHog, which have no client of their own to read with


def test_typeform_walked_by_token_and_ours_get_the_same_responses(
    servers: Servers, world: World
) -> None:
    headers = {"authorization": f"Bearer {servers.tokens['typeform']}"}
    theirs: dict[str, Any] = {}
    with httpx.Client(base_url=servers.urls["typeform"], headers=headers) as http:
        for form in http.get("/forms").json()["items"]:
            for kind in ("completed", "partial"):
                token = ""
                while True:
                    asked = {"page_size": 200, "response_type": kind}
                    asked |= {"before": token} if token else {}
                    page = http.get(f"/forms/{form['id']}/responses", params=asked).json()
                    names = {"form_id": form["id"], "form_title": form["title"]}
                    theirs |= {each["token"]: each | names for each in page["items"]}
                    if page["page_count"] < 2:
                        break
                    token = page["items"][-1]["token"]
    ours = read(servers, typeform.SOURCE, "responses", Window.through(AS_OF))
    assert {key: record.doc for key, record in ours.items()} == theirs
    true = world.visible("typeform", "responses", instant_after(AS_OF))
    assert set(theirs) == set(true)
    for key, version in true.items():
        assert version.doc.items() <= theirs[key].items()


def test_the_exported_files_hold_every_event_that_had_arrived(
    servers: Servers, world: World
) -> None:
    assert servers.sync() > 200
    assert servers.folder is not None
    folder = servers.folder / "exports" / "posthog"
    assert all(re.fullmatch(r"[\dT:+-]+\.jsonl\.gz", path.name) for path in visible(folder))
    files = [str(path) for path in visible(folder)]
    rows = duckdb.read_json(files, format="newline_delimited").fetchall()
    arrived = world.events.to_pylist()
    end = instant_after(AS_OF)
    expected = sorted(row["uuid"] for row in arrived if row["received_at"] < end)
    assert sorted(str(row[0]) for row in rows) == expected


def visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
