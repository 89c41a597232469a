"""Stripe: what it refuses is named, and tried again when it says so."""

from __future__ import annotations

from tests.sources.stripe.billing import HISTORY, Billing, customer, fails, ids, read
from tests.vendor_replay import Replay, json_answer


def test_stripe_decides_whether_a_request_is_retried() -> None:
    """B1: Stripe-Should-Retry beats the status."""
    locked = json_answer({"error": {"code": "lock_timeout"}}, 400, Stripe_Should_Retry="true")
    with Replay(Billing([customer(1)]), {1: locked}) as server:
        assert ids(read(server.connection(), HISTORY)) == ["cus_1"]
    final = json_answer({"error": {"code": "rate_limit"}}, 429, Stripe_Should_Retry="false")
    with Replay(lambda request: final) as server:
        assert fails(server).code == "rate_limited"
        assert len(server.requests) == 1


def test_a_key_revoked_midway_fails_the_read() -> None:
    """B4: after page one; the error says what and where, never which key."""
    revoked = json_answer({"error": {"message": "Invalid API Key provided"}}, 401)
    with Replay(Billing([customer(n) for n in range(150)]), {3: revoked}) as server:
        error = fails(server, HISTORY)
    assert error.code == "unauthorized"
    assert "page 3" in error.where
