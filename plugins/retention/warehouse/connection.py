"""Connections by role, advisory locks and the commit clock of the warehouse."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from retention.errors import AlreadyRunning, ConfigurationError
from retention.settings import Settings
from retention.warehouse import postgres
from retention.warehouse.keyring import secret

LOGIN = "pipeline"
TASK_ROLES = ("loader", "transformer", "publisher")
READERS = ("bi_reader", "cs_reader", "eraser")

# client_connection_check_interval ends the query of a killed client;
# idle_in_transaction_session_timeout releases the locks of a hung one.
SESSION = {
    "timezone": "UTC",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "15min",
    "statement_timeout": "1h",
    "client_connection_check_interval": "1s",
}


@dataclass(frozen=True)
class Warehouse:
    """The database of one company; the login ``pipeline`` assumes the role of each task."""

    url: str = field(repr=False)
    settings: Settings | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Warehouse:
        """Return the warehouse of these settings; start the embedded one if it is down."""
        if settings.warehouse_url:
            return cls(settings.warehouse_url, settings)
        server = postgres.start(settings)
        url = server.url(LOGIN, secret(settings, LOGIN), settings.database)
        return cls(url, settings)

    @classmethod
    def from_url(cls, url: str) -> Warehouse:
        """Return the warehouse of a URL with the login ``pipeline``, as Airflow tasks have it."""
        return cls(url)

    def connect(self, role: str | None) -> psycopg.Connection:
        """Open a connection as that role, in UTC, with the timeouts of SESSION.

        Without a role it is the bare login, which has no privileges. Raises
        ConfigurationError (warehouse_unreachable) when the connection or login fails.
        """
        options = "".join(f" -c {name}={value}" for name, value in SESSION.items())
        user, password = self._login(role)
        if role in TASK_ROLES:
            options += f" -c role={role}"
        parts = {"user": user, "password": password, "connect_timeout": "10"}
        conninfo = make_conninfo(
            self.url, **parts, options=options.strip(), application_name=f"retention {role or ''}"
        )
        try:
            return psycopg.connect(conninfo)
        except psycopg.OperationalError as error:
            raise ConfigurationError(
                f"cannot connect to the warehouse as {role or user}: {_first_line(error)}",
                code="warehouse_unreachable",
                hint="Run `retention doctor`; after a fresh install, `make run`.",
            ) from error

    def dsn(self, role: str) -> str:
        """Return a libpq URL for that role, for psql, dbt, Great Expectations and BI tools."""
        user, password = self._login(role)
        options = "-c timezone=UTC" + (f" -c role={role}" if role in TASK_ROLES else "")
        parts = conninfo_to_dict(self.url)
        query = urlencode({"options": options}, quote_via=quote)
        place = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"
        return (
            f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{place}"
            f"/{parts.get('dbname', user)}?{query}"
        )

    def lock(self, conn: psycopg.Connection, name: str) -> None:
        """Take the advisory lock of that name until the connection's transaction ends.

        Take it on the connection that writes: a lost connection then loses both the lock and
        its uncommitted rows. Raises AlreadyRunning when another session holds the lock.
        """
        row = conn.execute(
            "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name]
        ).fetchone()
        if not (row and row[0]):
            raise AlreadyRunning(
                f"another run holds the lock {name!r}.", hint="Try again when it has finished."
            )

    def wait_for(self, conn: psycopg.Connection, name: str) -> None:
        """Wait until the lock of that name is free, at most lock_timeout; do not keep it."""
        with contextlib.suppress(psycopg.errors.LockNotAvailable), conn.transaction():
            conn.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])

    def known_at(self, conn: psycopg.Connection) -> datetime:
        """Return a transaction time: every load is committed before it or gets a later time.

        Commits of loads wait until the connection's transaction ends, so end it soon.
        """
        return tick(conn)

    def _login(self, role: str | None) -> tuple[str, str]:
        parts = conninfo_to_dict(self.url)
        if role is None or role in TASK_ROLES:
            return str(parts.get("user", LOGIN)), str(parts.get("password", ""))
        if role not in READERS:
            known = ", ".join((*TASK_ROLES, *READERS))
            raise ConfigurationError(f"there is no role {role!r}; choose one of {known}.")
        if self.settings is None:
            raise ConfigurationError(
                f"the password of {role} is not in the warehouse's URL.",
                hint="Use Warehouse.from_settings, which reads the state folder.",
            )
        return role, secret(self.settings, role)


def tick(conn: psycopg.Connection) -> datetime:
    """Return the next commit time; other commits wait until this transaction ends."""
    # A first load of millions of rows may hold the commit clock for minutes.
    conn.execute("select set_config('lock_timeout', '10min', true)")
    row = conn.execute("select ops.tick()").fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise ConfigurationError(
            "ops.commit_clock has no row.", hint="Run `retention doctor` to migrate again."
        )
    return row[0]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
