"""The package's folders are rooms, and its arrows run one way: no room needs one that needs it."""

from __future__ import annotations

import ast
import re
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


def arrows() -> dict[str, set[str]]:
    """Room by room and module by module, what each needs directly."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        own = room(path.relative_to(PACKAGE).parts)
        found.setdefault(own, set()).update(needed(path) - {own})
    return found


def test_no_room_needs_one_that_needs_it() -> None:
    found = arrows()
    assert len(found) > 20
    # Raises CycleError, with the rooms that go round.
    order = list(TopologicalSorter(found).static_order())
    assert order.index("errors") < order.index("warehouse") < order.index("cli")


def test_the_map_shows_every_room_below_those_that_it_needs() -> None:
    shown = re.findall(r"`retention/(\w+)`", (ROOT / "README.md").read_text())
    assert sorted(shown) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    needs = arrows()
    for place, name in enumerate(shown):
        below = set(shown[place + 1 :])
        waiting, seen = [name], set()
        while waiting:
            each = waiting.pop()
            seen.add(each)
            waiting += needs.get(each, set()) - seen
        assert not seen & below, name
