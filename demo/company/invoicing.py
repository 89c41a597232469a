"""Simulate invoices from draft to paid, void or written off: retries, late payment, refunds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo.company.chance import token
from demo.company.clock import DAY, HOUR
from demo.company.contract import Contract, Line
from demo.company.customer import Customer

RETRIES = (3 * DAY, 8 * DAY, 15 * DAY)  # after the first failure; then the subscription ends
GIVE_UP = 45 * DAY  # past the due date of an invoice that was sent
FAILURES = {"SMB": 0.05, "Mid-Market": 0.025, "Enterprise": 0.01}
DECLINES = ("insufficient_funds", "expired_card", "card_declined", "processing_error")

# Ends a subscription: (contract, at, kind, reason).
End = Callable[[Contract, int, str, str], None]


class Invoicing:
    """Issue a customer's invoices and simulate their payment."""

    def __init__(self, customer: Customer, end: End) -> None:
        self.customer, self.end = customer, end
        self.rng = customer.streams["payments"]
        self.balance = 0  # negative: the customer has credit
        self.issued = 0
        self.charges = 0
        self.unpaid: set[str] = set()

    def issue(
        self, contract: Contract, at: int, lines: tuple[Line, ...], reason: str, *, at_once: bool
    ) -> None:
        """Issue an invoice, finalised at once or, at a renewal, an hour later."""
        self.issued += 1
        key = f"in_1{token(23, self.customer.seed, 'invoice', self.customer.index, self.issued)}"
        contract.latest_invoice = key
        contract.billed |= {
            line.item_id: (key, line.id) for line in lines if line.item_id and line.kind != "credit"
        }
        void = contract.paused_until is not None
        facts = {
            "created": at, "lines": lines, "reason": reason, "subscription": contract.id,
            "discount": contract.discount, "by_invoice": contract.by_invoice,
            "period": (contract.period_start, contract.period_end), "status": "draft",
            "number": f"{self.customer.profile.stripe_id[-8:].upper()}-{self.issued:04d}",
            "attempts": 0, "balance": (self.balance, None),
        }  # fmt: skip
        self.customer.facts.note("invoice", key, at, **facts)
        if void:
            self.note(key, at + 2, status="void", finalized_at=at + 2, voided_at=at + 2)
        elif at_once:
            self.finalize(contract, key, lines, at)
        else:
            self.customer.agenda.at(at + HOUR, lambda t: self.finalize(contract, key, lines, t))

    def note(self, key: str, at: int, **changes: Any) -> None:
        self.customer.facts.note("invoice", key, at, **changes)

    def finalize(self, contract: Contract, key: str, lines: tuple[Line, ...], at: int) -> None:
        """Finalise the invoice, use up credit and collect the rest."""
        total = sum(line.amount - line.discount for line in lines)
        before = self.balance
        used = min(total, -before) if total > 0 else total
        self.change_balance(before + used, at)
        due = max(0, total - used) if total > 0 else 0
        self.note(key, at, status="open", finalized_at=at, balance=(before, self.balance), due=due)
        if due == 0:
            self.note(key, at, status="paid", paid_at=at)
        elif contract.by_invoice:
            self.unpaid.add(key)
            self.await_transfer(contract, key, due, at)
        else:
            self.unpaid.add(key)
            self.charge(contract, key, due, at, attempt=0)

    def change_balance(self, balance: int, at: int) -> None:
        if balance != self.balance:
            self.balance = balance
            self.customer.facts.note(
                "customer", self.customer.profile.stripe_id, at, balance=balance
            )

    def charge(self, contract: Contract, key: str, due: int, at: int, *, attempt: int) -> None:
        """Charge the card; a failure starts or continues dunning."""
        if key not in self.unpaid:
            return
        self.charges += 1
        charge = f"ch_3{token(23, self.customer.seed, 'charge', self.customer.index, self.charges)}"
        succeeded = self.rng.random() >= self.failure_rate(attempt)
        failure = None if succeeded else DECLINES[int(self.rng.random() * len(DECLINES))]
        paid = at + 3
        self.customer.facts.note(
            "charge",
            charge,
            paid,
            created=paid,
            amount=due,
            invoice=key,
            failure=failure,
            refunded=0,
        )
        if succeeded:
            self.paid(contract, key, paid, attempts=attempt + 1, charge=charge)
            self.maybe_refund(charge, due, paid)
        else:
            self.failed(contract, key, due, paid, attempt)

    def failure_rate(self, attempt: int) -> float:
        """Return the probability that the card fails; higher at low satisfaction."""
        mood = self.customer.mood.value
        if attempt:
            return min(0.9, max(0.3, 0.60 - 0.05 * (mood - 6.5)))
        careless = 0.4 + 1.2 * self.customer.profile.payer_care
        return FAILURES[self.customer.profile.segment] * careless * (1 + max(0.0, 6.5 - mood) * 0.3)

    def failed(self, contract: Contract, key: str, due: int, at: int, attempt: int) -> None:
        """Schedule the next attempt, or write the invoice off and end the subscription."""
        if attempt == len(RETRIES):
            self.write_off(contract, key, at, attempts=attempt + 1)
            return
        first = at if attempt == 0 else at - RETRIES[attempt - 1]
        following = first + RETRIES[attempt]
        self.note(key, at, attempts=attempt + 1, next_attempt=following)
        self.past_due(contract, at)
        self.customer.agenda.at(
            following, lambda t: self.charge(contract, key, due, t, attempt=attempt + 1)
        )

    def await_transfer(self, contract: Contract, key: str, due: int, at: int) -> None:
        """Schedule a bank transfer around the due date, or never."""
        mood, care = self.customer.mood.value, self.customer.profile.payer_care
        due_at = at + 30 * DAY
        delay = self.rng.gauss(-6 + (7.0 - mood) * 3.5 + care * 9, 5.0)
        never = self.rng.random() < (0.12 if mood < 3.5 else 0.004)
        self.note(key, at, due_at=due_at)
        pays = due_at + int(max(-27.0, min(40.0, delay)) * DAY)
        if not never:
            self.customer.agenda.at(pays, lambda t: self.paid(contract, key, t, attempts=0))
        else:
            self.customer.agenda.at(due_at + GIVE_UP, lambda t: self.write_off(contract, key, t))
        if never or pays > due_at:
            self.customer.agenda.at(due_at, lambda t: self.past_due(contract, t))

    def past_due(self, contract: Contract, at: int) -> None:
        if contract.ended_at is None and contract.status == "active":
            contract.status = "past_due"
            self.customer.record(contract, at)
            self.customer.facts.note(
                "customer", self.customer.profile.stripe_id, at, delinquent=True
            )
            self.customer.mood.shock(-0.1)

    def paid(
        self, contract: Contract, key: str, at: int, *, attempts: int, charge: str | None = None
    ) -> None:
        """Mark the invoice paid; a past-due subscription becomes active again."""
        if key not in self.unpaid:
            return
        self.unpaid.discard(key)
        self.note(
            key, at, status="paid", paid_at=at, attempts=attempts, charge=charge, next_attempt=None
        )
        if contract.status == "past_due":
            contract.status = "active"
            self.customer.record(contract, at)
            self.customer.facts.note(
                "customer", self.customer.profile.stripe_id, at, delinquent=False
            )

    def write_off(self, contract: Contract, key: str, at: int, attempts: int = 0) -> None:
        """Write the unpaid invoice off and end the subscription."""
        if key not in self.unpaid:
            return
        self.unpaid.discard(key)
        self.note(
            key, at, status="uncollectible", uncollectible_at=at, attempts=attempts,
            next_attempt=None,
        )  # fmt: skip
        if contract.ended_at is None:
            contract.canceled_at = at
            contract.cancel_reason = "payment_failed"
            self.end(contract, at, "involuntary", "unpaid")

    def maybe_refund(self, charge: str, amount: int, at: int) -> None:
        """Refund a few payments, in part or in full."""
        if self.rng.random() < 0.008:
            share = 1.0 if self.rng.random() < 0.4 else 0.2 + 0.5 * self.rng.random()
            later = at + int((1 + self.rng.random() * 9) * DAY)
            self.customer.agenda.at(
                later,
                lambda t: self.refund(charge, round(amount * share), t, "requested_by_customer"),
            )

    def refund(self, charge: str, amount: int, at: int, reason: str) -> None:
        """Refund part of a charge."""
        key = f"re_3{token(23, self.customer.seed, 'refund', charge)}"
        self.customer.facts.note("charge", charge, at, refunded=amount)
        self.customer.facts.note(
            "refund", key, at, created=at, amount=amount, charge=charge, reason=reason
        )
