"""Print what a changed definition of the score would change (`retention score check`)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from retention.health.check import Check

BANDS = ("green", "yellow", "red", "unknown")


def show(found: Check, console: Console, last: int = 20) -> None:
    """Print the changed weights, the customers per band and the customers that change band."""
    changed = sorted(
        key
        for key in found.before.components.keys() | found.after.components.keys()
        if found.before.components.get(key) != found.after.components.get(key)
    )
    if not changed and not found.moved:
        console.print(f"As of {found.day}: no change.")
        return
    console.print(f"As of {found.day}, with the seeds of this working tree:")
    table = _table("definition", "segment", "component", "weight", "new", "scale", "new")
    for key in changed:
        table.add_row(
            *key,
            *_pair(found, key, lambda it: f"{it[0]:.4f}"),
            *_pair(found, key, lambda it: f"{it[1].normalize():f} to {it[2].normalize():f}"),
        )
    console.print(table)
    before = Counter(band for _, band in found.before.scores.values())
    after = Counter(band for _, band in found.after.scores.values())
    table = _table("band", "customers", "new")
    for band in BANDS:
        table.add_row(band, str(before[band]), str(after[band]))
    console.print(table)
    console.print(f"{len(found.moved)} of {len(found.after.scores)} customers would change band.")
    _show_worth(found, console)
    table = _table("customer", "score", "band", "new", "band")
    for customer in found.moved[:last]:
        old, new = found.before.scores.get(customer, (None, "")), found.after.scores[customer]
        table.add_row(customer, str(old[0] or ""), old[1], str(new[0] or ""), new[1])
    if found.moved:
        console.print(table)


def _show_worth(found: Check, console: Console) -> None:
    """Print the backtest before and after.

    It proves nothing about weights that were fitted to the same months.
    """
    pair = found.before.worth, found.after.worth
    if not all(each and each.auc for each in pair):
        console.print("No customer has churned yet, so no backtest is possible.")
        return
    table = _table("churn at past month ends", "customers", "churned", "AUC", "interval", "lift")
    for name, each in zip(("current definition", "working tree"), pair, strict=True):
        if each and each.auc:
            low, high = each.auc.low, each.auc.high
            table.add_row(
                name,
                f"{each.customers:,}",
                f"{each.left:,}",
                f"{each.auc.value:.3f}",
                f"{low:.3f} to {high:.3f}" if low is not None else "",
                "" if each.lift is None else f"{each.lift:.2f}",
            )
    console.print(table)


def _pair(found: Check, key: tuple[str, str, str], text: Any) -> tuple[str, str]:
    old, new = found.before.components.get(key), found.after.components.get(key)
    return (text(old) if old else ""), (text(new) if new else "")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table
