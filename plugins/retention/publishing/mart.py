"""The marts to publish, as declared in the dbt manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from retention import suites
from retention.errors import ConfigurationError

AUDIENCES = ("publish", "people")
# Views about the publish itself, made by migrations.
ABOUT_PUBLISHES = ("as_of", "hold")
# Version columns of the stored rows; a mart must not have columns of these names.
STAMPS = ("from_publish", "to_publish", "row_hash")


@dataclass(frozen=True)
class Mart:
    """A published mart: the schema of its view, and the columns that identify a row.

    ``view_over`` names the mart of spans whose days it shows; such a mart has no rows of its own.
    ``columns`` maps the declared columns to their descriptions. ``as_of_column`` has the day of
    the build on every row.
    """

    name: str
    audience: str
    grain: tuple[str, ...]
    view_over: str = ""
    as_of_column: str = ""
    description: str = ""
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def built(self) -> sql.Identifier:
        return sql.Identifier("marts", self.name)

    @property
    def stored(self) -> sql.Identifier:
        return sql.Identifier("published", self.name)

    @property
    def view(self) -> sql.Identifier:
        return sql.Identifier(self.audience, self.name)

    def taken_from_pointer(self, built: Mapping[str, str]) -> str:
        """Return the column that is not stored: each view takes it from the publish shown.

        Empty when the mart has no such column, or has it with another type than ``date``.
        """
        return self.as_of_column if built.get(self.as_of_column) == "date" else ""


def declared(manifest: Path, folder: Path = suites.FOLDER) -> list[Mart]:
    """Read the marts of a dbt manifest with ``meta: {publish: publish | people, grain: [...]}``.

    The suite of a mart in ``folder`` names its ``as_of_column``: gate 2 checks there that every
    row has the day of the build (``as_of: {column: as_of_date, rule: all}``).

    Raises ConfigurationError when there is no mart or its meta is invalid.
    """
    if not manifest.exists():
        raise ConfigurationError(
            f"there is no manifest at {manifest}.", code="no_manifest", hint="Run a build first."
        )
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"].values()
    marts = []
    for node in nodes:
        meta = node.get("config", {}).get("meta") or {}
        if node.get("resource_type") == "model" and meta.get("publish"):
            marts.append(_mart(node, meta, folder))
    if not marts:
        raise ConfigurationError(
            "no model has `meta: {publish: ...}`.",
            code="no_marts",
            hint="Declare it in the YAML of each mart to publish.",
        )
    return sorted(marts, key=lambda mart: mart.name)


def with_rows(wanted: Sequence[Mart]) -> list[Mart]:
    """The marts that are stored, checked and compared; the others are views over these."""
    return [mart for mart in wanted if not mart.view_over]


def views(conn: psycopg.Connection) -> set[tuple[str, str]]:
    """Return (schema, name) of every published view of a mart."""
    rows = conn.execute(
        "select schemaname, viewname from pg_views"
        " where schemaname = any(%s) and (schemaname != 'publish' or viewname != all(%s))",
        [list(AUDIENCES), list(ABOUT_PUBLISHES)],
    ).fetchall()
    return {(schema, name) for schema, name in rows}


def _mart(node: dict[str, Any], meta: dict[str, object], folder: Path) -> Mart:
    name = str(node["name"])
    audience, grain = meta.get("publish"), meta.get("grain")
    if audience not in AUDIENCES:
        raise ConfigurationError(
            f"{name} has publish: {audience!r} in its meta.",
            code="bad_meta",
            hint=f"Use {' or '.join(AUDIENCES)}.",
        )
    if not (isinstance(grain, list) and grain and all(isinstance(part, str) for part in grain)):
        raise ConfigurationError(
            f"{name} has no grain in its meta.",
            code="bad_meta",
            hint="Name the columns that identify a row: `meta: {grain: [customer_id]}`.",
        )
    columns = (node.get("columns") or {}).items()
    suite = suites.find(f"marts.{name}", folder)
    as_of = suite.as_of if suite else None
    return Mart(
        name,
        str(audience),
        tuple(grain),
        view_over=str(meta.get("view_over", "")),
        as_of_column=as_of.column if as_of and as_of.rule == "all" else "",
        description=node.get("description") or "",
        columns={column: entry.get("description") or "" for column, entry in columns},
    )
