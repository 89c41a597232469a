"""Simulate account managers: their books of customers and their succession."""

from __future__ import annotations

from dataclasses import dataclass

from demo.company.chance import Streams, token
from demo.company.names import person

BOOKS = {"SMB": 4, "Mid-Market": 6, "Enterprise": 6}
OWNERS_INDEX = 2**31  # no customer has this index, so the random stream is separate
HIRED = -700


@dataclass(frozen=True, slots=True)
class Owner:
    """One account manager; ``diligence`` is the share of duties kept."""

    id: str
    user_id: int
    first: str
    last: str
    email: str
    team: str
    from_day: int
    to_day: int | None
    diligence: float


class Roster:
    """The owners of every book in succession; a book always has an owner."""

    def __init__(self, seed: int) -> None:
        rng = Streams(seed, OWNERS_INDEX)["company"]
        self.books: dict[tuple[str, int], list[Owner]] = {}
        serial = 0
        for team, count in BOOKS.items():
            for book in range(count):
                leaves = int(120 + rng.random() * 560) if rng.random() < 0.4 else None
                spans = [(HIRED, leaves)] + ([(leaves, None)] if leaves is not None else [])
                for from_day, to_day in spans:
                    serial += 1
                    owner = self.hire(seed, serial, team, from_day, to_day, rng.random())
                    self.books.setdefault((team, book), []).append(owner)

    def hire(
        self, seed: int, serial: int, team: str, from_day: int, to_day: int | None, draw: float
    ) -> Owner:
        first, last = person(token(8, seed, "owner", serial))
        return Owner(
            id=str(640_100_000 + serial * 7_919), user_id=41_000_000 + serial * 389,
            first=first, last=last, email=f"{first}.{last}@vendor.example".lower(), team=team,
            from_day=from_day, to_day=to_day, diligence=0.55 + 0.43 * draw,
        )  # fmt: skip

    def book_of(self, segment: str, index: int) -> list[Owner]:
        """The owners, in order, of the book that this customer is in."""
        return self.books[segment, index * 7 % BOOKS[segment]]

    def everyone(self) -> list[Owner]:
        """All owners there ever were."""
        return [owner for book in self.books.values() for owner in book]


def owner_on(book: list[Owner], day: int) -> Owner:
    """Return the owner of the book on that day."""
    return next(o for o in reversed(book) if o.from_day <= day)
