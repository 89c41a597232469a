"""The package's folders are rooms, and its arrows run one way: no room needs one that needs it."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from tests.places import ROOT

PACKAGE = ROOT / "plugins" / "retention"


def room(parts: tuple[str, ...]) -> str:
    """The folder below the package, or the module that stands beside the folders."""
    return parts[0].removesuffix(".py")


def needed(path: Path) -> set[str]:
    """The rooms that a module imports anything from, at its top or later."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "retention":
                names = [f"retention.{each.name}" for each in node.names]
            found |= {name.split(".")[1] for name in names if name.startswith("retention.")}
    return found


def test_no_room_needs_one_that_needs_it() -> None:
    arrows: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        own = room(path.relative_to(PACKAGE).parts)
        arrows.setdefault(own, set()).update(needed(path) - {own})
    assert len(arrows) > 20
    # Raises CycleError, with the rooms that go round.
    order = list(TopologicalSorter(arrows).static_order())
    assert order.index("errors") < order.index("warehouse") < order.index("cli")
