"""Every source there is. A new one is declared in a module of its own and listed here."""

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
