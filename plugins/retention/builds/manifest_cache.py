"""Cache of the parsed dbt project, shared by all companies of a state folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retention.settings import Settings

# Folders that decide the content of a build; tests do not.
BUILD_FOLDERS = ("models", "macros", "seeds")
ALL_FOLDERS = (*BUILD_FOLDERS, "tests")


def fingerprint(project: Path, folders: Sequence[str] = BUILD_FOLDERS) -> str:
    """Return a hash of every file in the folders and of the project settings."""
    digest = hashlib.sha256()
    paths = [path for name in folders for path in (project / name).rglob("*") if path.is_file()]
    for path in sorted([*paths, *project.glob("*.yml")]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(project)} {len(content)} ".encode() + content)
    return digest.hexdigest()


def path_of(settings: Settings, prefix: str) -> Path:
    """Return the cache path of the manifest for the current project files and dbt version."""
    from dbt.version import get_installed_version

    project = fingerprint(settings.root / "dbt_project", ALL_FOLDERS)
    version = get_installed_version().to_version_string(skip_matcher=True)
    digest = hashlib.sha256(f"{project} {version}".encode()).hexdigest()[:16]
    return settings.state / "dbt" / f"{prefix}parsed-{digest}.msgpack"


def read(path: Path, database: str) -> Any:
    """Read the cached manifest and set its database; None when it is not cached.

    The manifests of companies differ only in the database name, and parsing takes longer
    than building a small company.
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
    # dbt rebuilds both maps after partial parsing, too.
    manifest.build_parent_and_child_maps()
    manifest.build_flat_graph()
    return manifest


def store(path: Path, partial_parse: Path) -> None:
    """Store dbt's parse result and delete those of older project files.

    Compute ``path`` before dbt parses: a file edited meanwhile then gives another path, and
    the project is parsed again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(partial_parse.read_bytes())
    # Atomic: a concurrent reader sees the old or the new file.
    Path(fresh).replace(path)
    for older in path.parent.glob(f"{path.name.rpartition('-')[0]}-*.msgpack"):
        if older != path:
            older.unlink(missing_ok=True)
