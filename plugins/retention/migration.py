"""Migrate a warehouse: SQL scripts, raw tables and the tables of the statistics."""

from __future__ import annotations

from collections.abc import Iterable

from retention.landing import records
from retention.source import Source
from retention.statistics import STATISTICS, tables
from retention.warehouse import Warehouse, migrations


def migrate(wh: Warehouse, sources: Iterable[Source] = ()) -> list[str]:
    """Create or update roles, schemas, raw tables and the tables of the statistics.

    Returns the names of the applied scripts. Idempotent and safe in several processes at
    once: all steps run under one server lock, because Postgres tests whether a table exists
    and creates it in two steps.
    """
    with migrations.lock(wh):
        applied = migrations.migrate(wh)
        with wh.connect("loader") as conn:
            for source in sources:
                for stream in source.streams:
                    records.ensure_table(conn, source, stream)
        with wh.connect("transformer") as conn:
            tables.ensure(conn, STATISTICS)
    return applied
