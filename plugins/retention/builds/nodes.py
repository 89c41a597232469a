"""Results of dbt nodes, with messages that contain no data."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

FAILED = frozenset({"error", "fail", "runtime error", "partial success"})
# Postgres quotes values in its messages.
_QUOTED = (
    re.compile(r"(invalid (?:input )?(?:syntax|value) for [^:]*): \"[^\"]*\""),
    re.compile(r"^\s*(?:DETAIL|CONTEXT):.*$", re.MULTILINE),
    re.compile(r"[^\s\"'<>]+@[^\s\"'<>]+\.\w+"),
    re.compile(r"\b[0-9a-f]{64}\b"),
)


@dataclass(frozen=True)
class NodeResult:
    """The result of one model, seed or test."""

    name: str
    kind: str
    path: str
    status: str
    seconds: float
    rows: int | None
    message: str

    @property
    def failed(self) -> bool:
        return self.status in FAILED

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def node_result(result: Any) -> NodeResult:
    """Convert dbt's result of a node."""
    node = result.node
    rows = (result.adapter_response or {}).get("rows_affected")
    return NodeResult(
        name=node.name,
        kind=str(node.resource_type),
        path=node.original_file_path,
        status=str(result.status),
        seconds=round(float(result.execution_time), 3),
        rows=rows if isinstance(rows, int) and rows >= 0 else result.failures,
        message=clean(result.message or ""),
    )


def part_of(node: NodeResult, test: Any, parts: int) -> NodeResult:
    """Return the result of one test of a folded node."""
    return replace(
        node, name=test.name, path=test.original_file_path, seconds=round(node.seconds / parts, 3)
    )


def clean(message: str) -> str:
    """Return the message on one line, without values, e-mail addresses or keys."""
    first, details, *hidden = _QUOTED
    message = details.sub("", first.sub(r"\1: (a value)", message))
    for pattern in hidden:
        message = pattern.sub("(hidden)", message)
    return " ".join(message.split())
