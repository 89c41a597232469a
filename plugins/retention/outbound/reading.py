"""Published rows, as a reader sees them: never a row that was not published."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from retention.errors import ConfigurationError
from retention.warehouse import Warehouse


def rows(wh: Warehouse, query: str) -> list[dict[str, Any]]:
    """The rows of a query over schema publish, read as bi_reader."""
    with wh.connect("bi_reader") as conn, conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode()).fetchall()


def current(wh: Warehouse) -> dict[str, Any]:
    """Which publish readers see; raises ConfigurationError when there is none."""
    found = rows(wh, "select publish_id, as_of, published_at from publish.as_of")
    if not found:
        raise ConfigurationError(
            "nothing is published yet.", code="nothing_published", mend="Run the daily load first."
        )
    return found[0]
