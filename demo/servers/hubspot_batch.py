"""Serve HubSpot's batch reads and writes: records, properties, associations."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response

from demo.servers.hubspot_links import as_v4, links
from demo.servers.hubspot_search import invalid
from demo.servers.hubspot_store import TYPES, Doc, Store, history, store
from demo.servers.hubspot_writes import Writes
from demo.servers.transport import ApiError, reply
from demo.servers.views import Account, View


def refusal(status: int, category: str, message: str) -> ApiError:
    """Build an error in HubSpot's format."""
    body = {"status": "error", "message": message, "correlationId": str(uuid4())}
    return ApiError(status, {**body, "category": category})


def not_found() -> ApiError:
    """Build HubSpot's 404 for a record."""
    return refusal(404, "OBJECT_NOT_FOUND", "resource not found")


async def body_of(request: Request) -> Doc:
    """Return the JSON object of the request body; raise HubSpot's 400 for anything else."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON")
    return body


def cursor_of(text: str | None) -> int:
    """Return the position of an ``after`` cursor; raise HubSpot's 400 for an invalid one."""
    if not str(text or "0").isdecimal():
        raise invalid(f"The after value {text!r} is not a cursor of this listing.")
    return int(text or 0)


class Batches:
    """Handle the requests that have ``inputs`` in the body, and those that write."""

    def __init__(self, account: Account) -> None:
        self.account = account
        folder = account.folder
        self.writes = Writes(folder / "hubspot_writes.jsonl" if folder else None)

    def store(self, request: Request, name: str | None = None) -> Store:
        """Return the records of the object type in the path."""
        view = self.account.view(request)
        return store(view, self.kind(view, name or request.path_params["kind"]), self.writes)

    def kind(self, view: View, name: str) -> str:
        """Return the stream of a type's name or id; raise HubSpot's 400 for an unknown one."""
        kind = TYPES.get(name)
        if kind is None or not view.has("hubspot", kind):
            raise refusal(400, "VALIDATION_ERROR", f"Unable to infer object type from: {name}")
        return kind

    async def batch_read(self, request: Request) -> Response:
        """POST /crm/v3/objects/{type}/batch/read: at most 100 records by id or unique value."""
        body, found = await body_of(request), self.store(request)
        archived = request.query_params.get("archived", "").lower() == "true"
        asked = [str(entry.get("id")) for entry in _inputs(body, 100)]
        docs = {key: found.get(key, archived, body.get("idProperty")) for key in asked}
        shown = found.shown((doc for doc in docs.values() if doc), body.get("properties"))
        dated = body.get("propertiesWithHistory") or ()
        for doc in shown if dated else ():
            doc["propertiesWithHistory"] = history(found.view, found.kind, doc["id"], dated)
        return _batch(found.view, shown, _missing(found.kind, docs))

    async def batch_update(self, request: Request) -> Response:
        """POST /crm/v3/objects/{type}/batch/update: set properties and return their new values."""
        body, found = await body_of(request), self.store(request)
        wanted = {
            str(entry.get("id")): entry.get("properties") or {} for entry in _inputs(body, 100)
        }
        docs = {key: found.get(key) for key in wanted}
        for values in wanted.values():
            _require_known(found, values)
        for key, values in wanted.items():
            if docs[key] is not None:
                self._write(found, key, values)
        fresh = self.store(request)
        names = sorted({name for values in wanted.values() for name in values})
        shown = fresh.shown((fresh.get(key) for key, doc in docs.items() if doc), names)
        return _batch(fresh.view, shown, _missing(found.kind, docs))

    async def update(self, request: Request) -> Response:
        """PATCH /crm/v3/objects/{type}/{id}."""
        found, key = self.store(request), request.path_params["id"]
        values = (await body_of(request)).get("properties") or {}
        if found.get(key) is None:
            raise not_found()
        _require_known(found, values)
        self._write(found, key, values)
        fresh = self.store(request)
        return reply(fresh.shown([fresh.get(key)], values)[0])

    def _write(self, found: Store, key: str, values: Doc) -> None:
        texts = {name: "" if value is None else str(value) for name, value in values.items()}
        self.writes.write(found.kind, key, texts, found.view.instant)

    async def batch_links(self, request: Request) -> Response:
        """POST /crm/v4/associations/{from}/{to}/batch/read: at most 1,000 records."""
        view, path = self.account.view(request), request.path_params
        source, target = self.kind(view, path["kind"]), self.kind(view, path["to"])
        known = links(view, source, target, self.writes)
        results, errors = [], []
        for entry in _inputs(await body_of(request), 1000):
            key = str(entry.get("id"))
            if key in known:
                page = as_v4(source, target, known[key], cursor_of(entry.get("after")))
                results.append({"from": {"id": key}, **page})
            else:
                errors.append(_unlinked(source, target, key))
        return _batch(view, results, errors)

    async def links_of_one(self, request: Request) -> Response:
        """GET /crm/v4/objects/{from}/{id}/associations/{to}."""
        view, path = self.account.view(request), request.path_params
        source, target = self.kind(view, path["kind"]), self.kind(view, path["to"])
        known = links(view, source, target, self.writes).get(path["id"], {})
        page = as_v4(source, target, known, cursor_of(request.query_params.get("after")))
        return reply({"results": page.pop("to"), **page})

    async def properties(self, request: Request) -> Response:
        """GET /crm/v3/properties/{type}: the names that records of the type can have."""
        bare = {"type": "string", "fieldType": "text", "groupName": "information"}
        bare |= {"description": "", "options": []}  # type: ignore[dict-item]
        names = sorted(self.store(request).known)
        return reply({"results": [{"name": name, "label": name, **bare} for name in names]})

    async def create_property(self, request: Request) -> Response:
        """POST /crm/v3/properties/{type}: define a property before values are written."""
        found, given = self.store(request), await body_of(request)
        needed = {"name", "label", "type", "fieldType", "groupName"} - set(given)
        if needed:
            raise invalid(f"Some required fields were not set: {sorted(needed)}")
        if given["name"] in found.known:
            text = f"A property named '{given['name']}' already exists."
            raise refusal(409, "OBJECT_ALREADY_EXISTS", text)
        self.writes.create(found.kind, given)
        return reply({"options": [], "description": "", **given, "archived": False}, 201)


def _require_known(found: Store, values: Doc) -> None:
    unknown = [
        {
            "isValid": False,
            "message": f'Property "{name}" does not exist',
            "error": "PROPERTY_DOESNT_EXIST",
            "name": name,
        }
        for name in values
        if name not in found.known
    ]
    if unknown:
        raise invalid(f"Property values were not valid: {json.dumps(unknown)}")


def _inputs(body: Doc, most: int) -> list[Doc]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise invalid("Some required fields were not set: [inputs]")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch is {most}.")
    return inputs


def _batch(view: View, results: list[Doc], errors: list[Doc]) -> Response:
    stamp = view.instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    answer: Doc = {"status": "COMPLETE", "results": results}
    answer |= {"startedAt": stamp, "completedAt": stamp}
    if errors:
        answer |= {"numErrors": len(errors), "errors": errors}
    return reply(answer, 207 if errors else 200)


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
