"""Random streams that belong to one customer and one topic, so that neither disturbs another."""

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
    """One ``random.Random`` per topic, drawn from the customer's own SeedSequence.

    A stream is consumed in the order of simulated time, so the first N days are the same
    however many follow, and customer 7 is the same however many customers there are.
    """

    def __init__(self, seed: int, index: int) -> None:
        state = np.random.SeedSequence([seed, index]).generate_state(len(TOPICS), np.uint64)
        self._seeds = {topic: int(word) for topic, word in zip(TOPICS, state, strict=True)}
        self._streams = {topic: Random(word) for topic, word in self._seeds.items()}

    def __getitem__(self, topic: str) -> Random:
        return self._streams[topic]

    def seed_of(self, topic: str) -> int:
        """The 64-bit seed of a topic, for code that hashes instead of drawing."""
        return self._seeds[topic]


def token(length: int, *parts: object) -> str:
    """A vendor-like identifier of letters and digits, a pure function of ``parts``."""
    digest = hashlib.blake2b("|".join(map(str, parts)).encode(), digest_size=32).digest()
    number = int.from_bytes(digest, "big")
    letters = []
    for _ in range(length):
        number, place = divmod(number, 62)
        letters.append(ALPHABET[place])
    return "".join(letters)


def weighted(rng: Random, choices: Sequence[tuple[Choice, float]]) -> Choice:
    """One of the choices, by weight, with exactly one draw."""
    mark = rng.random() * sum(weight for _, weight in choices)
    for choice, weight in choices:
        mark -= weight
        if mark < 0:
            return choice
    return choices[-1][0]


def logistic(value: float) -> float:
    """The usual S-curve, from 0 to 1."""
    return 1.0 / (1.0 + math.exp(-value))
