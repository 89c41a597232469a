"""What people write into surveys."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

PROMOTER = (
    "Saves us hours every week.", "Support answers within the hour.", "The team loves the reports.",
    "Reliable, and it keeps getting better.", "Our account manager knows our business.",
)  # fmt: skip
PASSIVE = (
    "Does what it should.", "Good, but a little slow at month end.", "Still learning the reports.",
    "Fine so far; the price went up.", "Works, the mobile side could be better.",
)  # fmt: skip
DETRACTOR = (
    "Too expensive for what we use.", "We waited days for an answer.", "Imports keep failing.",
    "The person who set it up has left and nobody took over.", "Missing features we were promised.",
    "Another vendor offered us the same for less.",
)  # fmt: skip
NEXT_STEPS = (
    "A bulk edit.", "Faster answers from support.", "Training for new colleagues.",
    "A better mobile app.", "Single sign-on in our plan.", "A review of our goals.",
)  # fmt: skip
GOOD_HELP = ("Quick and friendly.", "Solved at the first attempt.", "Clear explanation.")
POOR_HELP = ("Had to explain it three times.", "Took far too long.", "Not solved, only closed.")


def of_nps(score: int) -> Sequence[str]:
    """Reasons that go with a score."""
    return PROMOTER if score >= 9 else PASSIVE if score >= 7 else DETRACTOR


def of_help(score: int, scale: int) -> Sequence[str]:
    """Remarks about help received."""
    return GOOD_HELP if score > scale / 2 + 0.5 else POOR_HELP


def pick(rng: Random, texts: Sequence[str], share: float) -> str | None:
    """One of the texts; a share of the people writes nothing."""
    draw, place = rng.random(), rng.random()
    return texts[int(place * len(texts))] if draw < share else None
