"""List every source. Declare a new source in its own module and add it here."""

from __future__ import annotations

from retention.source import Source
from retention.sources import files, hubspot, posthog, stripe, typeform

SOURCES: tuple[Source, ...] = (
    hubspot.SOURCE,
    stripe.SOURCE,
    typeform.SOURCE,
    posthog.SOURCE,
    files.SOURCE,
)
