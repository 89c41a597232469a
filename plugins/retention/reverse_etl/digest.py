"""Compose the digest of one customer success manager: its worklist with reasons and tasks."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from retention.reverse_etl import reading
from retention.reverse_etl.settings import Outbound
from retention.warehouse import Warehouse

# What a page of a phone holds twice; the rest of the list is in the warehouse.
MOST = 15
WORKLIST = """
    select
        csm_id, csm_name, customer_id, customer_name, segment, health_score, health_band,
        health_coverage, reporting_currency, arr_at_risk_amount, reason, action, task_owner,
        task_status, escalated_to, due_date, renewal_date, notice_date, can_be_saved, as_of_date
    from publish.fct_csm_worklist
    order by csm_id nulls last, csm_rank
"""
_SLACK_MARKS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True)
class Digest:
    """The digest of one person; ``customers`` are rows of the worklist in its order.

    ``held`` says that a rollback holds these figures; it is empty otherwise.
    """

    csm_id: str
    csm_name: str
    as_of: date
    customers: list[dict[str, Any]]
    held: str = ""

    @property
    def shown(self) -> list[dict[str, Any]]:
        return self.customers[:MOST]

    @property
    def left_out(self) -> int:
        return len(self.customers) - len(self.shown)

    @property
    def overdue(self) -> int:
        return sum(each["task_status"] == "overdue" for each in self.customers)

    @property
    def arr(self) -> str:
        currency = self.customers[0]["reporting_currency"]
        return money(sum(each["arr_at_risk_amount"] or 0 for each in self.customers), currency)

    @property
    def subject(self) -> str:
        count = len(self.customers)
        noun = "customer" if count == 1 else "customers"
        late = f", {self.overdue} overdue" if self.overdue else ""
        # A name may hold a line end, and a header must not.
        return re.sub(r"\s+", " ", f"{count} {noun} to call{late}: {self.arr} a year at risk")


def compose(wh: Warehouse, outbound: Outbound, only: str | None = None) -> list[Digest]:
    """Return one digest per manager with customers on the worklist.

    The id ``nobody`` stands for customers without a manager. An empty worklist gives no digest,
    because mails without content are soon ignored.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    held = _held(reading.current(wh))
    for row in reading.rows(wh, WORKLIST):
        row["link"] = outbound.link_to(row["customer_id"])
        found.setdefault(row["csm_id"] or "nobody", []).append(row)
    return [
        Digest(csm_id, rows[0]["csm_name"] or csm_id, rows[0]["as_of_date"], rows, held)
        for csm_id, rows in found.items()
        if only in (None, csm_id)
    ]


def _held(publish: dict[str, Any]) -> str:
    if publish["held_since"] is None:
        return ""
    reason = f" ({publish['hold_reason']})" if publish["hold_reason"] else ""
    return f"A later publish was rolled back{reason}: these figures are older."


def money(amount: Decimal | int | None, currency: str) -> str:
    """Format an amount without decimals; None is "unknown"."""
    return "unknown" if amount is None else f"{currency} {amount:,.0f}"


def health(row: dict[str, Any]) -> str:
    """Format score and band; a customer without a band is "unknown", without a number."""
    if row["health_band"] == "unknown" or row["health_score"] is None:
        return "health unknown"
    return f"health {row['health_score']:.0f}, {row['health_band']}"


def notice(row: dict[str, Any]) -> str:
    """Format notice and renewal date; empty without a notice date."""
    if row["notice_date"] is None:
        return ""
    passed = "" if row["can_be_saved"] else " (passed)"
    return f"notice until {row['notice_date']}{passed}, renews {row['renewal_date']}"


def due(row: dict[str, Any]) -> str:
    """Format the due date and the status of the task; without an open task it is this week's."""
    if row["due_date"] is None:
        return "this week"
    if row["task_status"] == "overdue":
        escalated = f", with your {row['escalated_to']}" if row["escalated_to"] else ""
        return f"overdue since {row['due_date']}{escalated}"
    return f"by {row['due_date']}"


def as_text(digest: Digest) -> str:
    """Render the digest as plain text."""
    return str(_template("digest.txt.j2").render(digest=digest))


def as_html(digest: Digest) -> str:
    """Render the digest as HTML: one column, no pictures, no scripts, readable on a phone."""
    return str(_template("digest.html.j2").render(digest=digest))


def as_slack(digest: Digest) -> dict[str, Any]:
    """Render the digest for a Slack-compatible webhook, within its limit of 50 blocks."""
    head = {"type": "plain_text", "text": digest.subject[:150]}
    blocks: list[dict[str, Any]] = [{"type": "header", "text": head}]
    for row in digest.shown:
        lines = [
            f"*{_linked(row)}*  {_plain(row['segment'])}, {health(row)},"
            f" {money(row['arr_at_risk_amount'], row['reporting_currency'])} a year",
            _plain(row["reason"]),
            f"*Do:* {_plain(row['action'])}, {due(row)}",
            *([notice(row)] if notice(row) else []),
        ]
        text = "\n".join(lines)[:3000]
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    if digest.left_out:
        more = {"type": "mrkdwn", "text": f"{digest.left_out} more are on the worklist."}
        blocks.append({"type": "context", "elements": [more]})
    held = f" {_plain(digest.held)}" if digest.held else ""
    stamp = {
        "type": "mrkdwn",
        "text": f"As of {digest.as_of}, from the published worklist.{held}",
    }
    blocks.append({"type": "context", "elements": [stamp]})
    return {"text": digest.subject, "blocks": blocks}


def fingerprint(digest: Digest) -> str:
    """Return the hash of the visible content."""
    return hashlib.sha256(as_text(digest).encode()).hexdigest()


def _linked(row: dict[str, Any]) -> str:
    name = _plain(row["customer_name"])
    # A bar or a bracket in a name would end the link early.
    return f"<{row['link']}|{name.replace('|', '/')}>" if row["link"] else name


def _plain(text: str) -> str:
    return str(text).translate(_SLACK_MARKS)


def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("retention.reverse_etl"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(money=money, health=health, notice=notice, due=due)
    return environment.get_template(name)
