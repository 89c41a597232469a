"""A published worklist of a few customers, and servers of one's own that receive what goes out."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from retention.publishing import publish
from retention.publishing.mart import Mart
from retention.source import Connection
from retention.warehouse import Warehouse
from tests.publishing.small_marts import build

DAY = date(2026, 6, 30)
MARTS = (
    Mart("fct_csm_worklist", "publish", ("customer_id",)),
    Mart("dim_customers", "publish", ("customer_id",)),
    Mart("fct_customer_health_daily", "publish", ("customer_id", "as_of_date")),
    Mart("fct_identity_map", "publish", ("source", "source_key")),
)
# Every column of the four that leaves the warehouse, with its type.
WORKLIST = (
    "customer_id text, csm_rank bigint, csm_id text, csm_name text, customer_name text,"
    " segment text, health_score numeric(5,2), health_band text, health_coverage numeric(4,3),"
    " reporting_currency text, arr_at_risk_amount numeric(18,4), reason text, action text,"
    " task_owner text, task_status text, escalated_to text, due_date date,"
    " renewal_date date, notice_date date, can_be_saved boolean, as_of_date date"
)
UGLY = 'Möller & Söhne <script>alert("x")</script> | AG'
CALLS: list[dict[str, Any]] = [
    {
        "customer_id": "1001",
        "csm_rank": 1,
        "csm_id": "o1",
        "csm_name": "Lina Zhang",
        "customer_name": UGLY,
        "segment": "Enterprise",
        "health_score": 41.5,
        "health_band": "red",
        "health_coverage": 0.98,
        "reporting_currency": "USD",
        "arr_at_risk_amount": 86436,
        "reason": "The decision maker cancelled 2 meetings in a row; an invoice is 31 days late.",
        "action": "Have your manager write to the decision maker and offer two dates",
        "task_owner": "csm",
        "task_status": "overdue",
        "escalated_to": "manager",
        "due_date": "2026-06-28",
        "renewal_date": "2026-08-31",
        "notice_date": "2026-08-01",
        "can_be_saved": True,
    },
    {
        "customer_id": "1002",
        "csm_rank": 2,
        "csm_id": "o1",
        "csm_name": "Lina Zhang",
        "customer_name": "Beaconwell Ltda.",
        "segment": "Mid-Market",
        "health_score": None,
        "health_band": "unknown",
        "health_coverage": 0.4,
        "reporting_currency": "USD",
        "arr_at_risk_amount": 7200,
        "reason": "Nobody has used the product for 21 days.",
        "action": "Call the champion and offer a session on the open use case",
        "task_owner": "csm",
        "task_status": "open",
        "escalated_to": None,
        "due_date": "2026-07-03",
        "renewal_date": "2026-07-20",
        "notice_date": "2026-06-20",
        "can_be_saved": False,
    },
    {
        "customer_id": "1003",
        "csm_rank": 1,
        "csm_id": "o2",
        "csm_name": "Hugo Mori",
        "customer_name": "Flintfield Inc.",
        "segment": "SMB",
        "health_score": 68.27,
        "health_band": "yellow",
        "health_coverage": 1,
        "reporting_currency": "USD",
        "arr_at_risk_amount": 1200,
        "reason": "One respondent's score fell by 3.",
        "action": "Ask the respondent what changed",
        "task_owner": "csm",
        "task_status": "open",
        "escalated_to": None,
        "due_date": "2026-07-07",
        "renewal_date": None,
        "notice_date": None,
        "can_be_saved": True,
    },
]


def show(wh: Warehouse, scores: dict[str, tuple[str, str, str]], day: date = DAY) -> None:
    """Publish the worklist and these scores, by company: score, band, main reason.

    A company without a band is a customer no more.
    """
    called = [{**each, "as_of_date": day.isoformat()} for each in CALLS]
    rows = {
        "dim_customers": (
            "customer_id text, customer_name text, status text, as_of_date date",
            [(key, f"Company {key}", "active" if band else "churned", day)
             for key, (_, band, _) in scores.items()],
        ),
        "fct_customer_health_daily": (
            "customer_id text, score numeric(5,2), band text, main_reason text, as_of_date date",
            [(key, score or None, band, reason, day)
             for key, (score, band, reason) in scores.items() if band],
        ),
        "fct_identity_map": (
            "source text, source_key text, customer_id text, match_rule text",
            [("crm", key, key, "own_key") for key in scores],
        ),
    }  # fmt: skip
    tables = {name: _select(columns, found) for name, (columns, found) in rows.items()}
    names = [each.split()[0] for each in WORKLIST.split(", ")]
    tables["fct_csm_worklist"] = _select(
        WORKLIST, [tuple(each[name] for name in names) for each in called]
    )
    publish.publish(wh, build(wh, tables, as_of=day), actor="test", only=MARTS)


def _select(columns: str, rows: list[tuple[Any, ...]]) -> str:
    pairs = [each.split(" ", 1) for each in columns.split(", ")]
    casts = ", ".join(f"column{n}::{kind} as {name}" for n, (name, kind) in enumerate(pairs, 1))
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    return f"select {casts} from (values {values}) as rows"


def _literal(value: object) -> str:
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


@dataclass
class Postbox:
    """An SMTP server that keeps what it takes; ``refuse`` answers that many mails with a no."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: int = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse:
            self.refuse -= 1
            return "451 try again later"
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append(read)  # type: ignore[arg-type]
        self.recipients += envelope.rcpt_tos
        return "250 taken"


@contextlib.contextmanager
def postbox() -> Iterator[tuple[Postbox, Connection]]:
    """A mail server on this machine, and the connection to it."""
    kept = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    try:
        sender = {"from": "Retention <retention@example.com>"}
        yield kept, Connection("digest_smtp", f"smtp://127.0.0.1:{port}", "", sender)
    finally:
        server.stop()
