"""Print open alerts and the quality of each alert rule (`retention alerts`)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg.rows import namedtuple_row
from rich.console import Console
from rich.table import Table

from retention.health import evaluate_rules
from retention.warehouse import Warehouse

# Wide enough for the longest rule name and all figures.
WIDTH = 128
OPEN = """
    select
        alert_rule,
        severity,
        count(*) filter (where is_open) as open,
        count(distinct customer_id) filter (where is_open) as customers,
        count(*) filter (where known_date > as_of_date - 7) as opened,
        count(*) filter (where closed_date > as_of_date - 7) as closed
    from publish.fct_alerts
    group by alert_rule, severity
    order by array_position(array['high', 'medium', 'low'], severity), alert_rule
"""
QUALITY = """
    select * from publish.fct_alert_rule_quality
    order by
        array_position(array['proven', 'unproven', 'insufficient data'], verdict),
        lift desc nulls last,
        alert_rule
"""


def show(wh: Warehouse, console: Console) -> None:
    """Print one line per alert rule: open alerts, and those opened and closed within a week."""
    rows = _read(wh, OPEN)
    if not rows:
        console.print("No alert has been opened.")
        return
    table = _table("alert rule", "severity", "open", "customers", "opened in 7 days", "closed")
    for row in rows:
        table.add_row(*(str(value) for value in row))
    _print(console, table)


def evaluate(wh: Warehouse, console: Console, truth: Path | None = None) -> None:
    """Print how each rule's precision compares with the base rate; repeat it for a truth file.

    Raises UsageError when the truth file cannot be read.
    """
    rows = _read(wh, QUALITY)
    if not rows:
        console.print("No alert rule has been evaluated yet. Run `retention publish`.")
        return
    console.print(
        f"As of {rows[0].as_of_date}, by the MRR history: churn within {rows[0].horizon_days} days"
    )
    _print(console, _evaluated(rows))
    if truth:
        console.print(f"\nBy the truth file {truth.name}: customers really in danger")
        _print(console, _by_truth(evaluate_rules.evaluate(wh, truth)))


def _evaluated(rows: list[Any]) -> Table:
    table = _table(
        "alert rule", "opened", "immature", "precision", "95 %", "base rate", "lift",
        "recall", "lead days", "verdict",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            row.alert_rule,
            f"{row.alert_count:,}",
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


def _by_truth(rows: list[evaluate_rules.Evaluation]) -> Table:
    table = _table(
        "alert rule",
        "opened",
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
            row.alert_rule,
            f"{row.alerts:,}",
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
        words = name in ("alert rule", "severity", "verdict")
        table.add_column(name, justify="left" if words else "right", no_wrap=True)
    return table


def _print(console: Console, table: Table) -> None:
    """Print all columns in full, even on a narrow terminal."""
    Console(file=console.file, width=max(console.width, WIDTH), highlight=False).print(table)


def _rate(value: Decimal | float | None) -> str:
    return "" if value is None else f"{value * 100:.1f} %"


def _range(low: Decimal | float | None, high: Decimal | float | None) -> str:
    return "" if low is None or high is None else f"{low * 100:.0f}-{high * 100:.0f} %"


def _number(value: Decimal | float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:.{digits}f}"
