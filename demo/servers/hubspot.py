"""Serve the HubSpot CRM v3 API of the demo company: objects, search, associations, owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.servers.hubspot_batch import Batches, body_of, cursor_of, not_found, refusal
from demo.servers.hubspot_links import as_v3, links
from demo.servers.hubspot_search import invalid, search
from demo.servers.hubspot_store import Doc, Store, history
from demo.servers.transport import ApiError, Handler, bearer, on_api_error, reply
from demo.servers.views import Account, View

DAILY = 650_000


def app(account: Account) -> Starlette:
    """Return the API as an ASGI application."""
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
        exception_handlers={ApiError: on_api_error},
    )


class HubSpot(Batches):
    """Handle the requests; each handler answers from one view."""

    def guarded(self, run: Handler) -> Handler:
        """Wrap ``run`` with the token check and HubSpot's rate limit headers."""

        async def handler(request: Request) -> Response:
            if bearer(request) != self.account.token:
                message = (
                    "Authentication credentials not found. This API supports OAuth 2.0 "
                    "authentication and you can find more details at "
                    "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
                )
                raise refusal(401, "INVALID_AUTHENTICATION", message)
            used = self.account.count(str(self.account.view(request).instant.date()))
            response = await run(request)
            response.headers["x-hubspot-ratelimit-daily"] = str(DAILY)
            response.headers["x-hubspot-ratelimit-daily-remaining"] = str(DAILY - used)
            response.headers["x-hubspot-ratelimit-interval-milliseconds"] = "10000"
            response.headers["x-hubspot-ratelimit-max"] = "190"
            response.headers["x-hubspot-correlation-id"] = str(uuid4())
            return response

        return handler

    async def listing(self, request: Request) -> Response:
        """GET /crm/v3/objects/{type}: all records by id, without the limit of 10,000."""
        query, found = request.query_params, self.store(request)
        most = 50 if "propertiesWithHistory" in query else 100
        limit, after = _limit(query.get("limit", "10"), most), cursor_of(query.get("after"))
        docs, rest = found.page(after, limit, _flag(query, "archived"))
        answer: Doc = {"results": self.full(request, found, docs)}
        if rest is not None:
            link = str(request.url.include_query_params(after=rest))
            answer["paging"] = {"next": {"after": str(rest), "link": link}}
        return reply(answer)

    async def one(self, request: Request) -> Response:
        """GET /crm/v3/objects/{type}/{id}."""
        query, found = request.query_params, self.store(request)
        archived = _flag(query, "archived")
        doc = found.get(request.path_params["id"], archived, query.get("idProperty"))
        if doc is None:
            raise not_found()
        return reply(self.full(request, found, [doc])[0])

    def full(self, request: Request, found: Store, docs: list[Doc]) -> list[Doc]:
        """Return the records with the requested properties, histories and associations."""
        query = request.query_params
        shown = found.shown(docs, _names(query.getlist("properties")))
        dated = _names(query.getlist("propertiesWithHistory"))
        for doc in shown if dated else ():
            dated_values = history(found.view, found.kind, doc["id"], dated)
            doc["propertiesWithHistory"] = dated_values
        for name in _names(query.getlist("associations")):
            kind = self.kind(found.view, name)
            known = links(found.view, found.kind, kind, self.writes)
            for doc in shown:
                if doc["id"] in known:
                    doc.setdefault("associations", {})[name] = as_v3(known[doc["id"]])
        return shown

    async def search(self, request: Request) -> Response:
        """POST /crm/v3/objects/{type}/search."""
        return reply(search(self.store(request), await body_of(request)))

    async def owners(self, request: Request) -> Response:
        """GET /crm/v3/owners: owners by id, filtered by ``email`` and ``archived``."""
        query = request.query_params
        limit, after = _limit(query.get("limit", "100"), 500), cursor_of(query.get("after"))
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
    """Accept both forms of HubSpot: ``a,b`` and a repeated parameter."""
    return [name for value in values for name in value.split(",") if name]


def _flag(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() == "true"


def _limit(text: str, most: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise invalid(f"The limit must be between 1 and {most}, got {text}.")
    return int(text)
