"""Select the declared sources that this installation loads."""

from __future__ import annotations

import os

from retention.errors import ConfigurationError
from retention.source import Source
from retention.sources import SOURCES


def enabled_sources() -> list[Source]:
    """Return the sources named in RETENTION_SOURCES, in that order; all when it is not set.

    Raises ConfigurationError for an unknown name.
    """
    named = os.environ.get("RETENTION_SOURCES", "").split(",")
    wanted = [name.strip() for name in named if name.strip()]
    by_name = {source.name: source for source in SOURCES}
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise ConfigurationError(
            f"RETENTION_SOURCES has unknown names: {', '.join(unknown)}.",
            hint=f"Known sources: {', '.join(by_name)}.",
        )
    return [by_name[name] for name in wanted] if wanted else list(SOURCES)
