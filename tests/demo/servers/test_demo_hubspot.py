"""The official HubSpot client and plain requests read the HubSpot server."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import hubspot
import hubspot.crm.objects
import pytest
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.objects import (
    BatchInputSimplePublicObjectBatchInput,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectBatchInput,
)

from demo.company.world import World
from demo.servers.app import Servers, serve
from tests.demo.servers.small_world import AS_OF, COMPANIES, START, ask, crm_client


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
