"""Print one customer's open alerts and timeline (`retention customer`)."""

from __future__ import annotations

import difflib
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from retention.errors import UsageError
from retention.warehouse import Warehouse

CUSTOMER = "select * from publish.dim_customers where customer_id = %s"
NAMES = "select customer_id, customer_name from publish.dim_customers order by customer_id"
OPEN = """
    select alert_rule, severity, opened_date, evidence, evidence_ids
    from publish.fct_alerts
    where customer_id = %s and is_open
    order by array_position(array['high', 'medium', 'low'], severity), opened_date, alert_rule
"""
EVENTS = """
    select event_date, source, part, kind, sentence
    from publish.fct_customer_timeline
    where customer_id = %s
    order by event_date desc, event_number desc limit %s
"""
SIGNS = {"happened": " ", "done": "✓", "alert_opened": "▲", "alert_closed": "▽"}
STYLES = {"done": "green", "alert_opened": "yellow", "alert_closed": "dim"}


def show(wh: Warehouse, console: Console, customer_id: str, last: int) -> None:
    """Print the page of one customer; an unknown id raises UsageError with similar ids."""
    with wh.connect("bi_reader") as conn:
        cursor = conn.cursor(row_factory=namedtuple_row)
        found = cursor.execute(CUSTOMER, [customer_id]).fetchone()
        if found is None:
            raise _unknown(conn, customer_id)
        alerts = cursor.execute(OPEN, [customer_id]).fetchall()
        events = cursor.execute(EVENTS, [customer_id, last]).fetchall()
    console.print(_who(found))
    _show_open(console, alerts)
    _show_timeline(console, events[::-1])


def _unknown(conn: psycopg.Connection, wanted: str) -> UsageError:
    """Return the error for an unknown id, with similar ids and names."""
    names: dict[str, str] = dict(conn.execute(NAMES).fetchall())
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.7)
    text = wanted.casefold()
    by_name = [key for key, name in names.items() if text and text in name.casefold()]
    near = [f"{key} ({names[key]})" for key in dict.fromkeys([*by_name[:3], *close])]
    return UsageError(
        f"Unknown customer {wanted!r}.",
        code="no_customer",
        hint=f"Did you mean {', '.join(near)}?" if near else "publish.dim_customers lists the ids.",
    )


def _who(found: Any) -> str:
    parts = [found.segment, found.industry, found.status]
    if found.csm_name:
        parts.append(f"managed by {found.csm_name}")
    facts = ", ".join(str(part) for part in parts if part)
    lines = [f"[bold]{escape(found.customer_name)}[/bold]  [dim]{escape(facts)}[/dim]"]
    if found.mrr_amount is not None:
        lines.append(
            f"MRR {found.reporting_currency} {found.mrr_amount:,.0f}"
            f" since {found.first_paid_date}; {_health(found)}"
        )
    if found.notice_date:
        lines.append(f"Renews on {found.renewal_date}, notice until {found.notice_date}")
    return "\n".join(lines)


def _health(found: Any) -> str:
    if found.health_score is None or found.health_band == "unknown":
        return "health unknown"
    return f"health {found.health_score:.0f}, {found.health_band}"


def _show_open(console: Console, alerts: list[Any]) -> None:
    if not alerts:
        console.print("\nNo alert is open.")
        return
    console.print(f"\n[bold]Open alerts[/bold] ({len(alerts)})")
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in alerts:
        table.add_row(
            str(each.opened_date), each.severity, escape(each.evidence), each.evidence_ids[-1]
        )
    console.print(table)


def _show_timeline(console: Console, events: list[Any]) -> None:
    console.print(
        f"\n[bold]Timeline[/bold]: the last {len(events)} events"
        "  [dim]▲ an alert opened, ▽ closed, ✓ done by us[/dim]"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in events:
        is_alert = each.part.startswith("alert")
        text = f"{each.kind}: {each.sentence}" if is_alert else each.sentence
        table.add_row(
            str(each.event_date),
            SIGNS[each.part],
            each.source,
            escape(text),
            style=STYLES.get(each.part),
        )
    console.print(table)
