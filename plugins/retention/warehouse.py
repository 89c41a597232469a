"""The warehouse: connections by role, locks, and the moment up to which it knows things."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from retention.database import postgres
from retention.errors import AlreadyRunning, ConfigurationError
from retention.keyring import secret
from retention.settings import Settings

LOGIN = "pipeline"
TASK_ROLES = ("loader", "transformer", "publisher")
READERS = ("bi_reader", "cs_reader", "eraser")

# A killed client must not leave its query running (client_connection_check_interval), nor a
# frozen one its locks (idle_in_transaction_session_timeout).
SESSION = {
    "timezone": "UTC",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "15min",
    "statement_timeout": "1h",
    "client_connection_check_interval": "1s",
}


@dataclass(frozen=True)
class Warehouse:
    """One company's database, reached as the login ``pipeline`` that takes on a task's role."""

    url: str = field(repr=False)
    settings: Settings | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Warehouse:
        """The warehouse the settings name; the embedded one is started when it is down."""
        if settings.warehouse_url:
            return cls(settings.warehouse_url, settings)
        server = postgres.start(settings)
        url = server.url(LOGIN, secret(settings, LOGIN), settings.database)
        return cls(url, settings)

    @classmethod
    def from_url(cls, url: str) -> Warehouse:
        """The warehouse behind a URL with the login ``pipeline``, as an Airflow task gets it."""
        return cls(url)

    def connect(self, role: str | None) -> psycopg.Connection:
        """A connection that acts as that role, in UTC, with time limits on waiting and idling.

        Without a role it is the bare login, which may read nothing. Raises
        ConfigurationError when the warehouse cannot be reached or refuses the login.
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
                mend="Run `retention doctor`; after a fresh install, `make run`.",
            ) from error

    def dsn(self, role: str) -> str:
        """A libpq URL that acts as that role, for psql, dbt, Great Expectations and BI tools."""
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
        """Hold the lock of that name until the connection's transaction ends.

        It is taken on the connection that writes: whoever loses that connection loses the
        lock and the right to commit together. Raises AlreadyRunning when another has it.
        """
        row = conn.execute(
            "select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name]
        ).fetchone()
        if not (row and row[0]):
            raise AlreadyRunning(
                f"another run holds the lock {name!r}.", mend="Try again when it is done."
            )

    def wait_for(self, conn: psycopg.Connection, name: str) -> None:
        """Wait until nobody holds the lock of that name; not for ever, and without taking it."""
        with contextlib.suppress(psycopg.errors.LockNotAvailable), conn.transaction():
            conn.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])

    def known_at(self, conn: psycopg.Connection) -> datetime:
        """A moment no later commit can slip behind: every load is either in it or after it.

        Loads wait for it only until the connection's transaction ends, so end it soon.
        """
        return tick(conn)

    def _login(self, role: str | None) -> tuple[str, str]:
        parts = conninfo_to_dict(self.url)
        if role is None or role in TASK_ROLES:
            return str(parts.get("user", LOGIN)), str(parts.get("password", ""))
        if role not in READERS:
            known = ", ".join((*TASK_ROLES, *READERS))
            raise ConfigurationError(f"there is no role {role!r}; the roles are {known}.")
        if self.settings is None:
            raise ConfigurationError(
                f"the password of {role} is not in the warehouse's URL.",
                mend="Use Warehouse.from_settings where the state folder is at hand.",
            )
        return role, secret(self.settings, role)


def tick(conn: psycopg.Connection) -> datetime:
    """The next commit time; other commits queue behind this transaction until it ends."""
    # A first load of millions of rows may hold the clock for minutes.
    conn.execute("select set_config('lock_timeout', '10min', true)")
    row = conn.execute("select ops.tick()").fetchone()
    if row is None or not isinstance(row[0], datetime):
        raise ConfigurationError(
            "ops.commit_clock has no row.", mend="Run `retention doctor` to migrate again."
        )
    return row[0]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
