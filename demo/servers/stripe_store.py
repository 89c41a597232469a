"""Hold the objects of one Stripe list at one instant: filter, page and expand them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from demo.servers.transport import ApiError
from demo.servers.views import View

Doc = dict[str, Any]
Key = tuple[int, str]
NESTED = 10  # entries shown of a list inside an object

# The lists of the API and their filters, besides the paging parameters.
FILTERS: dict[str, tuple[str, ...]] = {
    "customers": ("created", "email"),
    "subscriptions": (
        *("created", "current_period_end", "current_period_start"),
        *("customer", "price", "status", "collection_method"),
    ),
    "invoices": ("created", "due_date", "customer", "subscription", "status", "collection_method"),
    "products": ("created", "active", "ids", "type"),
    "prices": ("created", "active", "currency", "product", "type"),
    "charges": ("created", "customer", "payment_intent"),
    "refunds": ("created", "charge", "payment_intent"),
    "coupons": ("created",),
    "credit_notes": ("created", "customer", "invoice"),
    "disputes": ("created", "charge", "payment_intent"),
}
RANGES = ("created", "due_date", "current_period_end", "current_period_start")
PREFIXES = {
    "cus_": "customers",
    "sub_": "subscriptions",
    "in_": "invoices",
    "prod_": "products",
    "price_": "prices",
    "ch_": "charges",
    "re_": "refunds",
}
NOUNS = {"subscriptions": "subscription", "invoices": "invoice", "prices": "price"}


def refused(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """Build Stripe's 400; callers answer ``resource_missing`` in a path with 404."""
    error = {"message": message, "type": "invalid_request_error"}
    error |= {"code": code} if code else {}
    error |= {"param": param} if param else {}
    if code:
        error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
    return ApiError(400, {"error": error})


def missing(stream: str, key: str, param: str = "id", status: int = 404) -> ApiError:
    """Build Stripe's ``No such customer: 'cus_x'``."""
    noun = NOUNS.get(stream, stream.removesuffix("s").replace("_", " "))
    error = refused(f"No such {noun}: '{key}'", code="resource_missing", param=param)
    error.status = status
    return error


class Store:
    """Objects in order of creation, oldest first; deleted objects are kept apart."""

    def __init__(self, view: View, stream: str) -> None:
        self.view, self.stream = view, stream
        rows: list[tuple[Key, Doc]] = []
        self.gone: dict[str, Doc] = {}
        for key, version in view.visible("stripe", stream).items():
            if version.deleted:
                self.gone[key] = version.doc
            else:
                rows.append(((int(version.doc.get("created") or 0), key), version.doc))
        rows.sort(key=lambda row: row[0])
        self.keys = [row[0] for row in rows]
        self.docs = [row[1] for row in rows]
        self.by_id = {row[0][1]: row[1] for row in rows}

    def select(self, filters: dict[str, Any]) -> tuple[list[Key], list[Doc]]:
        """Return the matching objects; cached, because every page repeats the query."""
        if not filters:
            return self.keys, self.docs
        sign = repr(sorted(filters.items(), key=lambda pair: pair[0]))
        return self.view.memo(("stripe select", self.stream, sign), lambda: self._pass(filters))

    def _pass(self, filters: dict[str, Any]) -> tuple[list[Key], list[Doc]]:
        tests = [_test(self.stream, name, value) for name, value in filters.items()]
        found = [
            (key, doc)
            for key, doc in zip(self.keys, self.docs, strict=True)
            if all(test(doc) for test in tests)
        ]
        return [key for key, _ in found], [doc for _, doc in found]

    def key_of(self, object_id: str, param: str) -> Key:
        """Return the position of a cursor; raise Stripe's 400 for an unknown object."""
        doc = self.by_id.get(object_id, self.gone.get(object_id))
        if doc is None:
            raise missing(self.stream, object_id, param, 400)
        return int(doc.get("created") or 0), object_id


def store(view: View, stream: str) -> Store:
    """Return the store of ``stream`` at this instant."""
    return view.memo(("stripe store", stream), lambda: Store(view, stream))


def page(
    found: tuple[list[Key], list[Doc]], limit: int, after: Key | None, before: Key | None
) -> tuple[list[Doc], bool]:
    """Return ``limit`` objects, newest first, and whether more follow in that direction."""
    keys, docs = found
    if before is not None:
        start = bisect_right(keys, before)
        return docs[start : start + limit][::-1], start + limit < len(docs)
    end = len(docs) if after is None else bisect_left(keys, after)
    start = max(0, end - limit)
    return docs[start:end][::-1], start > 0


def _test(stream: str, name: str, value: Any) -> Callable[[Doc], bool]:
    """Return the predicate of one filter."""
    if name in RANGES:
        return _within(name, value)
    if stream == "subscriptions" and name == "status":
        return _in_status(value)
    if name == "active":
        return lambda doc: doc.get("active") is (value == "true")
    if name == "ids":
        return lambda doc: doc["id"] in value
    if name == "price":
        return lambda doc: any(item["price"]["id"] == value for item in entries(doc, "items"))
    if name == "subscription":
        return lambda doc: subscription_of(doc) == value
    return lambda doc: doc.get(name) == value


def bounds(range_asked: dict[str, int]) -> tuple[int, int]:
    """Return the closed interval in whole seconds of ``gte``, ``gt``, ``lte`` and ``lt``."""
    low = max(range_asked.get("gte", 0), range_asked.get("gt", -1) + 1)
    return low, min(range_asked.get("lte", 1 << 62), range_asked.get("lt", 1 << 62) - 1)


def _within(name: str, range_asked: dict[str, int]) -> Callable[[Doc], bool]:
    low, high = bounds(range_asked)
    return lambda doc: doc.get(name) is not None and low <= doc[name] <= high


def _in_status(status: str) -> Callable[[Doc], bool]:
    """Filter by status. Without one, Stripe hides canceled subscriptions."""
    ended = ("canceled", "incomplete_expired")
    if status == "all":
        return lambda doc: True
    if status == "":
        return lambda doc: doc["status"] not in ended
    if status == "ended":
        return lambda doc: doc["status"] in ended
    return lambda doc: doc["status"] == status


def entries(doc: Doc, name: str) -> list[Doc]:
    """Return all entries of a list inside an object."""
    nested = doc.get(name)
    return nested.get("data", []) if isinstance(nested, dict) else nested or []


def subscription_of(invoice: Doc) -> str | None:
    """Return the subscription of an invoice, from the older field or the newer one."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return invoice.get("subscription") or details.get("subscription")


def presented(doc: Doc, stream: str) -> Doc:
    """Format the object as a response: nested lists hold at most ten entries."""
    name, url = {
        "invoices": ("lines", f"/v1/invoices/{doc['id']}/lines"),
        "subscriptions": ("items", f"/v1/subscription_items?subscription={doc['id']}"),
    }.get(stream, ("", ""))
    if not name or name not in doc:
        return doc
    inside = entries(doc, name)
    told = doc[name] if isinstance(doc[name], dict) else {}
    shown = {**told, "object": "list", "data": inside[:NESTED]}
    shown |= {"has_more": len(inside) > NESTED, "total_count": len(inside), "url": url}
    return {**doc, name: shown}


def expanded(view: View, doc: Doc, paths: Iterable[str]) -> Doc:
    """Replace the ids at ``paths`` by the objects they refer to."""
    for path in paths:
        doc = _expand(view, doc, path.split("."), path)
    return doc


def _expand(view: View, node: Any, steps: list[str], path: str) -> Any:
    if isinstance(node, list):
        return [_expand(view, entry, steps, path) for entry in node]
    if isinstance(node, str) and (stream := _stream_of(node)):
        found = store(view, stream).by_id.get(node)
        node = presented(found, stream) if found else {"id": node, "deleted": True}
    if not steps or node is None:
        return node
    name = steps[0]
    if not isinstance(node, dict) or name not in node:
        raise refused(f"This property cannot be expanded ({path}).", param="expand")
    return {**node, name: _expand(view, node[name], steps[1:], path)}


def _stream_of(object_id: str) -> str | None:
    return next((s for prefix, s in PREFIXES.items() if object_id.startswith(prefix)), None)
