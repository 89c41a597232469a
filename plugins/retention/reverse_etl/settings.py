"""Read the settings of reverse ETL; everything is off by default."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from retention.errors import ConfigurationError
from retention.source import Connection

CHANNELS = ("email", "slack")
MODES = ("off", "approve", "on")
Find = Callable[[str], Connection]


@dataclass(frozen=True)
class Recipient:
    """Where the digest of one customer success manager goes; a blank address means nowhere."""

    email: str = ""
    slack: str = ""


@dataclass(frozen=True)
class Outbound:
    """The digest ``channels``, their recipients, and whether values are written to the CRM.

    ``link`` is the URL of a customer's page, with ``{customer_id}`` in it.
    """

    channels: tuple[str, ...] = ()
    recipients: dict[str, Recipient] = field(default_factory=dict)
    link: str = ""
    write_back: str = "off"

    @classmethod
    def from_env(cls) -> Outbound:
        """Read ``RETENTION_DIGEST``, ``_DIGEST_RECIPIENTS``, ``_LINK`` and ``_WRITE_BACK``."""
        named = os.environ.get("RETENTION_DIGEST", "").split(",")
        channels = tuple(name.strip() for name in named if name.strip())
        unknown = sorted(set(channels) - set(CHANNELS))
        if unknown:
            raise ConfigurationError(
                f"RETENTION_DIGEST has unknown channels: {', '.join(unknown)}.",
                hint=f"Known channels: {', '.join(CHANNELS)}.",
            )
        path = os.environ.get("RETENTION_DIGEST_RECIPIENTS") or ""
        return cls(
            channels=channels,
            recipients=read_recipients(Path(path)) if path else {},
            link=os.environ.get("RETENTION_LINK") or "",
            write_back=write_back_mode(),
        )

    def link_to(self, customer_id: str) -> str:
        return self.link.replace("{customer_id}", customer_id)


def write_back_mode() -> str:
    """Return off, approve or on; raises ConfigurationError for anything else."""
    mode = os.environ.get("RETENTION_WRITE_BACK") or "off"
    if mode not in MODES:
        raise ConfigurationError(
            f"RETENTION_WRITE_BACK is {mode!r}.", hint=f"Set it to one of {', '.join(MODES)}."
        )
    return mode


def read_recipients(path: Path) -> dict[str, Recipient]:
    """Read the CSV file ``csm_id,email,slack``; raises ConfigurationError with the line."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error
    found: dict[str, Recipient] = {}
    for number, line in enumerate(lines, 2):
        csm_id, email = (line.get("csm_id") or "").strip(), (line.get("email") or "").strip()
        if not csm_id or csm_id in found or (email and not _is_address(email)):
            raise ConfigurationError(
                "needs a csm_id that is not repeated, and a plain e-mail address or none.",
                where=f"{path.name} line {number}",
                hint="The columns are csm_id, email, slack.",
            )
        found[csm_id] = Recipient(email, (line.get("slack") or "").strip())
    return found


def _is_address(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and host) and not set(text) & set(" \t\r\n,;<>\"'@") - {"@"}
