"""Draw from random streams, one per customer and topic, so that topics are independent."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

import numpy as np

Choice = TypeVar("Choice")

TOPICS = (
    "profile", "mood", "people", "billing", "payments", "churn", "meetings", "tickets",
    "deals", "goals", "surveys", "usage", "company",
)  # fmt: skip
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Streams:
    """One ``random.Random`` per topic, seeded from the customer's own SeedSequence.

    A stream is consumed in simulated time. So a longer history does not change its first N days,
    and more customers do not change customer 7.
    """

    def __init__(self, seed: int, index: int) -> None:
        state = np.random.SeedSequence([seed, index]).generate_state(len(TOPICS), np.uint64)
        self._seeds = {topic: int(word) for topic, word in zip(TOPICS, state, strict=True)}
        self._streams = {topic: Random(word) for topic, word in self._seeds.items()}

    def __getitem__(self, topic: str) -> Random:
        return self._streams[topic]

    def seed_of(self, topic: str) -> int:
        """Return the 64-bit seed of a topic, for code that hashes instead of drawing."""
        return self._seeds[topic]


def token(length: int, *parts: object) -> str:
    """Return a vendor-like identifier of letters and digits, a pure function of ``parts``."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=32).digest()
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(length):
        number, place = divmod(number, 62)
        letters.append(ALPHABET[place])
    return "".join(letters)


def weighted(rng: Random, choices: Sequence[tuple[Choice, float]]) -> Choice:
    """Return one of the choices by weight, with exactly one draw."""
    mark = rng.random() * sum(weight for _, weight in choices)
    for choice, weight in choices:
        mark -= weight
        if mark < 0:
            return choice
    return choices[-1][0]


def logistic(value: float) -> float:
    """Return the logistic function, from 0 to 1."""
    return 1.0 / (1.0 + math.exp(-value))
