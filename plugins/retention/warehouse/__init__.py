"""The warehouse: embedded Postgres, connections by role, passwords and migrations."""

from __future__ import annotations

from retention.warehouse.connection import Warehouse, tick

__all__ = ["Warehouse", "tick"]
