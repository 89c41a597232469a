"""The digest of one customer success manager: who, why, how much, and what to do until when."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from retention.outbound import reading
from retention.outbound.settings import Outbound
from retention.warehouse import Warehouse

# What a page of a phone holds twice; the rest of the list is in the warehouse.
MOST = 15
WORKLIST = """
    select
        csm_id, csm_name, customer_id, customer_name, segment, health_score, health_band,
        health_coverage, reporting_currency, arr_at_risk_amount, reason, action, action_owner,
        action_status, escalated_to, due_date, renewal_date, notice_date, can_be_saved, as_of_date
    from publish.fct_csm_worklist
    order by csm_id nulls last, csm_rank
"""
_SLACK_MARKS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True)
class Digest:
    """What one person reads; ``customers`` are rows of the worklist in its order."""

    csm_id: str
    csm_name: str
    as_of: date
    customers: list[dict[str, Any]]

    @property
    def shown(self) -> list[dict[str, Any]]:
        return self.customers[:MOST]

    @property
    def left_out(self) -> int:
        return len(self.customers) - len(self.shown)

    @property
    def overdue(self) -> int:
        return sum(each["action_status"] == "overdue" for each in self.customers)

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
    """One digest per manager with somebody on the list; customers of nobody are under ``nobody``.

    An empty list makes no digest: a mail that says nothing teaches people to skip the next.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for row in reading.rows(wh, WORKLIST):
        row["link"] = outbound.link_to(row["customer_id"])
        found.setdefault(row["csm_id"] or "nobody", []).append(row)
    return [
        Digest(csm_id, rows[0]["csm_name"] or csm_id, rows[0]["as_of_date"], rows)
        for csm_id, rows in found.items()
        if only in (None, csm_id)
    ]


def money(amount: Decimal | int | None, currency: str) -> str:
    """A round sum that can be read at a glance; unknown says so."""
    return "unknown" if amount is None else f"{currency} {amount:,.0f}"


def health(row: dict[str, Any]) -> str:
    """Score and band in words; what is not measured enough is unknown and no number."""
    if row["health_band"] == "unknown" or row["health_score"] is None:
        return "health unknown"
    return f"health {row['health_score']:.0f}, {row['health_band']}"


def notice(row: dict[str, Any]) -> str:
    """What the contract says about leaving; empty where there is none."""
    if row["notice_date"] is None:
        return ""
    passed = "" if row["can_be_saved"] else " (passed)"
    return f"notice until {row['notice_date']}{passed}, renews {row['renewal_date']}"


def due(row: dict[str, Any]) -> str:
    """Until when, and what has become of it."""
    if row["action_status"] == "done":
        return "done, wait for the effect"
    if row["action_status"] == "overdue":
        told = f", with your {row['escalated_to']}" if row["escalated_to"] else ""
        return f"overdue since {row['due_date']}{told}"
    return f"by {row['due_date']}"


def as_text(digest: Digest) -> str:
    """The plain half of the mail."""
    return str(_template("digest.txt.j2").render(digest=digest))


def as_html(digest: Digest) -> str:
    """The other half: one column, no pictures, no scripts, readable on a phone."""
    return str(_template("digest.html.j2").render(digest=digest))


def as_slack(digest: Digest) -> dict[str, Any]:
    """The message as a Slack-compatible webhook takes it, within its 50 blocks."""
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
    stamp = {"type": "mrkdwn", "text": f"As of {digest.as_of}, from the published worklist."}
    blocks.append({"type": "context", "elements": [stamp]})
    return {"text": digest.subject, "blocks": blocks}


def fingerprint(digest: Digest) -> str:
    """The hash of what people read."""
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
        loader=PackageLoader("retention.outbound"),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(money=money, health=health, notice=notice, due=due)
    return environment.get_template(name)
