"""Imports between the packages of `retention` have one direction, without cycles."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

from tests.places import ROOT

PACKAGE = ROOT / "plugins" / "retention"
ARCHITECTURE = ROOT / "docs" / "extend" / "architecture.md"


def package(path: Path) -> str:
    """Return the package of a module, or the module itself if it is at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Return the packages that a module imports from, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "retention":
                names = [f"retention.{each.name}" for each in node.names]
            found |= {name.split(".")[1] for name in names if name.startswith("retention.")}
    return found


def imports() -> dict[str, set[str]]:
    """Return the direct imports of each package."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        own = package(path)
        found.setdefault(own, set()).update(imported(path) - {own})
    return found


def test_packages_have_no_import_cycle() -> None:
    found = imports()
    assert len(found) > 20
    # Raises CycleError that names the packages of a cycle.
    order = list(TopologicalSorter(found).static_order())
    assert order.index("errors") < order.index("warehouse") < order.index("cli")


def test_the_architecture_page_lists_every_package_below_its_imports() -> None:
    shown = re.findall(r"`retention/(\w+)`", ARCHITECTURE.read_text())
    assert sorted(shown) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    direct = imports()
    for place, name in enumerate(shown):
        below = set(shown[place + 1 :])
        waiting, seen = [name], set()
        while waiting:
            each = waiting.pop()
            seen.add(each)
            waiting += direct.get(each, set()) - seen
        assert not seen & below, name
