"""What there is to publish: the marts that say so, and the columns they and their views have."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from retention.errors import ConfigurationError

AUDIENCES = ("publish", "people")
# The stamps of the stored rows; a mart cannot have columns of these names.
STAMPS = ("from_publish", "to_publish", "row_hash")


@dataclass(frozen=True)
class Mart:
    """A published mart: the schema of its view, and the columns that identify a row."""

    name: str
    audience: str
    grain: tuple[str, ...]

    @property
    def built(self) -> sql.Identifier:
        return sql.Identifier("marts", self.name)

    @property
    def stored(self) -> sql.Identifier:
        return sql.Identifier("published", self.name)

    @property
    def view(self) -> sql.Identifier:
        return sql.Identifier(self.audience, self.name)


def declared(manifest: Path) -> list[Mart]:
    """The marts of a dbt manifest that carry ``meta: {publish: publish | people, grain: [...]}``.

    Raises ConfigurationError when there is none, or one says it wrongly.
    """
    if not manifest.exists():
        raise ConfigurationError(
            f"there is no manifest at {manifest}.", code="no_manifest", mend="Run a build first."
        )
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"].values()
    marts = []
    for node in nodes:
        meta = node.get("config", {}).get("meta") or {}
        if node.get("resource_type") == "model" and meta.get("publish"):
            marts.append(_mart(node["name"], meta))
    if not marts:
        raise ConfigurationError("no model says `meta: {publish: ...}`.", code="no_marts")
    return sorted(marts, key=lambda mart: mart.name)


def columns(conn: psycopg.Connection, schema: str, name: str) -> dict[str, str]:
    """Name and SQL type of each column of a table or view, in order; empty when there is none."""
    return dict(
        conn.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text))"
            " and attnum > 0 and not attisdropped order by attnum",
            [schema, name],
        ).fetchall()
    )


def views(conn: psycopg.Connection) -> set[tuple[str, str]]:
    """(schema, name) of every view that shows a mart to readers."""
    rows = conn.execute(
        "select schemaname, viewname from pg_views"
        " where schemaname = any(%s) and (schemaname, viewname) != ('publish', 'as_of')",
        [list(AUDIENCES)],
    ).fetchall()
    return {(schema, name) for schema, name in rows}


def _mart(name: str, meta: dict[str, object]) -> Mart:
    audience, grain = meta.get("publish"), meta.get("grain")
    if audience not in AUDIENCES:
        raise ConfigurationError(
            f"{name} says publish: {audience!r}; it can be {' or '.join(AUDIENCES)}.",
            code="bad_meta",
        )
    if not (isinstance(grain, list) and grain and all(isinstance(part, str) for part in grain)):
        raise ConfigurationError(
            f"{name} needs a grain.",
            code="bad_meta",
            mend="Name the columns that identify a row: `meta: {grain: [customer_id]}`.",
        )
    return Mart(name, str(audience), tuple(grain))
