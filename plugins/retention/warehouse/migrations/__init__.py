"""Versioned SQL migrations of roles and schemas.

Each ``migrations/NNNN_*.sql`` runs once, in a transaction of its own, and must be idempotent.
A script that was edited after it was applied is an error: add a new one instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from retention.errors import ConfigurationError
from retention.warehouse import postgres
from retention.warehouse.keyring import secret

if TYPE_CHECKING:
    from retention.warehouse.connection import Warehouse

SCRIPTS = Path(__file__).parent
LOCK = 7_301_955_101  # one number for every warehouse of a server: roles are shared


@dataclass(frozen=True)
class Script:
    version: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def scripts() -> list[Script]:
    """Return all scripts in order; raises ConfigurationError for a repeated number."""
    paths = sorted(SCRIPTS.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    found = [Script(int(path.stem[:4]), path.stem, path.read_text()) for path in paths]
    if len({script.version for script in found}) != len(found):
        raise ConfigurationError("two migrations have the same number.", code="migrations")
    return found


def pending(wh: Warehouse) -> list[str]:
    """Return the names of the scripts not yet applied; all of them for a missing database."""
    try:
        with psycopg.connect(_admin_url(wh)) as conn:
            done = _applied(conn)
    except psycopg.OperationalError:
        done = {}
    return [script.name for script in scripts() if script.version not in done]


@contextmanager
def lock(wh: Warehouse) -> Iterator[None]:
    """Hold the server's migration lock: one process migrates at a time, the others wait.

    The lock lives in the maintenance database, which all warehouses of a server share.
    """
    maintenance = make_conninfo(_admin_url(wh), dbname="postgres")
    with psycopg.connect(maintenance, autocommit=True) as guard:
        guard.execute("select pg_advisory_lock(%s)", [LOCK])
        yield


def migrate(wh: Warehouse) -> list[str]:
    """Apply the pending scripts, set the passwords of the logins, return the applied names.

    Call it inside ``lock``.
    """
    url = _admin_url(wh)
    maintenance = make_conninfo(url, dbname="postgres")
    with psycopg.connect(maintenance, autocommit=True) as conn:
        _create_database(conn, str(conninfo_to_dict(url)["dbname"]))
    with psycopg.connect(url) as conn:
        applied = _apply_pending(conn)
        _set_passwords(conn, wh)
    return applied


def _apply_pending(conn: psycopg.Connection) -> list[str]:
    done = _applied(conn)
    applied = []
    for script in scripts():
        if script.version in done:
            if done[script.version] != script.sha256:
                raise ConfigurationError(
                    f"migration {script.name} was edited after it was applied.",
                    code="migration_edited",
                    hint="Restore it and put the change into a script with the next number.",
                )
            continue
        _apply(conn, script)
        applied.append(script.name)
    return applied


def _apply(conn: psycopg.Connection, script: Script) -> None:
    with conn.transaction():
        # Fail behind a long query; waiting would block every later reader as well.
        conn.execute("set local lock_timeout = '5s'")
        try:
            conn.execute(script.text.encode())
        except psycopg.Error as error:
            raise ConfigurationError(
                f"migration {script.name} failed: {error}", code="migration_failed"
            ) from error
        conn.execute(
            "insert into ops.migrations (version, name, sha256) values (%s, %s, %s)",
            [script.version, script.name, script.sha256],
        )


def _applied(conn: psycopg.Connection) -> dict[int, str]:
    """Return version and checksum of each applied script; create ops.migrations if missing."""
    with conn.transaction():
        known = conn.execute("select to_regclass('ops.migrations') is not null").fetchone()
        if not (known and known[0]):
            conn.execute("create schema if not exists ops")
            conn.execute(
                "create table ops.migrations (version int primary key, name text not null,"
                " sha256 text not null, applied_at timestamptz not null default clock_timestamp())"
            )
        return dict(conn.execute("select version, sha256 from ops.migrations").fetchall())


def _create_database(conn: psycopg.Connection, database: str) -> None:
    known = conn.execute("select 1 from pg_database where datname = %s", [database]).fetchone()
    if known is None:
        name = sql.Identifier(database)
        conn.execute(sql.SQL("create database {} template template0").format(name))


def _set_passwords(conn: psycopg.Connection, wh: Warehouse) -> None:
    """Set the password of every login to the one in this installation's keyring."""
    if wh.settings is None:
        return
    parts = conninfo_to_dict(wh.url)
    passwords = {role: secret(wh.settings, role) for role in ("bi_reader", "cs_reader", "eraser")}
    if parts.get("user") == "pipeline":
        passwords["pipeline"] = str(parts.get("password", ""))
    with conn.transaction():
        conn.execute("set local password_encryption = 'scram-sha-256'")
        # Keep the passwords out of the statement log.
        conn.execute("select set_config('log_statement', 'none', true)")
        for role, password in passwords.items():
            statement = sql.SQL("alter role {} password {}")
            conn.execute(statement.format(sql.Identifier(role), password))


def _admin_url(wh: Warehouse) -> str:
    """Return the URL of a login that may create roles and the database."""
    database = str(conninfo_to_dict(wh.url)["dbname"])
    if wh.settings and wh.settings.admin_url:
        return make_conninfo(wh.settings.admin_url, dbname=database)
    if wh.settings and not wh.settings.warehouse_url:
        return postgres.admin_url(wh.settings, database)
    raise ConfigurationError(
        "migrating an external warehouse needs a login that may create roles.",
        code="no_admin",
        hint="Set RETENTION_WAREHOUSE_ADMIN to the URL of such a login.",
    )
