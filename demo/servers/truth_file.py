"""Write the true state of the demo company's customers, to evaluate alert rules against."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from demo.company.world import CustomerTruth, World
from demo.servers.clock import write_atomically

# Two points below content. In the simulation, churn is then four times as likely.
UNHAPPY_BELOW = 5.0


def write(world: World, path: Path) -> None:
    """Write per customer the risk periods, ``[from, to)``, and the dates of voluntary churn."""
    truth = {key: _of(customer) for key, customer in world.truth.items()}
    write_atomically(path, json.dumps(truth))


def _of(customer: CustomerTruth) -> dict[str, list[object]]:
    left: list[object] = [
        churn.ended_on.isoformat() for churn in customer.churns if churn.kind == "voluntary"
    ]
    return {"in_danger": [list(spell) for spell in _spells(customer.satisfaction)], "left": left}


def _spells(satisfaction: dict[date, float]) -> list[tuple[str, str | None]]:
    """Return the periods of whole months that end below the limit; an open end is None."""
    spells: list[tuple[str, str | None]] = []
    begun: date | None = None
    for day in sorted(satisfaction):
        month = day.replace(day=1)
        if satisfaction[day] < UNHAPPY_BELOW:
            begun = begun or month
        elif begun:
            spells.append((begun.isoformat(), month.isoformat()))
            begun = None
    if begun:
        spells.append((begun.isoformat(), None))
    return spells
