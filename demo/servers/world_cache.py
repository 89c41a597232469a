"""Keep the simulated world in the state folder, so that a restart need not simulate again."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from pathlib import Path

from demo import company
from demo.company.world import World, simulate

START, DAYS = date(2024, 7, 1), 790


def load_or_simulate(folder: Path, *, customers: int, seed: int, through: date) -> World:
    """Return the world that covers ``through``.

    A stored world is used only if seed, size and simulation code are the same.
    """
    days = max(DAYS, (through - START).days + 1)
    path = folder / f"world-{label(customers=customers, seed=seed, days=days)}.pickle"
    if path.exists():
        return World.load(path)
    world = simulate(seed=seed, customers=customers, start=START, days=days)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("world-*.pickle"):
        stale.unlink()
    world.save(path)
    return world


def label(*, customers: int, seed: int, days: int) -> str:
    """Return the name of a world: seed, size and a hash of the simulation code."""
    code = sha256()
    for source in sorted(Path(company.__file__).parent.rglob("*.py")):
        code.update(source.read_bytes())
    return f"{customers}-{seed}-{days}-{code.hexdigest()[:12]}"
