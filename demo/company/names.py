"""Names for simulated people, a pure function of a key."""

from __future__ import annotations

import hashlib

FIRST = (
    "Ada", "Amara", "Anna", "Ben", "Bruno", "Carla", "Chen", "Clara", "Daniel", "Diego", "Elena",
    "Emil", "Emma", "Farid", "Felix", "Fiona", "Grace", "Hana", "Hugo", "Ida", "Igor", "Ines",
    "Ivan", "Jana", "Jonas", "Julia", "Kai", "Kenji", "Lara", "Leo", "Lina", "Luca", "Maya",
    "Mei", "Mila", "Nadia", "Nina", "Noah", "Olga", "Omar", "Oscar", "Paula", "Pavel", "Priya",
    "Rafael", "Rosa", "Ruth", "Samir", "Sara", "Sofia", "Stefan", "Tariq", "Tessa", "Tom", "Uma",
    "Vera", "Viktor", "Yara", "Yuki", "Zoe",
)  # fmt: skip
LAST = (
    "Abbot", "Adler", "Almeida", "Baker", "Bauer", "Bianchi", "Blanc", "Brandt", "Castro",
    "Cohen", "Costa", "Dietrich", "Dubois", "Duarte", "Eriksen", "Falk", "Ferrer", "Fischer",
    "Garcia", "Gruber", "Haas", "Hansen", "Hayes", "Ito", "Jensen", "Kato", "Keller", "Kim",
    "Kowal", "Kumar", "Lang", "Larsen", "Lopez", "Maier", "Marin", "Martin", "Meyer", "Mori",
    "Moreau", "Nagy", "Navarro", "Nielsen", "Novak", "Olsen", "Patel", "Perez", "Petrov", "Price",
    "Ramos", "Reyes", "Rossi", "Sato", "Schulz", "Silva", "Singh", "Stone", "Tanaka", "Visser",
    "Weber", "Zhang",
)  # fmt: skip


def person(key: str) -> tuple[str, str]:
    """A first and a last name."""
    number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")
    number, first = divmod(number, len(FIRST))
    return FIRST[first], LAST[number % len(LAST)]
