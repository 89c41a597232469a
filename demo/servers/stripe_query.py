"""Parse Stripe query parameters: nested bounds, repeated values, refused parameters."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from demo.servers.stripe_store import RANGES, refused

CURSORS = ("starting_after", "ending_before")
PAGING = ("limit", *CURSORS, "expand")
_RANGE = re.compile(r"(\w+)\[(gte|gt|lte|lt)\]")
Params = dict[str, Any]


def params_of(request: Request, allowed: tuple[str, ...]) -> Params:
    """Parse the query: ``created[gte]`` is nested, ``types[]`` is repeated."""
    params: Params = {}
    for raw, value in request.query_params.multi_items():
        bound = _RANGE.fullmatch(raw)
        name = bound[1] if bound else re.sub(r"\[\d*\]$", "", raw)
        if name not in allowed or (bound and name not in RANGES):
            raise refused(f"Received unknown parameter: {raw}", code="parameter_unknown", param=raw)
        if bound:
            params.setdefault(name, {})[bound[2]] = _integer(value, raw)
        elif name in RANGES:
            moment = _integer(value, raw)
            params[name] = {"gte": moment, "lte": moment}
        elif name != raw or name in ("expand", "types", "ids"):
            params.setdefault(name, []).append(value)
        else:
            params[name] = value
    return params


def _integer(value: str, param: str) -> int:
    if not value.isdecimal():
        raise refused(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
    return int(value)


def limit_of(params: Params) -> int:
    """Return the page size; raise Stripe's 400 for two cursors at once."""
    limit = _integer(params.get("limit", "10"), "limit")
    if not 1 <= limit <= 100:
        bound = "less than or equal to 100" if limit > 100 else "greater than or equal to 1"
        raise refused(f"This value must be {bound} (it currently is '{limit}').", param="limit")
    if "starting_after" in params and "ending_before" in params:
        raise refused("You may only specify one of these parameters: " + ", ".join(CURSORS))
    return limit
