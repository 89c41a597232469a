"""One customer's story in the order of time: what happened, which signals opened, what was done."""

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
    select signal, severity, opened_date, evidence, evidence_ids
    from publish.fct_risk_signals
    where customer_id = %s and is_open
    order by array_position(array['high', 'medium', 'low'], severity), opened_date, signal
"""
STORY = """
    select event_date, source, part, kind, sentence
    from publish.fct_customer_timeline
    where customer_id = %s
    order by event_date desc, event_number desc limit %s
"""
SIGNS = {"happened": " ", "done": "✓", "signal_opened": "▲", "signal_closed": "▽"}
STYLES = {"done": "green", "signal_opened": "yellow", "signal_closed": "dim"}


def show(wh: Warehouse, console: Console, customer_id: str, last: int) -> None:
    """Print the page from what is published; raises UsageError naming those that come near."""
    with wh.connect("bi_reader") as conn:
        cursor = conn.cursor(row_factory=namedtuple_row)
        found = cursor.execute(CUSTOMER, [customer_id]).fetchone()
        if found is None:
            raise _unknown(conn, customer_id)
        signals = cursor.execute(OPEN, [customer_id]).fetchall()
        story = cursor.execute(STORY, [customer_id, last]).fetchall()
    console.print(_who(found))
    _show_open(console, signals)
    _show_story(console, story[::-1])


def _unknown(conn: psycopg.Connection, wanted: str) -> UsageError:
    """The error for an id that is none, with the ids and names that look like it."""
    names: dict[str, str] = dict(conn.execute(NAMES).fetchall())
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.7)
    text = wanted.casefold()
    by_name = [key for key, name in names.items() if text and text in name.casefold()]
    near = [f"{key} ({names[key]})" for key in dict.fromkeys([*by_name[:3], *close])]
    return UsageError(
        f"there is no customer {wanted!r}.",
        code="no_customer",
        mend=f"Did you mean {', '.join(near)}?" if near else "The ids are in dim_customers.",
    )


def _who(found: Any) -> str:
    parts = [found.segment, found.industry, found.status]
    if found.csm_name:
        parts.append(f"looked after by {found.csm_name}")
    told = ", ".join(str(part) for part in parts if part)
    lines = [f"[bold]{escape(found.customer_name)}[/bold]  [dim]{escape(told)}[/dim]"]
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


def _show_open(console: Console, signals: list[Any]) -> None:
    if not signals:
        console.print("\nNo signal is open.")
        return
    console.print(f"\n[bold]Open signals[/bold] ({len(signals)})")
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in signals:
        table.add_row(
            str(each.opened_date), each.severity, escape(each.evidence), each.evidence_ids[-1]
        )
    console.print(table)


def _show_story(console: Console, story: list[Any]) -> None:
    console.print(
        f"\n[bold]The story[/bold]: the last {len(story)} events"
        "  [dim]▲ a signal opened, ▽ closed, ✓ done by us[/dim]"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for each in story:
        signal = each.part.startswith("signal")
        text = f"{each.kind}: {each.sentence}" if signal else each.sentence
        table.add_row(
            str(each.event_date),
            SIGNS[each.part],
            each.source,
            escape(text),
            style=STYLES.get(each.part),
        )
    console.print(table)
