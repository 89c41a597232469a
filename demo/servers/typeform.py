"""Serve the Typeform Create and Responses APIs of the demo company's surveys."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.servers.transport import ApiError, Handler, bearer, on_api_error, reply
from demo.servers.views import Account, View

Doc = dict[str, Any]
OURS = ("form_id", "form_title")  # fields of the simulated response that the API does not return
# The timestamp by which responses of each kind are sorted and filtered.
MOMENTS = {"completed": "submitted_at", "partial": "staged_at", "started": "landed_at"}


def app(account: Account) -> Starlette:
    """Return the API as an ASGI application."""
    api = Typeform(account)
    routes = [
        ("/forms", api.forms),
        ("/forms/{form}", api.form),
        ("/forms/{form}/responses", api.responses),
    ]
    return Starlette(
        routes=[Route(path, api.guarded(run), methods=["GET"]) for path, run in routes],
        exception_handlers={ApiError: on_api_error},
    )


def refused(field: str, description: str) -> ApiError:
    """Build Typeform's 400."""
    detail = {"field": field, "description": description, "in": "query"}
    body = {"code": "VALIDATION_ERROR", "description": "Bad request", "details": [detail]}
    return ApiError(400, body)


class Typeform:
    """Handle the requests; each handler answers from one view."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def guarded(self, run: Handler) -> Handler:
        """Wrap ``run`` with the token check."""

        async def handler(request: Request) -> Response:
            if not request.headers.get("authorization"):
                text = "Authentication credentials not found on the Request Headers"
                raise ApiError(401, {"code": "AUTHENTICATION_FAILED", "description": text})
            if bearer(request) != self.account.token:
                text = "Invalid authentication credentials"
                raise ApiError(401, {"code": "AUTHENTICATION_FAILED", "description": text})
            return await run(request)

        return handler

    async def forms(self, request: Request) -> Response:
        """GET /forms: one page of forms; ``search`` filters by title."""
        query = request.query_params
        size, number = _number(query, "page_size", 10, 200), _number(query, "page", 1, 1 << 31)
        wanted = query.get("search", "").lower()
        every = _forms(self.account.view(request), str(request.base_url))
        found = [form for form in every.values() if wanted in form["title"].lower()]
        items = [_summary(form, str(request.base_url)) for form in found]
        shown = items[(number - 1) * size : number * size]
        return reply(_paged(len(items), size, shown))

    async def form(self, request: Request) -> Response:
        """GET /forms/{id}: the form with its questions."""
        return reply(self._form(request))

    def _form(self, request: Request) -> Doc:
        name = request.path_params["form"]
        forms = _forms(self.account.view(request), str(request.base_url))
        if name not in forms or not self.account.view(request).has("typeform", "responses"):
            text = f"Non existing form with uid {name}"
            raise ApiError(404, {"code": "FORM_NOT_FOUND", "description": text})
        return forms[name]

    async def responses(self, request: Request) -> Response:
        """GET /forms/{id}/responses: newest first, or in order of arrival after a token."""
        query, form = request.query_params, self._form(request)["id"]
        _check_combination(set(query))
        size = _number(query, "page_size", 25, 1000)
        kinds = _kinds(query)
        found = _sorted(self.account.view(request), form, kinds)
        found = _between(found, kinds[0], query.get("since"), query.get("until"))
        if query.get("sort", "").endswith(",asc") or "after" in query:
            found = found[::-1]
        found = _from_token(found, query.get("after") or query.get("before"))
        found = _chosen(found, query)
        return reply(_paged(len(found), size, found[:size]))


def _check_combination(given: set[str]) -> None:
    """Refuse parameters that cannot be combined with a page token."""
    if {"after", "before"} <= given:
        raise refused("before", "before can not be used together with after")
    for token in given & {"after", "before"}:
        for other in given & {"since", "until", "sort"}:
            raise refused(token, f"{token} can not be used together with {other}")


def _kinds(query: Any) -> list[str]:
    """Return the requested kinds of response; the default is completed responses."""
    if "response_type" in query:
        kinds = [kind for kind in query["response_type"].split(",") if kind]
        if not kinds or set(kinds) - set(MOMENTS):
            raise refused("response_type", f"must be among {', '.join(MOMENTS)}")
        return kinds
    return ["partial", "started"] if query.get("completed") == "false" else ["completed"]


def _sorted(view: View, form: str, kinds: list[str]) -> list[Doc]:
    """Return the responses of a form, newest first."""

    def build() -> list[Doc]:
        found = []
        for version in view.visible("typeform", "responses").values():
            doc = version.doc
            if doc.get("form_id") != form or version.deleted or _kind(doc) not in kinds:
                continue
            found.append({name: value for name, value in doc.items() if name not in OURS})
        return sorted(found, key=lambda doc: (_moment(doc), doc["token"]), reverse=True)

    return view.memo(("typeform", form, tuple(kinds)), build)


def _kind(doc: Doc) -> str:
    return doc.get("response_type") or ("completed" if doc.get("submitted_at") else "started")


def _moment(doc: Doc) -> str:
    return str(doc.get(MOMENTS[_kind(doc)]) or doc["landed_at"])


def _between(docs: list[Doc], kind: str, since: str | None, until: str | None) -> list[Doc]:
    """Filter by timestamp; both bounds are inclusive, to the second."""
    low = _seconds("since", since) if since else None
    high = _seconds("until", until) if until else None
    if low is None and high is None:
        return docs
    kept = []
    for doc in docs:
        at = int(datetime.fromisoformat(_moment(doc)).timestamp())
        if (low is None or at >= low) and (high is None or at <= high):
            kept.append(doc)
    return kept


def _seconds(field: str, text: str) -> int:
    if text.isdecimal():
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise refused(field, f"{field} is not a valid date") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


def _from_token(docs: list[Doc], token: str | None) -> list[Doc]:
    """Return the responses after the one with that token."""
    if token is None:
        return docs
    for at, doc in enumerate(docs):
        if doc["token"] == token:
            return docs[at + 1 :]
    raise refused("token", f"no response has the token {token}")


def _chosen(docs: list[Doc], query: Any) -> list[Doc]:
    include = set(filter(None, query.get("included_response_ids", "").split(",")))
    exclude = set(filter(None, query.get("excluded_response_ids", "").split(",")))
    wanted = query.get("query", "").lower()
    return [
        doc
        for doc in docs
        if (not include or doc["token"] in include)
        and doc["token"] not in exclude
        and (not wanted or wanted in str((doc.get("answers"), doc.get("hidden"))).lower())
    ]


def _number(query: Any, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"\d+", text) or not 1 <= int(text) <= most:
        raise refused(name, f"{name} must be between 1 and {most}")
    return int(text)


def _paged(total: int, size: int, items: list[Doc]) -> Doc:
    return {"total_items": total, "page_count": -(-total // size), "items": items}


def _forms(view: View, base: str) -> dict[str, Doc]:
    """Return the forms that the world lists or that its responses refer to."""

    def build() -> dict[str, Doc]:
        known = {
            key: v.doc for key, v in view.visible("typeform", "forms").items() if not v.deleted
        }
        for version in view.visible("typeform", "responses").values():
            name = version.doc.get("form_id")
            if name and name not in known:
                known[name] = _bare_form(name, version.doc)
        return known

    return view.memo(("typeform forms", base), build)


def _bare_form(name: str, response: Doc) -> Doc:
    fields = [{**answer["field"], "title": ""} for answer in response.get("answers") or ()]
    return {"id": name, "title": name.upper(), "type": "form", "fields": fields}


def _summary(form: Doc, base: str) -> Doc:
    link = {"display": f"https://form.typeform.com/to/{form['id']}"}
    return {
        "id": form["id"],
        "type": form.get("type", "form"),
        "title": form["title"],
        "created_at": form.get("created_at"),
        "last_updated_at": form.get("last_updated_at"),
        "settings": {"is_public": True, "is_trial": False},
        "self": {"href": f"{base}forms/{form['id']}"},
        "_links": {**link, "responses": f"{base}forms/{form['id']}/responses"},
    }
