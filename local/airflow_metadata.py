"""Airflow's own tables, and one pool per vendor so that rate limits hold across all runs."""

from __future__ import annotations

from airflow.models.pool import Pool
from airflow.utils.db import initdb, upgradedb
from airflow.utils.session import create_session
from sqlalchemy import inspect

from retention.sources import SOURCES


def main() -> None:
    """Bring the metadata database to this version of Airflow; can run at every start."""
    with create_session() as session:
        fresh = not inspect(session.connection()).has_table("dag_run")
    # A fresh database is made in one step; walking through every migration takes minutes.
    initdb() if fresh else upgradedb()
    for source in SOURCES:
        if source.pool != Pool.DEFAULT_POOL_NAME:
            Pool.create_or_update_pool(
                name=source.pool,
                slots=source.pool_slots,
                description=f"Calls to {source.name} at the same time",
                include_deferred=False,
            )


if __name__ == "__main__":
    main()
