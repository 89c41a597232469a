"""Migrate Airflow's metadata database; create one pool per vendor to respect rate limits."""

from __future__ import annotations

from airflow.models.pool import Pool
from airflow.utils.db import initdb, upgradedb
from airflow.utils.session import create_session
from sqlalchemy import inspect

from retention.sources import SOURCES


def main() -> None:
    """Migrate the metadata database to this version of Airflow. Idempotent."""
    with create_session() as session:
        fresh = not inspect(session.connection()).has_table("dag_run")
    # initdb creates a new database in one step; running every migration takes minutes.
    initdb() if fresh else upgradedb()
    for source in SOURCES:
        if source.pool != Pool.DEFAULT_POOL_NAME:
            Pool.create_or_update_pool(
                name=source.pool,
                slots=source.pool_slots,
                description=f"Concurrent calls to {source.name}",
                include_deferred=False,
            )


if __name__ == "__main__":
    main()
