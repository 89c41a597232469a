"""What an object belongs to, read in batches of a thousand and put into its document.

``associations`` has the shape that the object lists give it,
``{"companies": {"results": [{"id": "17", "types": [...]}]}}``, whichever way the object
itself was read, so that reading it twice gives the same document. The primary company of
several is the first.
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
    """The same rows, each document with the associations that the stream declares."""
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
    """The document with what it is linked to; without the word where it is linked to nothing."""
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
    progress = Progress(reading)
    while inputs:
        answer = reading.post(
            f"/crm/v4/associations/{object_type(reading)}/{target}/batch/read",
            {"inputs": inputs},
        )
        _require_no_failure(reading, answer)
        inputs = []
        for result in reading.rows(answer, "results"):
            source = identity(result, "from.id") or ""
            linked.setdefault(source, {}).update(_others(reading, result))
            after = ((result.get("paging") or {}).get("next") or {}).get("after")
            if after:
                progress.advance(f"{source}/{after}")
                inputs.append({"id": source, "after": str(after)})
    return linked


def _others(reading: Reading, result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for other in reading.rows(result, "to"):
        found = identity(other, "toObjectId")
        if found is None:
            raise reading.error("an association leads to an object without an id.", "bad_body")
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
