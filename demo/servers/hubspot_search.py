"""Serve HubSpot's search: filter groups, one sort, 200 per page, at most 10,000 results."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

from demo.servers.hubspot_store import Comparable, Doc, Store, comparable
from demo.servers.transport import ApiError

WALL = 10_000
Value = Comparable | None
Test = Callable[[Value], bool]


def invalid(message: str, **context: list[str]) -> ApiError:
    """Build HubSpot's 400."""
    body = {
        "status": "error",
        "message": message,
        "correlationId": "7c9e1b52-6a86-4d06-9b3c-2f6b1f2f9f0e",
        "category": "VALIDATION_ERROR",
    }
    return ApiError(400, {**body, "context": context} if context else body)


def search(store: Store, body: Doc) -> dict[str, Any]:
    """Answer one search request; raise HubSpot's 400 for an invalid one."""
    limit, start = _limit(body), _start(body)
    if start + limit > WALL:
        raise invalid(f"The search can only return the first {WALL} results of a query.")
    found = _sorted(store, _matches(store, body), body.get("sorts") or [])
    page = found[start : start + limit]
    answer: dict[str, Any] = {
        "total": len(found),
        "results": store.shown((store.docs[at] for at in page), body.get("properties")),
    }
    if start + limit < len(found):
        after = str(start + limit)
        answer["paging"] = {"next": {"after": after, "link": f"?after={after}"}}
    return answer


def _limit(body: Doc) -> int:
    limit = body.get("limit", 10)
    if not isinstance(limit, int) or not 0 <= limit <= 200:
        raise invalid(f"The limit must be between 0 and 200, got {limit}.")
    return limit


def _start(body: Doc) -> int:
    after = str(body.get("after") or "0")
    if not after.isdecimal():
        raise invalid(f"The after value {after!r} is not a cursor of this search.")
    return int(after)


def _matches(store: Store, body: Doc) -> list[int]:
    """Return the positions of the matching records, in the order of their ids."""
    groups = body.get("filterGroups") or (
        [{"filters": body["filters"]}] if body.get("filters") else []
    )
    filters = [group.get("filters") or [] for group in groups]
    if len(filters) > 5 or max(map(len, filters), default=0) > 6 or sum(map(len, filters)) > 18:
        raise invalid("At most 5 filterGroups of 6 filters each, and 18 filters in all.")
    query = str(body.get("query") or "").lower()
    if len(filters) == 1:
        found = _group(store, filters[0])
    elif filters:
        found = sorted({at for group in filters for at in _group(store, group)})
    else:
        found = _group(store, [])
    return [at for at in found if _mentions(store.docs[at], query)] if query else found


def _group(store: Store, filters: list[Doc]) -> list[int]:
    """Apply id bounds to a cached list, so that keyset paging filters the type only once."""
    bounds = [f for f in filters if _bounds_id(f)]
    rest = [f for f in filters if not _bounds_id(f)]
    key = json.dumps(rest, sort_keys=True)
    if key not in store.searches:
        found = list(range(len(store.ids)))
        for rule in rest:
            column, test = store.column(str(rule.get("propertyName"))), _test(rule)
            found = [at for at in found if test(column[at])]
        store.searches[key] = found
    found = store.searches[key]
    low, high = 0, len(store.ids)
    for rule in bounds:
        value = int(rule["value"])
        if rule["operator"] in ("GT", "GTE"):
            edge = bisect_right if rule["operator"] == "GT" else bisect_left
            low = max(low, edge(store.ids, value))
        else:
            edge = bisect_left if rule["operator"] == "LT" else bisect_right
            high = min(high, edge(store.ids, value))
    return found[bisect_left(found, low) : bisect_left(found, high)]


def _bounds_id(rule: Doc) -> bool:
    return (
        rule.get("propertyName") == "hs_object_id"
        and rule.get("operator") in ("GT", "GTE", "LT", "LTE")
        and str(rule.get("value", "")).isdecimal()
    )


def _test(rule: Doc) -> Test:
    """Return the predicate of one filter."""
    operator = rule.get("operator")
    if operator == "HAS_PROPERTY":
        return lambda value: value is not None
    if operator == "NOT_HAS_PROPERTY":
        return lambda value: value is None
    if operator in ("IN", "NOT_IN"):
        wanted = {comparable(value) for value in _needed(rule, "values")}
        return (lambda v: v in wanted) if operator == "IN" else (lambda v: v not in wanted)
    one = comparable(_needed(rule, "value"))
    if operator == "BETWEEN":
        two = comparable(_needed(rule, "highValue"))
        return lambda value: _ordered(one, value) and _ordered(value, two)
    if operator in ("CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"):
        token, yes = str(one).strip("*"), operator == "CONTAINS_TOKEN"
        return lambda value: (value is not None and token in str(value)) is yes
    if operator not in COMPARISONS:
        raise invalid(f"{operator!r} is not an operator of the search.")
    return COMPARISONS[operator](one)


def _needed(rule: Doc, name: str) -> Any:
    if rule.get(name) is None:
        raise invalid(f"The operator {rule.get('operator')} needs {name!r}.")
    return rule[name]


def _ordered(low: Value, high: Value) -> bool:
    """Compare ``low <= high``; false across types and for missing values, as in HubSpot."""
    if low is None or high is None or isinstance(low, str) is not isinstance(high, str):
        return False
    return low <= high  # type: ignore[operator]


COMPARISONS: dict[str, Callable[[Value], Test]] = {
    "EQ": lambda one: lambda value: value == one,
    "NEQ": lambda one: lambda value: value != one,
    "GTE": lambda one: lambda value: _ordered(one, value),
    "LTE": lambda one: lambda value: _ordered(value, one),
    "GT": lambda one: lambda value: _ordered(one, value) and value != one,
    "LT": lambda one: lambda value: _ordered(value, one) and value != one,
}


def _mentions(doc: Doc, query: str) -> bool:
    return any(query in str(value).lower() for value in doc["properties"].values() if value)


def _sorted(store: Store, found: list[int], sorts: list[Any]) -> list[int]:
    """Sort by id unless one property is requested; refuse more than one."""
    if not sorts:
        return found
    if len(sorts) > 1:
        raise invalid("Only one sort is allowed.")
    name, down = _sort(sorts[0])
    if name == "hs_object_id":
        return found[::-1] if down else found
    column = store.column(name)
    known = [at for at in found if column[at] is not None]
    known.sort(key=lambda at: (isinstance(column[at], str), column[at]), reverse=down)
    return known + [at for at in found if column[at] is None]


def _sort(sort: Any) -> tuple[str, bool]:
    if isinstance(sort, str):
        return sort.removeprefix("-"), sort.startswith("-")
    return str(sort.get("propertyName")), sort.get("direction") == "DESCENDING"
