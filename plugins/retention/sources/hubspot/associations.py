"""Add associations to documents, read in batches of a thousand.

``associations`` has the same shape as in the object lists, ``{"companies": {"results": [{"id":
"17", "types": [...]}]}}``, however the object was read, so that reading it twice gives the same
document. The primary company comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from retention.sources.extraction import Progress, Reading, identity
from retention.sources.hubspot.objects import Rows, object_type

_BATCH = 1000
_NONE_FOUND = "crm.associations.NO_ASSOCIATIONS_FOUND"
Linked = dict[str, dict[str, Any]]  # from id -> to id -> its entry in the document


def with_associations(reading: Reading, rows: Rows) -> Rows:
    """Yield the same rows, each document with the associations that the stream declares."""
    targets = reading.stream.extra["associations"]
    if not targets:
        yield from rows
        return
    while batch := list(islice(rows, _BATCH)):
        ids = [found for doc, _ in batch if (found := identity(doc))]
        linked = {target: _read(reading, target, ids) for target in targets if ids}
        for doc, position in batch:
            yield _with(doc, linked), position


def _with(doc: Any, linked: dict[str, Linked]) -> Any:
    """Return the document with its associations; without the key if there are none."""
    if not isinstance(doc, dict):
        return doc
    own = {target: others.get(identity(doc) or "") for target, others in linked.items()}
    found = {
        target: {"results": sorted(others.values(), key=_primary_first)}
        for target, others in own.items()
        if others
    }
    if found:
        doc["associations"] = found
    return doc


def _read(reading: Reading, target: str, ids: list[str]) -> Linked:
    linked: Linked = {}
    inputs = [{"id": found} for found in dict.fromkeys(ids)]
    progress: dict[str, Progress] = {}
    while inputs:
        answer = reading.post(
            f"/crm/v4/associations/{object_type(reading)}/{target}/batch/read",
            {"inputs": inputs},
        )
        _require_no_failure(reading, answer)
        inputs = []
        for result in reading.rows(answer, "results"):
            source = identity(result, "from.id") or ""
            known = linked.setdefault(source, {})
            before = len(known)
            known.update(_others(reading, result))
            after = ((result.get("paging") or {}).get("next") or {}).get("after")
            if after:
                paging = progress.setdefault(source, Progress(reading))
                paging.advance(str(after), brought_new=len(known) > before)
                inputs.append({"id": source, "after": str(after)})
    return linked


def _others(reading: Reading, result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for other in reading.rows(result, "to"):
        found = identity(other, "toObjectId")
        if found is None:
            raise reading.error("an association has no object id.", "bad_body")
        types = other.get("associationTypes") or []
        yield found, {"id": found, "types": sorted(types, key=lambda kind: str(kind))}


def _require_no_failure(reading: Reading, answer: dict[str, Any]) -> None:
    failures = [
        each for each in answer.get("errors") or [] if each.get("subCategory") != _NONE_FOUND
    ]
    if failures:
        reason = str(failures[0].get("message"))[:200]
        raise reading.error(f"{len(failures)} associations failed: {reason}", "incomplete_read")


def _primary_first(entry: dict[str, Any]) -> tuple[bool, int, str]:
    primary = any("primary" in str(kind.get("label")).lower() for kind in entry["types"])
    return not primary, len(entry["id"]), entry["id"]
