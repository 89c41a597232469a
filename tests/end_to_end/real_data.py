"""A public data set through the whole path: load, gate, build, gate, publish."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from io import StringIO
from typing import Any

from psycopg import sql
from rich.console import Console

from local.quickstart import files_connection
from retention import migration, steps
from retention.reports import report
from retention.settings import Settings
from retention.sources import SOURCES
from retention.sources.files import SOURCE
from retention.warehouse import Warehouse
from retention.window import Window
from tests.conftest import copy_database, drop_database
from tests.places import SHARED

CHECK_1 = "select expectation, unexpected_count from ops.gate_results where gate = 'arrived'"


@dataclass(frozen=True)
class Company:
    """The warehouse of one data set; what is asked of it is asked of ``publish``."""

    settings: Settings
    wh: Warehouse

    def load(self, name: str, as_of: date) -> None:
        """What the DAGs do for one day, step by step in this process."""
        connection = files_connection(self.settings, SHARED / name)
        for stream in SOURCE.streams:
            steps.load(self.wh, SOURCE, stream, connection, Window.of_day(as_of))
        steps.transform(self.wh, as_of, [SOURCE], actor="tests")

    def ask(self, text: str, role: str = "bi_reader") -> list[tuple[Any, ...]]:
        with self.wh.connect(role) as conn:
            return conn.execute(sql.SQL(text)).fetchall()

    def page(self) -> str:
        written = StringIO()
        report.show(self.wh, Console(file=written, width=100, color_system=None))
        return written.getvalue()


@contextmanager
def company(cluster: Settings, name: str, as_of: date) -> Iterator[Company]:
    """The data set published as of that day, in a database of its own."""
    settings = replace(cluster, company=f"real_{name}")
    copy_database(cluster, settings)
    try:
        made = Company(settings, Warehouse.from_settings(settings))
        migration.migrate(made.wh, SOURCES)
        made.load(name, as_of)
        yield made
    finally:
        drop_database(settings)
