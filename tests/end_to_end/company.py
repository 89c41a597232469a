"""A small demo company and its warehouse: move its clock, load its days, see what readers see."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from psycopg import sql

from demo.servers.app import Servers
from retention import steps
from retention.connections import as_environment
from retention.landing.land import LoadResult
from retention.publishing.publish import PublishResult
from retention.settings import Settings
from retention.source import Connection, Source
from retention.sources import hubspot, posthog, stripe, typeform
from retention.warehouse import Warehouse
from retention.window import Window
from tests.conftest import copy_database

FIRST = date(2026, 6, 30)
RECORDS = (hubspot.SOURCE, stripe.SOURCE, typeform.SOURCE)
SOURCES = (*RECORDS, posthog.SOURCE)


def after(days: int) -> date:
    """The day that many days after the first load."""
    return FIRST + timedelta(days=days)


@dataclass(frozen=True)
class Company:
    """The demo company's warehouse, beside the servers that its records come from."""

    settings: Settings
    servers: Servers

    @property
    def wh(self) -> Warehouse:
        return Warehouse.from_settings(self.settings)

    def copied(self, name: str) -> Company:
        """The same in a database and a lake of its own."""
        settings = replace(self.settings, company=name)
        copy_database(self.settings, settings)
        if self.settings.lake.is_dir():
            shutil.copytree(self.settings.lake, settings.lake)
        return replace(self, settings=settings)

    def connection(self, source: Source) -> Connection:
        if source.name == "posthog":
            assert self.servers.folder is not None
            return Connection(source.conn_id, str(self.servers.folder / "exports" / "posthog"))
        url, token = self.servers.urls[source.name], self.servers.tokens[source.name]
        return Connection(source.conn_id, url, token)

    def show(self, day: date) -> None:
        """Let the vendors show the world at the end of that day."""
        self.servers.clock.as_of = day  # type: ignore[misc]
        self.servers.sync()

    def load(
        self, window: Window, shown: date, sources: Iterable[Source] = SOURCES
    ) -> list[LoadResult]:
        """Load the window of every stream while the vendors show the end of the day ``shown``."""
        self.show(shown)
        wh = self.wh
        return [
            steps.load(wh, source, stream, self.connection(source), window)
            for source in sources
            for stream in source.streams
        ]

    def load_day(self, day: date, sources: Iterable[Source] = SOURCES) -> list[LoadResult]:
        """Load a day at its end, as the daily run does."""
        return self.load(Window.of_day(day), day, sources)

    def transform(self, day: date) -> PublishResult:
        return steps.transform(self.wh, day, SOURCES, actor="test")

    def environment(self, *sources: Source) -> dict[str, str]:
        """The settings with which the command line works on this company."""
        enabled = sources or SOURCES
        return {
            "RETENTION_STATE": str(self.settings.state),
            "RETENTION_COMPANY": self.settings.company,
            "RETENTION_SOURCES": ",".join(source.name for source in enabled),
            **as_environment([self.connection(source) for source in SOURCES]),
        }


def read_by_bi(wh: Warehouse) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every published view; `hold` is about rollbacks, not of a publish."""
    found = {}
    with wh.connect("bi_reader") as conn:
        views = conn.execute(
            "select viewname from pg_views"
            " where schemaname = 'publish' and viewname != 'hold' order by viewname"
        ).fetchall()
        for (view,) in views:
            query = sql.SQL("select shown::text from publish.{} as shown order by 1")
            rows = conn.execute(query.format(sql.Identifier(view))).fetchall()
            text = "\n".join(row for (row,) in rows)
            found[view] = len(rows), hashlib.sha256(text.encode()).hexdigest()
    return found
