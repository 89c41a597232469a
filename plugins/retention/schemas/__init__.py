"""All that a warehouse must have before anything is loaded into it."""

from __future__ import annotations

from collections.abc import Iterable

from retention.landing import records
from retention.schemas import scripts
from retention.source import Source
from retention.statistics import STATISTICS, tables
from retention.warehouse import Warehouse


def migrate(wh: Warehouse, sources: Iterable[Source] = ()) -> list[str]:
    """Bring roles, schemas, raw tables and those of statistics up to date.

    Returns the scripts that were applied. May run at any time, twice or in two processes at
    once.
    """
    applied = scripts.migrate(wh)
    with wh.connect("loader") as conn:
        for source in sources:
            for stream in source.streams:
                records.ensure_table(conn, source, stream)
    with wh.connect("transformer") as conn:
        tables.ensure(conn, STATISTICS)
    return applied
