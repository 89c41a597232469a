"""Fold the data tests of one relation into one node; dbt's overhead exceeds a test's cost."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MACRO = "every_test"
# A test with a filter, limit, severity or tolerance of its own is not folded.
PLAIN = {
    "where": None,
    "limit": None,
    "severity": "ERROR",
    "store_failures": None,
    "fail_calc": "count(*)",
    "warn_if": "!= 0",
    "error_if": "!= 0",
}


@contextmanager
def folded(manifest: Any) -> Iterator[dict[str, list[Any]]]:
    """Fold the tests that read the same relations for the block; yield the folded tests by id.

    A test blocks the models downstream of all its relations, so folding changes no order. A
    project without the macro keeps its tests.
    """
    before = manifest.nodes
    groups = _alike(manifest)
    removed = {test.unique_id for tests in groups.values() for test in tests}
    manifest.nodes = {key: node for key, node in before.items() if key not in removed}
    manifest.nodes.update({key: _one(key, tests) for key, tests in groups.items()})
    try:
        yield groups
    finally:
        manifest.nodes = before


def _alike(manifest: Any) -> dict[str, list[Any]]:
    if not any(macro.name == MACRO for macro in manifest.macros.values()):
        return {}
    alike: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for node in manifest.nodes.values():
        if node.resource_type == "test" and _is_plain(node):
            alike[tuple(sorted(set(node.depends_on.nodes)))].append(node)
    return {_id(tests): tests for tests in alike.values() if len(tests) > 1}


def _is_plain(node: Any) -> bool:
    found = getattr(node, "test_metadata", None)
    if found is None or found.namespace is not None:
        return False
    return all(getattr(node.config, name) == value for name, value in PLAIN.items())


def _id(tests: list[Any]) -> str:
    return f"{tests[0].unique_id}.and_{len(tests) - 1}_more"


def _one(key: str, tests: list[Any]) -> Any:
    """Build one test node with the macros and arguments of all."""
    first = tests[0]
    one = copy.copy(first)
    one.unique_id = key
    one.name = one.alias = f"{first.name}_and_{len(tests) - 1}_more"
    one.fqn = [*first.fqn[:-1], one.name]
    one.path = f"every_{first.path}"
    one.raw_code = f"{{{{ {MACRO}(**_dbt_generic_test_kwargs) }}}}"
    one.depends_on = copy.copy(first.depends_on)
    macros = {macro for test in tests for macro in test.depends_on.macros}
    one.depends_on.macros = sorted(macros)
    one.refs = [ref for test in tests for ref in test.refs]
    one.test_metadata = copy.copy(first.test_metadata)
    parts = [
        {"macro": f"test_{t.test_metadata.name}", "kwargs": t.test_metadata.kwargs} for t in tests
    ]
    one.test_metadata.kwargs = {"tests": parts}
    return one
