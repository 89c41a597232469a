"""Where this installation keeps its state, and which company and warehouse it works for."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from retention.errors import ConfigurationError

# The name becomes part of a database name, which Postgres cuts at 63 bytes.
COMPANY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Settings:
    """What the environment says, read once: ``Settings.from_env()``.

    ``warehouse_url`` is None for the embedded cluster. ``admin_url`` is only needed to
    migrate a warehouse of one's own: a login that may create roles and databases there.
    """

    root: Path
    state: Path
    company: str = "demo"
    warehouse_url: str | None = None
    admin_url: str | None = None

    def __post_init__(self) -> None:
        if not COMPANY.fullmatch(self.company):
            raise ConfigurationError(
                f"the company name {self.company!r} cannot name a database.",
                mend="Use 1 to 40 of a-z, 0-9 and _, starting with a letter.",
            )

    @classmethod
    def from_env(cls) -> Settings:
        """Read ``RETENTION_STATE``, ``_COMPANY``, ``_WAREHOUSE`` and ``_WAREHOUSE_ADMIN``."""
        root = Path(__file__).resolve().parents[2]
        state = os.environ.get("RETENTION_STATE") or root / ".state"
        return cls(
            root=root,
            state=Path(state).expanduser().resolve(),
            company=os.environ.get("RETENTION_COMPANY") or "demo",
            warehouse_url=os.environ.get("RETENTION_WAREHOUSE") or None,
            admin_url=os.environ.get("RETENTION_WAREHOUSE_ADMIN") or None,
        )

    @property
    def database(self) -> str:
        """The database of this company: one company never shares one with another."""
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
