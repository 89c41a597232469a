"""The HubSpot CRM v3 API over the demo company: objects, search, associations, owners."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.servers.hubspot_links import as_v3, as_v4, links
from demo.servers.hubspot_search import invalid, search
from demo.servers.hubspot_shelf import TYPES, Doc, Shelf, history, shelf
from demo.servers.hubspot_writes import Writes
from demo.servers.views import Account, View
from demo.servers.wire import Handler, WireError, bearer, on_wire_error, reply

DAILY = 650_000


def app(account: Account) -> Starlette:
    """The API as an ASGI application."""
    hub = HubSpot(account)
    crm = "/crm/v3/objects/{kind}"
    routes = [
        ("GET", crm, hub.listing),
        ("POST", crm + "/search", hub.search),
        ("POST", crm + "/batch/read", hub.batch_read),
        ("POST", crm + "/batch/update", hub.batch_update),
        ("GET", crm + "/{id}", hub.one),
        ("PATCH", crm + "/{id}", hub.update),
        ("POST", "/crm/v4/associations/{kind}/{to}/batch/read", hub.batch_links),
        ("GET", "/crm/v4/objects/{kind}/{id}/associations/{to}", hub.links_of_one),
        ("GET", "/crm/v3/properties/{kind}", hub.properties),
        ("POST", "/crm/v3/properties/{kind}", hub.create_property),
        ("GET", "/crm/v3/owners", hub.owners),
        ("GET", "/crm/v3/owners/{id}", hub.owner),
    ]
    return Starlette(
        routes=[Route(path, hub.guarded(run), methods=[verb]) for verb, path, run in routes],
        exception_handlers={WireError: on_wire_error},
    )


def refusal(status: int, category: str, message: str) -> WireError:
    """An error in the shape that HubSpot gives all of them."""
    body = {"status": "error", "message": message, "correlationId": str(uuid4())}
    return WireError(status, {**body, "category": category})


def not_found() -> WireError:
    """HubSpot's 404 for a record."""
    return refusal(404, "OBJECT_NOT_FOUND", "resource not found")


class HubSpot:
    """The handlers; each takes one view and answers from it."""

    def __init__(self, account: Account) -> None:
        self.account = account
        folder = account.folder
        self.writes = Writes(folder / "hubspot_writes.jsonl" if folder else None)

    def guarded(self, run: Handler) -> Handler:
        """``run`` behind the token check, with the rate limit headers of every answer."""

        async def handler(request: Request) -> Response:
            if bearer(request) != self.account.token:
                message = (
                    "Authentication credentials not found. This API supports OAuth 2.0 "
                    "authentication and you can find more details at "
                    "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
                )
                raise refusal(401, "INVALID_AUTHENTICATION", message)
            used = self.account.count(str(self.account.today))
            response = await run(request)
            response.headers["x-hubspot-ratelimit-daily"] = str(DAILY)
            response.headers["x-hubspot-ratelimit-daily-remaining"] = str(DAILY - used)
            response.headers["x-hubspot-ratelimit-interval-milliseconds"] = "10000"
            response.headers["x-hubspot-ratelimit-max"] = "190"
            response.headers["x-hubspot-correlation-id"] = str(uuid4())
            return response

        return handler

    def shelf(self, request: Request, name: str | None = None) -> Shelf:
        """The records of the object type in the path."""
        view = self.account.view(request)
        return shelf(view, self.kind(view, name or request.path_params["kind"]), self.writes)

    def kind(self, view: View, name: str) -> str:
        """The stream behind a type's name or id; raises HubSpot's 400 for an unknown one."""
        kind = TYPES.get(name)
        if kind is None or not view.has("hubspot", kind):
            raise refusal(400, "VALIDATION_ERROR", f"Unable to infer object type from: {name}")
        return kind

    async def listing(self, request: Request) -> Response:
        """GET /crm/v3/objects/{type}: every record, in the order of ids, without a wall."""
        query, found = request.query_params, self.shelf(request)
        most = 50 if "propertiesWithHistory" in query else 100
        limit, after = _limit(query.get("limit", "10"), most), query.get("after", "0")
        if not after.isdecimal():
            raise invalid(f"The after value {after!r} is not a cursor of this listing.")
        docs, rest = found.page(int(after), limit, _flag(query, "archived"))
        answer: Doc = {"results": self.full(request, found, docs)}
        if rest is not None:
            link = str(request.url.include_query_params(after=rest))
            answer["paging"] = {"next": {"after": str(rest), "link": link}}
        return reply(answer)

    async def one(self, request: Request) -> Response:
        """GET /crm/v3/objects/{type}/{id}."""
        query, found = request.query_params, self.shelf(request)
        archived = _flag(query, "archived")
        doc = found.get(request.path_params["id"], archived, query.get("idProperty"))
        if doc is None:
            raise not_found()
        return reply(self.full(request, found, [doc])[0])

    def full(self, request: Request, found: Shelf, docs: list[Doc]) -> list[Doc]:
        """The records with the properties, histories and associations that the query names."""
        query = request.query_params
        shown = found.shown(docs, _names(query.getlist("properties")))
        dated = _names(query.getlist("propertiesWithHistory"))
        for doc in shown if dated else ():
            told = history(found.view, found.kind, doc["id"], dated)
            doc["propertiesWithHistory"] = told
        for name in _names(query.getlist("associations")):
            kind = self.kind(found.view, name)
            known = links(found.view, found.kind, kind, self.writes)
            for doc in shown:
                if doc["id"] in known:
                    doc.setdefault("associations", {})[name] = as_v3(known[doc["id"]])
        return shown

    async def search(self, request: Request) -> Response:
        """POST /crm/v3/objects/{type}/search."""
        return reply(search(self.shelf(request), await _body(request)))

    async def batch_read(self, request: Request) -> Response:
        """POST /crm/v3/objects/{type}/batch/read: at most 100 records by id or unique value."""
        body, found = await _body(request), self.shelf(request)
        archived, by = _flag(request.query_params, "archived"), body.get("idProperty")
        asked = [str(entry.get("id")) for entry in _inputs(body, 100)]
        docs = {key: found.get(key, archived, by) for key in asked}
        shown = found.shown((doc for doc in docs.values() if doc), body.get("properties"))
        for doc in shown if body.get("propertiesWithHistory") else ():
            names = body["propertiesWithHistory"]
            doc["propertiesWithHistory"] = history(found.view, found.kind, doc["id"], names)
        return self._batch(found.view, shown, _missing(found.kind, docs))

    async def batch_update(self, request: Request) -> Response:
        """POST /crm/v3/objects/{type}/batch/update: set properties, read back what is there."""
        body, found = await _body(request), self.shelf(request)
        inputs = _inputs(body, 100)
        docs = {str(entry.get("id")): found.get(str(entry.get("id"))) for entry in inputs}
        for entry in inputs:
            self._check(found, entry.get("properties") or {})
        for entry in inputs:
            self._write(found, str(entry["id"]), entry.get("properties") or {}, docs)
        fresh = self.shelf(request)
        names = {name for entry in inputs for name in entry.get("properties") or {}}
        shown = fresh.shown((fresh.get(key) for key, doc in docs.items() if doc), sorted(names))
        return self._batch(fresh.view, shown, _missing(found.kind, docs))

    async def update(self, request: Request) -> Response:
        """PATCH /crm/v3/objects/{type}/{id}."""
        found, key = self.shelf(request), request.path_params["id"]
        values = (await _body(request)).get("properties") or {}
        if found.get(key) is None:
            raise not_found()
        self._check(found, values)
        self._write(found, key, values, {key: found.get(key)})
        fresh = self.shelf(request)
        return reply(fresh.shown([fresh.get(key)], values)[0])

    def _check(self, found: Shelf, values: Doc) -> None:
        unknown = [name for name in values if name not in found.known]
        if unknown:
            told = [
                {
                    "isValid": False,
                    "message": f'Property "{name}" does not exist',
                    "error": "PROPERTY_DOESNT_EXIST",
                    "name": name,
                }
                for name in unknown
            ]
            raise invalid(f"Property values were not valid: {json.dumps(told)}")

    def _write(self, found: Shelf, key: str, values: Doc, docs: dict[str, Any]) -> None:
        if docs.get(key) is not None:
            texts = {name: "" if value is None else str(value) for name, value in values.items()}
            self.writes.write(found.kind, key, texts, found.view.instant)

    async def batch_links(self, request: Request) -> Response:
        """POST /crm/v4/associations/{from}/{to}/batch/read: at most 1,000 records."""
        view, target = self.account.view(request), request.path_params["to"]
        source = self.kind(view, request.path_params["kind"])
        target = self.kind(view, target)
        known = links(view, source, target, self.writes)
        results, errors = [], []
        for entry in _inputs(await _body(request), 1000):
            key = str(entry.get("id"))
            if key in known:
                to = as_v4(source, target, known[key])
                results.append({"from": {"id": key}, "to": to})
            else:
                errors.append(_unlinked(source, target, key))
        return self._batch(view, results, errors)

    async def links_of_one(self, request: Request) -> Response:
        """GET /crm/v4/objects/{from}/{id}/associations/{to}."""
        view, query = self.account.view(request), request.query_params
        source = self.kind(view, request.path_params["kind"])
        target = self.kind(view, request.path_params["to"])
        limit, start = _limit(query.get("limit", "500"), 500), int(query.get("after", "0"))
        known = links(view, source, target, self.writes).get(request.path_params["id"], [])
        found = as_v4(source, target, known)
        answer: Doc = {"results": found[start : start + limit]}
        if start + limit < len(found):
            answer["paging"] = {"next": {"after": str(start + limit)}}
        return reply(answer)

    def _batch(self, view: View, results: list[Doc], errors: list[Doc]) -> Response:
        stamp = view.instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        answer: Doc = {"status": "COMPLETE", "results": results}
        answer |= {"startedAt": stamp, "completedAt": stamp}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        return reply(answer, 207 if errors else 200)

    async def properties(self, request: Request) -> Response:
        """GET /crm/v3/properties/{type}: the names that records of the type can have."""
        found = self.shelf(request)
        results = [
            {
                "name": name,
                "label": name,
                "type": "string",
                "fieldType": "text",
                "groupName": "information",
                "description": "",
                "options": [],
            }
            for name in sorted(found.known)
        ]
        return reply({"results": results})

    async def create_property(self, request: Request) -> Response:
        """POST /crm/v3/properties/{type}: make room for a value to write."""
        found, definition = self.shelf(request), await _body(request)
        needed = [k for k in ("name", "label", "type", "fieldType", "groupName") if k not in definition]
        if needed:
            raise invalid(f"Some required fields were not set: {needed}")
        if definition["name"] in found.known:
            text = f"A property named '{definition['name']}' already exists."
            raise refusal(409, "OBJECT_ALREADY_EXISTS", text)
        self.writes.create(found.kind, definition)
        return reply({"options": [], "description": "", **definition, "archived": False}, 201)

    async def owners(self, request: Request) -> Response:
        """GET /crm/v3/owners, by id; ``email`` and ``archived`` narrow it."""
        query = request.query_params
        limit, after = _limit(query.get("limit", "100"), 500), int(query.get("after") or 0)
        found = _owners(self.account.view(request), _flag(query, "archived"))
        if "email" in query:
            found = [owner for owner in found if owner.get("email") == query["email"]]
        answer: Doc = {"results": found[after : after + limit]}
        if after + limit < len(found):
            link = str(request.url.include_query_params(after=after + limit))
            answer["paging"] = {"next": {"after": str(after + limit), "link": link}}
        return reply(answer)

    async def owner(self, request: Request) -> Response:
        """GET /crm/v3/owners/{id}."""
        archived = _flag(request.query_params, "archived")
        name = request.query_params.get("idProperty", "id")
        for owner in _owners(self.account.view(request), archived):
            if str(owner.get(name)) == request.path_params["id"]:
                return reply(owner)
        raise not_found()


def _owners(view: View, archived: bool) -> list[Doc]:
    versions = view.visible("hubspot", "owners").values()
    found = [{**v.doc, "archived": archived} for v in versions if v.deleted is archived and v.doc]
    return sorted(found, key=lambda owner: int(owner["id"]))


def _names(values: Iterable[str]) -> list[str]:
    """Both forms that HubSpot takes: ``a,b`` and the parameter repeated."""
    return [name for value in values for name in value.split(",") if name]


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() == "true"


def _limit(text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(f"The limit must be between 1 and {most}, got {text}.")
    return int(text)


async def _body(request: Request) -> Doc:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON")
    return body


def _inputs(body: Doc, most: int) -> list[Doc]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise invalid("Some required fields were not set: [inputs]")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch is {most}.")
    return inputs


def _missing(kind: str, docs: dict[str, Any]) -> list[Doc]:
    missing = [key for key, doc in docs.items() if doc is None]
    if not missing:
        return []
    text = "Could not get some objects, they may be deleted or not exist. Check that ids are valid."
    error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": text}
    return [{**error, "context": {"ids": missing, "objectType": [kind]}}]


def _unlinked(source: str, target: str, key: str) -> Doc:
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {target} is associated with {source} {key}.",
        "context": {"fromObjectId": [key], "fromObjectType": [source], "toObjectType": [target]},
    }
