"""How Stripe reads a query: nested bounds, repeated values, and what it refuses."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from demo.servers.stripe_shelf import RANGES, refused

CURSORS = ("starting_after", "ending_before")
PAGING = ("limit", *CURSORS, "expand")
_RANGE = re.compile(r"(\w+)\[(gte|gt|lte|lt)\]")
Params = dict[str, Any]


def params_of(request: Request, allowed: tuple[str, ...]) -> Params:
    """The query as Stripe reads it: ``created[gte]`` nested, ``types[]`` repeated."""
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
    """The size of the page; also refuses two cursors at once."""
    limit = _integer(params.get("limit", "10"), "limit")
    if not 1 <= limit <= 100:
        bound = "less than or equal to 100" if limit > 100 else "greater than or equal to 1"
        raise refused(f"This value must be {bound} (it currently is '{limit}').", param="limit")
    if "starting_after" in params and "ending_before" in params:
        raise refused("You may only specify one of these parameters: " + ", ".join(CURSORS))
    return limit
