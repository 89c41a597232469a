"""Serve the Stripe API of the demo company: lists, objects, lines, items, events."""

from __future__ import annotations

import base64
import re
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.company.render_stripe import API_VERSION
from demo.servers.stripe_events import feed, matching, shown
from demo.servers.stripe_query import CURSORS, PAGING, Params, limit_of, params_of
from demo.servers.stripe_store import (
    FILTERS,
    Doc,
    Key,
    entries,
    expanded,
    missing,
    page,
    presented,
    refused,
    store,
)
from demo.servers.transport import ApiError, Handler, bearer, on_api_error, reply
from demo.servers.views import Account, View

_VERSION = re.compile(r"\d{4}-\d\d-\d\d(\.[a-z]+)?(;.*)?")


def app(account: Account) -> Starlette:
    """Return the API as an ASGI application."""
    api = Stripe(account)
    routes = [
        ("/v1/events", api.events),
        ("/v1/events/{id}", api.event),
        ("/v1/subscription_items", api.items),
        ("/v1/subscription_items/{id}", api.item),
        ("/v1/invoices/{id}/lines", api.lines),
        ("/v1/{stream}", api.listing),
        ("/v1/{stream}/{id}", api.one),
        ("/{rest:path}", api.unknown),
    ]
    return Starlette(
        routes=[Route(path, api.guarded(run), methods=["GET"]) for path, run in routes],
        exception_handlers={ApiError: on_api_error},
    )


class Stripe:
    """Handle the requests; each handler answers from one view."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def guarded(self, run: Handler) -> Handler:
        """Wrap ``run`` with the key check and the request id and version headers."""

        async def handler(request: Request) -> Response:
            headers = {"request-id": f"req_{uuid4().hex[:14]}"}
            headers["stripe-version"] = request.headers.get("stripe-version", API_VERSION)
            try:
                self._check(request, headers["stripe-version"])
                response = await run(request)
            except ApiError as error:
                error.headers |= headers
                raise
            response.headers.update(headers)
            return response

        return handler

    def _check(self, request: Request, version: str) -> None:
        key = bearer(request) or _basic(request)
        if key != self.account.token:
            shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
            message = f"Invalid API Key provided: {shown}" if key else (
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details."
            )  # fmt: skip
            body = {"error": {"message": message, "type": "invalid_request_error"}}
            raise ApiError(401, body, {"www-authenticate": 'Basic realm="Stripe"'})
        if not _VERSION.fullmatch(version):
            raise refused(f"Invalid Stripe API version: {version}.")

    async def listing(self, request: Request) -> Response:
        """GET /v1/{list}: newest first, with the filters of the list."""
        view, stream = self.account.view(request), request.path_params["stream"]
        if stream not in FILTERS or not view.has("stripe", stream):
            return await self.unknown(request)
        params = params_of(request, (*PAGING, *FILTERS[stream]))
        filters = {name: params[name] for name in FILTERS[stream] if name in params}
        if stream == "subscriptions":
            filters.setdefault("status", "")
        books = store(view, stream)
        after, before = (
            books.key_of(params[name], name) if name in params else None for name in CURSORS
        )
        docs, more = page(books.select(filters), limit_of(params), after, before)
        shown = [presented(doc, stream) for doc in docs]
        return _list(view, shown, more, f"/v1/{stream}", params)

    async def one(self, request: Request) -> Response:
        """GET /v1/{list}/{id}; a deleted customer or product shows only ``deleted: true``."""
        view, stream = self.account.view(request), request.path_params["stream"]
        if stream not in FILTERS or not view.has("stripe", stream):
            return await self.unknown(request)
        books, key = store(view, stream), request.path_params["id"]
        params = params_of(request, ("expand",))
        if key in books.gone and stream in ("customers", "products"):
            return reply({"id": key, "object": stream.removesuffix("s"), "deleted": True})
        if key not in books.by_id:
            raise missing(stream, key)
        return reply(expanded(view, presented(books.by_id[key], stream), params.get("expand", [])))

    async def lines(self, request: Request) -> Response:
        """GET /v1/invoices/{id}/lines: all lines in the order of the invoice."""
        view, key = self.account.view(request), request.path_params["id"]
        invoice = store(view, "invoices").by_id.get(key)
        if invoice is None:
            raise missing("invoices", key)
        params = params_of(request, PAGING)
        return _inside(view, entries(invoice, "lines"), f"/v1/invoices/{key}/lines", params)

    async def items(self, request: Request) -> Response:
        """GET /v1/subscription_items?subscription=sub_x."""
        view, params = self.account.view(request), params_of(request, (*PAGING, "subscription"))
        if "subscription" not in params:
            raise refused(
                "Missing required param: subscription.",
                code="parameter_missing",
                param="subscription",
            )
        owner = store(view, "subscriptions").by_id.get(params["subscription"])
        if owner is None:
            raise missing("subscriptions", params["subscription"], "subscription")
        return _inside(view, entries(owner, "items"), "/v1/subscription_items", params)

    async def item(self, request: Request) -> Response:
        """GET /v1/subscription_items/{id}."""
        view, key = self.account.view(request), request.path_params["id"]
        known = view.memo(
            "stripe items",
            lambda: {
                item["id"]: item
                for owner in store(view, "subscriptions").docs
                for item in entries(owner, "items")
            },
        )
        if key not in known:
            raise missing("subscription_items", key)
        return reply(known[key])

    async def events(self, request: Request) -> Response:
        """GET /v1/events: the last 30 days, newest first."""
        view = self.account.view(request)
        names = (*PAGING, "created", "type", "types", "delivery_success")
        params = params_of(request, names)
        if "type" in params and "types" in params:
            raise refused("You may only specify one of these parameters: type, types.")
        after, before = (self._event_key(view, params.get(name), name) for name in CURSORS)
        docs, more = page(matching(view, params), limit_of(params), after, before)
        return _list(view, [shown(doc) for doc in docs], more, "/v1/events", params)

    def _event_key(self, view: View, key: str | None, param: str) -> Key | None:
        if key is None:
            return None
        known = feed(view)
        if key not in known.places:
            raise missing("events", key, param, 400)
        return known.keys[known.places[key]]

    async def event(self, request: Request) -> Response:
        """GET /v1/events/{id}."""
        known, key = feed(self.account.view(request)), request.path_params["id"]
        if key not in known.places:
            raise missing("events", key)
        return reply(shown(known.docs[known.places[key]]))

    async def unknown(self, request: Request) -> Response:
        """Answer any other URL with Stripe's 404."""
        message = f"Unrecognized request URL ({request.method}: {request.url.path})."
        body = {"error": {"type": "invalid_request_error", "message": message}}
        raise ApiError(404, body)


def _basic(request: Request) -> str:
    """Return the key sent as the user name of Basic authentication."""
    scheme, _, packed = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(packed).decode().partition(":")[0]
    except ValueError:
        return ""


def _inside(view: View, inside: list[Doc], url: str, params: Params) -> Response:
    """Page through a list inside an object, in its own order."""
    limit, ids = limit_of(params), [entry["id"] for entry in inside]
    start, end = 0, limit
    for name in CURSORS:
        if name in params and params[name] not in ids:
            raise missing("line_items", params[name], name, 400)
    if "starting_after" in params:
        start = ids.index(params["starting_after"]) + 1
        end = start + limit
    more = end < len(inside)
    if "ending_before" in params:
        end = ids.index(params["ending_before"])
        start = max(0, end - limit)
        more = start > 0
    return _list(view, inside[start:end], more, url, params)


def _list(view: View, docs: list[Doc], more: bool, url: str, params: Params) -> Response:
    answer: Doc = {"object": "list", "data": docs, "has_more": more, "url": url}
    return reply(expanded(view, answer, params.get("expand", [])))
