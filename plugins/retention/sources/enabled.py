"""Which of the declared sources this installation loads."""

from __future__ import annotations

import os

from retention.errors import ConfigurationError
from retention.source import Source
from retention.sources import SOURCES


def enabled_sources() -> list[Source]:
    """The sources named in RETENTION_SOURCES, in its order; all of them when it is not set.

    Raises ConfigurationError for a name that no source has.
    """
    named = os.environ.get("RETENTION_SOURCES", "").split(",")
    wanted = [name.strip() for name in named if name.strip()]
    by_name = {source.name: source for source in SOURCES}
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise ConfigurationError(
            f"RETENTION_SOURCES names {', '.join(unknown)}; there are {', '.join(by_name)}."
        )
    return [by_name[name] for name in wanted] if wanted else list(SOURCES)
