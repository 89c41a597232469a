"""The page of `retention score check`: what a changed definition would change, and for whom."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from retention.score.check import Check

BANDS = ("green", "yellow", "red", "unknown")


def show(found: Check, console: Console, last: int = 20) -> None:
    """Weights that differ, customers per band, and who would move."""
    changed = sorted(
        key
        for key in found.before.signals.keys() | found.after.signals.keys()
        if found.before.signals.get(key) != found.after.signals.get(key)
    )
    if not changed and not found.moved:
        console.print(f"As of {found.day} nothing changes.")
        return
    console.print(f"As of {found.day}, by the seeds of this working tree:")
    table = _table("definition", "segment", "signal", "weight", "would be", "ramp", "would be")
    for key in changed:
        table.add_row(
            *key,
            *_pair(found, key, lambda it: f"{it[0]:.4f}"),
            *_pair(found, key, lambda it: f"{it[1].normalize():f} to {it[2].normalize():f}"),
        )
    console.print(table)
    before = Counter(band for _, band in found.before.scores.values())
    after = Counter(band for _, band in found.after.scores.values())
    table = _table("band", "customers", "would be")
    for band in BANDS:
        table.add_row(band, str(before[band]), str(after[band]))
    console.print(table)
    console.print(f"{len(found.moved)} of {len(found.after.scores)} customers change their band.")
    _show_worth(found, console)
    table = _table("customer", "score", "band", "would be", "band")
    for customer in found.moved[:last]:
        old, new = found.before.scores.get(customer, (None, "")), found.after.scores[customer]
        table.add_row(customer, str(old[0] or ""), old[1], str(new[0] or ""), new[1])
    if found.moved:
        console.print(table)


def _show_worth(found: Check, console: Console) -> None:
    """Before and after, over the months that are over: no proof for who fitted weights to them."""
    pair = found.before.worth, found.after.worth
    if not all(each and each.auc for each in pair):
        console.print("Nobody has left yet to judge either by.")
        return
    table = _table(
        "who left, by past ends of months", "customers", "left", "AUC", "interval", "lift"
    )
    for name, each in zip(("by the definition", "by the working tree"), pair, strict=True):
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
    old, new = found.before.signals.get(key), found.after.signals.get(key)
    return (text(old) if old else ""), (text(new) if new else "")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table
