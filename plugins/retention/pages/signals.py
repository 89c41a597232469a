"""Risk signals on the command line: what is open, and how far each signal can be trusted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg.rows import namedtuple_row
from rich.console import Console
from rich.table import Table

from retention.score import hindsight
from retention.warehouse import Warehouse

# Room for the longest name of a signal and every figure beside it.
WIDTH = 128
OPEN = """
    select
        signal,
        severity,
        count(*) filter (where is_open) as open,
        count(distinct customer_id) filter (where is_open) as customers,
        count(*) filter (where known_date > as_of_date - 7) as opened,
        count(*) filter (where closed_date > as_of_date - 7) as closed
    from publish.fct_risk_signals
    group by signal, severity
    order by array_position(array['high', 'medium', 'low'], severity), signal
"""
QUALITY = """
    select * from publish.fct_signal_quality
    order by
        array_position(array['signal', 'noise', 'too few to say'], verdict),
        lift desc nulls last,
        signal
"""


def show(wh: Warehouse, console: Console) -> None:
    """A line per signal: how many customers have it today, and what moved within a week."""
    rows = _read(wh, OPEN)
    if not rows:
        console.print("No signal has been raised.")
        return
    table = _table("signal", "severity", "open", "customers", "opened in 7 days", "closed")
    for row in rows:
        table.add_row(*(str(value) for value in row))
    _print(console, table)


def evaluate(wh: Warehouse, console: Console, truth: Path | None = None) -> None:
    """How often each signal was right, against chance; with a truth, also against that.

    Raises UsageError when the file of the truth cannot be read.
    """
    rows = _read(wh, QUALITY)
    if not rows:
        console.print("No signal is judged yet. A publish of this version does it.")
        return
    console.print(
        f"As of {rows[0].as_of_date}, by the MRR ledger: who left within"
        f" {rows[0].horizon_days} days"
    )
    _print(console, _judged(rows))
    if truth:
        console.print(f"\nAgainst the truth in {truth.name}: who really was in danger")
        _print(console, _in_hindsight(hindsight.judge(wh, truth)))


def _judged(rows: list[Any]) -> Table:
    table = _table(
        "signal", "raised", "too young", "precision", "95 %", "base rate", "lift",
        "recall", "lead days", "verdict",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row.signal,
            f"{row.raised_count:,}",
            f"{row.immature_count:,}",
            _rate(row.precision_rate),
            _range(row.precision_low_rate, row.precision_high_rate),
            _rate(row.base_rate),
            _number(row.lift),
            _rate(row.recall_rate),
            _number(row.median_lead_days, 0),
            row.verdict,
        )
    return table


def _in_hindsight(rows: list[hindsight.Judgement]) -> Table:
    table = _table(
        "signal",
        "raised",
        "precision",
        "95 %",
        "base rate",
        "lift",
        "recall",
        "lead days",
        "verdict",
    )
    for row in rows:
        table.add_row(
            row.signal,
            f"{row.raised:,}",
            _rate(row.precision),
            _range(*row.interval),
            _rate(row.base_rate),
            _number(row.lift),
            _rate(row.recall),
            _number(row.lead_days, 0),
            row.verdict,
        )
    return table


def _read(wh: Warehouse, query: str) -> list[Any]:
    with wh.connect("bi_reader") as conn:
        return conn.cursor(row_factory=namedtuple_row).execute(query).fetchall()


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        words = name in ("signal", "severity", "verdict")
        table.add_column(name, justify="left" if words else "right", no_wrap=True)
    return table


def _print(console: Console, table: Table) -> None:
    """Whole also where lines are short: half a name is no name."""
    Console(file=console.file, width=max(console.width, WIDTH), highlight=False).print(table)


def _rate(value: Decimal | float | None) -> str:
    return "" if value is None else f"{value * 100:.1f} %"


def _range(low: Decimal | float | None, high: Decimal | float | None) -> str:
    return "" if low is None or high is None else f"{low * 100:.0f}-{high * 100:.0f} %"


def _number(value: Decimal | float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}f}"
