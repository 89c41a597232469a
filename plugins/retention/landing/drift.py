"""Detect schema drift: new, missing and retyped paths in the documents of a stream.

Work is bounded: each document is compared by the names of its two upper levels. Only a
sample, and the first document of each combination of names, is walked in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retention.landing.load import Load

MOST_WALKED = 2000
MOST_SHAPES = 5000
MOST_PATHS = 3000
MOST_PATHS_OF_ONE = 400
DEEPEST = 5
ALWAYS_WALKED = 200
WALK_EVERY = 25

# A path in at least this share of documents belongs to the schema.
ESTABLISHED = 0.95
FEWEST_BEFORE = 20
# A path is "gone" when its absence from a batch has a smaller probability than this.
CHANCE = 1e-4

# Names that are data, such as ids and long texts, are all recorded as "*".
_DATA_NAME = re.compile(r"\d+|(?=.*\d)[0-9a-fA-F][0-9a-fA-F-]{7,}|.{65,}", re.DOTALL)
_TYPES = {str: "string", bool: "boolean", dict: "object", list: "array"}


@dataclass
class Seen:
    """Number of sampled documents with a path, and its JSON types."""

    documents: int = 0
    sampled: int = 0
    types: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Change:
    path: str
    kind: str
    detail: str


class Shape:
    """The paths of one batch: ``observe`` each document, then ``record`` once."""

    def __init__(self) -> None:
        self.paths: dict[str, Seen] = {}
        self.walked = 0
        self._count = 0
        self._shapes: set[tuple[str, ...]] = set()

    def observe(self, doc: dict[str, Any]) -> None:
        """Record the names of one document; walk it if it is sampled or has new names."""
        self._count += 1
        names = [*doc]
        for name, value in doc.items():
            if type(value) is dict:
                names += ("\0", name, *value)
        shape = tuple(names)
        unmet = shape not in self._shapes and len(self._shapes) < MOST_SHAPES
        if unmet:
            self._shapes.add(shape)
        sampled = self._count <= ALWAYS_WALKED or self._count % WALK_EVERY == 0
        if unmet or (sampled and self.walked < MOST_WALKED):
            self._walk(doc)

    def _walk(self, doc: dict[str, Any]) -> None:
        self.walked += 1
        met: dict[str, set[str]] = {}
        for path, kind in _paths(doc, "", 1):
            met.setdefault(path, set()).add(kind)
            if len(met) >= MOST_PATHS_OF_ONE:
                break
        for path, kinds in met.items():
            if path in self.paths or len(self.paths) < MOST_PATHS:
                seen = self.paths.setdefault(path, Seen())
                seen.documents += 1
                seen.types |= kinds - {"null"}


def compare(known: dict[str, Seen], shape: Shape) -> list[Change]:
    """Return the changes against the known paths; none on the first load of a stream."""
    if not known or not shape.walked:
        return []
    changes = []
    for path, seen in sorted(shape.paths.items()):
        before = known.get(path)
        if before is None:
            if len(known) < MOST_PATHS and _parent(path) not in shape.paths.keys() - known.keys():
                changes.append(Change(path, "new", "/".join(sorted(seen.types)) or "null"))
        elif before.types and seen.types - before.types:
            was, now = ("/".join(sorted(types)) for types in (before.types, seen.types))
            changes.append(Change(path, "type", f"{was} became {now}"))
    for path, before in sorted(known.items()):
        if path not in shape.paths and _is_missed(before, shape.walked):
            share = before.documents / before.sampled
            detail = f"was in {share:.1%}, is in none of {shape.walked} documents"
            changes.append(Change(path, "gone", detail))
    return changes


def record(load: Load, shape: Shape) -> list[Change]:
    """Write the changes and the updated known paths in the load's transaction."""
    rows = load.conn.execute(
        "select path, documents, sampled, types from ops.stream_paths"
        " where source = %s and stream = %s",
        [load.source, load.stream],
    ).fetchall()
    known = {path: Seen(documents, sampled, set(types)) for path, documents, sampled, types in rows}
    changes = compare(known, shape)
    if shape.walked:
        _remember(load, shape)
    if changes:
        with load.conn.cursor() as cursor:
            cursor.executemany(
                "insert into ops.drift (load_id, source, stream, path, kind, detail, seen_at)"
                " values (%s, %s, %s, %s, %s, %s, clock_timestamp())",
                [
                    (load.load_id, load.source, load.stream, c.path, c.kind, c.detail)
                    for c in changes
                ],
            )
    return changes


def _remember(load: Load, shape: Shape) -> None:
    paths = sorted(shape.paths)
    load.conn.execute(
        """
        insert into ops.stream_paths as known (source, stream, path, types, documents, sampled)
        select %s, %s, path, string_to_array(types, ' '), documents, %s
        from unnest(%s::text[], %s::text[], %s::bigint[]) as met (path, types, documents)
        on conflict (source, stream, path) do update set
            documents = known.documents + excluded.documents,
            sampled = known.sampled + excluded.sampled,
            types = array(select distinct unnest(known.types || excluded.types) order by 1)
        """,
        [
            load.source,
            load.stream,
            shape.walked,
            paths,
            [" ".join(sorted(shape.paths[path].types)) for path in paths],
            [shape.paths[path].documents for path in paths],
        ],
    )


def _is_missed(before: Seen, documents: int) -> bool:
    if before.sampled < FEWEST_BEFORE or before.documents < ESTABLISHED * before.sampled:
        return False
    absent = 1 - (before.documents + 1) / (before.sampled + 2)
    return bool(absent**documents < CHANCE)


def _paths(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            shown = "*" if _DATA_NAME.fullmatch(name) else name.replace("\0", "\ufffd")
            below = f"{path}.{shown}" if path else shown
            yield below, _type(inner)
            if depth < DEEPEST:
                yield from _paths(inner, below, depth + 1)
    elif isinstance(value, list):
        for inner in value[:3]:
            yield f"{path}[]", _type(inner)
            if depth < DEEPEST:
                yield from _paths(inner, f"{path}[]", depth + 1)


def _parent(path: str) -> str:
    return path[:-2] if path.endswith("[]") else path.rpartition(".")[0]


def _type(value: Any) -> str:
    if value is None:
        return "null"
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "number")
