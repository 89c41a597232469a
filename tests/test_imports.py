"""The modules of the whole repository import each other in one direction."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from tests.places import ROOT

# Folder of the repository -> the folder that its module names start from.
FOLDERS = {"plugins": ROOT / "plugins", "demo": ROOT, "local": ROOT, "dags": ROOT}


def modules() -> dict[str, Path]:
    """Return every module of the repository by its dotted name."""
    found = {}
    for folder, base in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py"):
            parts = path.relative_to(base).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> set[str]:
    """Return the modules that a module imports, also in functions and for type checks."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                found.add(inner if inner in known else node.module)
        elif isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
    return found & known.keys() - {name}


def test_no_module_imports_itself_through_others() -> None:
    known = modules()
    assert len(known) > 200
    graph = {name: imports(name, path, known) for name, path in known.items()}
    assert "demo.company.clock" in graph["demo.company.life"]
    # Raises CycleError with the modules of the circle.
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("demo.company.customer") < order.index("demo.company.life")
