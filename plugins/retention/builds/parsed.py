"""The parsed dbt project, kept: what a file says is read once, whatever company it is built for."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retention.settings import Settings

# What decides what a build makes; tests only look at it.
MAKING = ("models", "macros", "materializations", "seeds")
ALL = (*MAKING, "tests")


def fingerprint(project: Path, folders: Sequence[str] = MAKING) -> str:
    """Changes with every file of the folders and every setting of the project."""
    digest = hashlib.sha256()
    paths = [path for name in folders for path in (project / name).rglob("*") if path.is_file()]
    for path in sorted([*paths, *project.glob("*.yml")]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(project)} {len(content)} ".encode() + content)
    return digest.hexdigest()


def place(settings: Settings, prefix: str) -> Path:
    """Where the manifest of the project as its files are now is kept, if it is."""
    from dbt.version import get_installed_version

    project = fingerprint(settings.root / "dbt_project", ALL)
    version = get_installed_version().to_version_string(skip_matcher=True)
    digest = hashlib.sha256(f"{project} {version}".encode()).hexdigest()[:16]
    return settings.state / "dbt" / f"{prefix}parsed-{digest}.msgpack"


def read(path: Path, database: str) -> Any:
    """The manifest kept at ``place``, for ``database``; None where none is kept.

    Companies differ in nothing but the name of their database, and to read all files again for
    each takes dbt longer than to build a small company.
    """
    if not path.exists():
        return None
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    manifest = Manifest.from_msgpack(path.read_bytes(), decoder=extended_mashumuro_decoder)
    for node in (*manifest.nodes.values(), *manifest.sources.values()):
        if node.relation_name:
            node.relation_name = node.relation_name.replace(
                f'"{node.database}".', f'"{database}".', 1
            )
        node.database = database
    # dbt does the same with what its partial parsing has kept.
    manifest.build_parent_and_child_maps()
    manifest.build_flat_graph()
    return manifest


def keep(path: Path, partial_parse: Path) -> None:
    """Keep what dbt has parsed and written; what an older project was parsed to goes.

    ``path`` is the ``place`` from before dbt read the files: one that was edited meanwhile is
    another project, and is read anew.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(partial_parse.read_bytes())
    # Whoever reads meanwhile has the whole of the one or of the other.
    Path(fresh).replace(path)
    for older in path.parent.glob(f"{path.name.rpartition('-')[0]}-*.msgpack"):
        if older != path:
            older.unlink(missing_ok=True)
