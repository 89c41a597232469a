"""Settings of this installation: state folder, company and warehouse."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from retention.errors import ConfigurationError

# The name becomes part of a database name, which Postgres cuts at 63 bytes.
COMPANY = re.compile(r"[a-z][a-z0-9_]{0,39}")


PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[1]


def root() -> Path:
    """Return the folder that holds ``dags``, ``dbt_project`` and ``expectations``.

    ``RETENTION_ROOT`` names it. The default is the checkout the package lies in, else the data
    that the wheel installed.
    """
    named = os.environ.get("RETENTION_ROOT")
    if not named:
        return CHECKOUT if _is_root(CHECKOUT) else PACKAGE / "data"
    folder = Path(named).expanduser().resolve()
    if not _is_root(folder):
        raise ConfigurationError(
            f"RETENTION_ROOT={named} has no dbt_project/dbt_project.yml.",
            hint="Name the checkout, or leave it unset to use the files of the package.",
        )
    return folder


def _is_root(folder: Path) -> bool:
    return (folder / "dbt_project" / "dbt_project.yml").is_file()


def _default_state() -> Path:
    """``.state`` beside the project; an installed package keeps its state in the home folder."""
    installed = PACKAGE / "data"
    if root() == installed:
        return Path.home() / ".local" / "state" / "retention"
    return root() / ".state"


def _days(name: str, default: int) -> int:
    text = os.environ.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit()):
        raise ConfigurationError(
            f"{name}={text!r} is not a number of days.", hint="Use a whole number, such as 400."
        )
    return int(text) if text else default


@dataclass(frozen=True)
class Settings:
    """Settings from the environment, read once: ``Settings.from_env()``.

    ``warehouse_url`` is None for the embedded cluster. ``admin_url`` is a login that may
    create roles and databases; only migrating an external warehouse needs it. Publishes of the
    last ``publish_days`` days are kept.
    """

    root: Path
    state: Path
    company: str = "demo"
    warehouse_url: str | None = None
    admin_url: str | None = None
    publish_days: int = 400

    def __post_init__(self) -> None:
        if not COMPANY.fullmatch(self.company):
            raise ConfigurationError(
                f"the company name {self.company!r} cannot name a database.",
                hint="Use 1 to 40 of a-z, 0-9 and _, starting with a letter.",
            )

    @classmethod
    def from_env(cls) -> Settings:
        """Read the environment.

        ``RETENTION_ROOT``, ``RETENTION_STATE``, ``RETENTION_COMPANY``, ``RETENTION_WAREHOUSE``,
        ``RETENTION_WAREHOUSE_ADMIN`` and ``RETENTION_PUBLISH_DAYS``; each is optional.
        """
        state = os.environ.get("RETENTION_STATE") or _default_state()
        return cls(
            root=root(),
            state=Path(state).expanduser().resolve(),
            company=os.environ.get("RETENTION_COMPANY") or "demo",
            warehouse_url=os.environ.get("RETENTION_WAREHOUSE") or None,
            admin_url=os.environ.get("RETENTION_WAREHOUSE_ADMIN") or None,
            publish_days=_days("RETENTION_PUBLISH_DAYS", 400),
        )

    @property
    def database(self) -> str:
        """Return the database name; each company has a database of its own."""
        return f"retention_{self.company}"

    @property
    def lake(self) -> Path:
        return self.state / "lake" / self.company

    @property
    def docs(self) -> Path:
        return self.state / "docs" / self.company

    @property
    def airflow(self) -> Path:
        return self.state / "airflow"

    @property
    def demo(self) -> Path:
        return self.state / "demo"
