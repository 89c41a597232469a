"""One simulated customer: the state that all parts of its life share."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from demo.company import catalogue
from demo.company.catalogue import Price, price_of
from demo.company.chance import Streams, token
from demo.company.clock import Clock
from demo.company.contract import Contract
from demo.company.customers import draw_profile
from demo.company.facts import Agenda, Facts
from demo.company.mood import Mood
from demo.company.owners import Owner, Roster, owner_on
from demo.company.versions import CustomerTruth


class Customer:
    """Profile, random streams, facts, agenda, mood and contracts of one customer.

    Billing, people, meetings and the other parts share this state. Each part gets the parts it uses
    as arguments; none of them depends on ``Life``.
    """

    def __init__(self, seed: int, index: int, clock: Clock, roster: Roster) -> None:
        self.seed, self.index, self.clock = seed, index, clock
        self.streams = Streams(seed, index)
        self.profile = draw_profile(seed, index, self.streams["profile"])
        self.book = roster.book_of(self.profile.segment, index)
        self.facts, self.agenda = Facts(), Agenda()
        self.mood = Mood(self.profile.fit, self.streams["mood"])
        self.contract: Contract | None = None  # the one in force
        self.contracts: list[Contract] = []
        # days with reduced usage: [first, end or None, share of normal usage]
        self.quiet_spells: list[tuple[int, int | None, float]] = []
        self.truth = CustomerTruth(
            company_id=self.profile.company_id, name=self.profile.name,
            segment=self.profile.segment, industry=self.profile.industry,
            country=self.profile.country, stripe_customer_id=self.profile.stripe_id,
            currency=self.profile.currency,
        )  # fmt: skip
        self._keys = {"sub": 0, "si": 0, "il": 0, "di": 0}

    def office(self, day: int, rng: Random, first: int = 9, last: int = 17) -> int:
        """Draw a moment of the customer's office hours."""
        return self.clock.office(day, self.profile.zone, rng, first, last)

    def owner(self, day: int) -> Owner:
        """Return the account owner on that day."""
        return owner_on(self.book, day)

    def quiet(self, at: int, share: float | None) -> None:
        """Reduce usage to ``share`` from now on; None restores normal usage."""
        day = self.clock.day_of(at)
        if self.quiet_spells and self.quiet_spells[-1][1] is None:
            first, _, before = self.quiet_spells.pop()
            self.quiet_spells.append((first, day, before))
        if share is not None:
            self.quiet_spells.append((day, None, share))

    def key(self, prefix: str) -> str:
        """Return the next identifier of a kind, in Stripe's format."""
        self._keys[prefix] += 1
        parts = (self.seed, prefix, self.index, self._keys[prefix])
        return f"{prefix}_1{token(23, *parts)}" if prefix != "si" else f"si_{token(14, *parts)}"

    def price(self, product: str, months: int, at: int) -> Price:
        """Return the price of a product in the price list that is valid at ``at``."""
        generation = int(self.clock.day_of(at) >= catalogue.RISE_DAY)
        return price_of(product, self.profile.currency, months, generation)

    def mrr(self, at: int) -> Decimal:
        """Return the MRR just before ``at``."""
        return sum((contract.mrr(at) for contract in self.contracts), Decimal(0))

    def record(self, contract: Contract, at: int) -> None:
        """Record the state of the subscription from ``at`` on."""
        # Stripe takes a coupon used once off the subscription with the invoice it was used on.
        discount = contract.discount
        if discount is not None and discount.coupon.duration == "once":
            discount = None
        items = tuple(
            (item.id, item.price, item.quantity, item.since) for item in contract.items.values()
        )
        names = (
            "anchor", "months", "by_invoice", "start", "period_start", "period_end", "trial_end",
            "status", "paused_until", "cancel_at_period_end", "canceled_at", "ended_at",
            "feedback", "cancel_reason", "latest_invoice",
        )  # fmt: skip
        state = {name: getattr(contract, name) for name in names}
        self.facts.note("subscription", contract.id, at, items=items, discount=discount, **state)
