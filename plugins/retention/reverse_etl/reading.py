"""Read published rows with a reader's permissions."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from retention.errors import ConfigurationError
from retention.warehouse import Warehouse


def rows(wh: Warehouse, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query over schema publish, as bi_reader."""
    with wh.connect("bi_reader") as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def current(wh: Warehouse) -> dict[str, Any]:
    """Return the current publish; raises ConfigurationError if there is none."""
    found = rows(
        wh,
        "select publish_id, as_of, published_at, held_since, hold_reason"
        " from publish.as_of left join publish.hold on true",
    )
    if not found:
        raise ConfigurationError(
            "nothing is published yet.", code="nothing_published", hint="Run the daily load first."
        )
    return found[0]
