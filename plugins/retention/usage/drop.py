"""What lies in the drop folder against what the ledger and the lake already hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from retention.errors import ConfigurationError
from retention.landing.load import Load
from retention.usage.formats import EventFiles
from retention.usage.lake import Part, read_part
from retention.usage.packed import Parcel, digest
from retention.usage.rollup import Share, shares

_HELD = """
select distinct on (name) name, sha256, load_id from ops.files
where source = %s and stream = %s
order by name, load_id desc
"""


@dataclass(frozen=True)
class Delivery:
    """A file of the folder as this load finds it."""

    name: str
    path: Path
    sha256: str
    size: int


@dataclass
class Drop:
    """The files of one stream: ``held`` (name -> sha256, load) count until now, ``fresh`` ones
    are new, changed or to be read in another way, ``parts`` is the lake by load.
    """

    folder: Path
    held: dict[str, tuple[str, int]]
    parts: dict[int, Part | None]
    offered: list[Delivery]
    fresh: list[Delivery] = field(default_factory=list)

    def replaced(self) -> dict[str, int]:
        """The fresh files that were counted before, with the load that did."""
        return {each.name: self.held[each.name][1] for each in self.fresh if each.name in self.held}

    def parcels(self) -> list[Parcel]:
        return [Parcel(number, each.name, each.path) for number, each in enumerate(self.fresh)]

    def settled_shares(self) -> tuple[Share, ...]:
        """What earlier loads brought and still counts."""
        fresh = {each.name for each in self.fresh}
        kept = {name: load_id for name, (_, load_id) in self.held.items() if name not in fresh}
        return self._shares(kept)

    def replaced_shares(self) -> tuple[Share, ...]:
        """What earlier loads brought and this one replaces."""
        return self._shares(self.replaced())

    def lost(self) -> bool:
        """Whether the lake no longer has what a replaced file brought."""
        return any(self.parts[load_id] is None for load_id in self.replaced().values())

    def _shares(self, files: dict[str, int]) -> tuple[Share, ...]:
        living = {name: f"load={load_id}" for name, load_id in files.items()}
        return shares([part for part in self.parts.values() if part], living)


def survey(load: Load, folder: Path, files: EventFiles) -> Drop:
    """Compare every file with what was loaded.

    Raises ConfigurationError when the lake lost what only it still had: a day could then
    not be written whole again.
    """
    rows = load.conn.execute(_HELD, [load.source, load.stream]).fetchall()
    held = {name: (sha256, load_id) for name, sha256, load_id in rows}
    parts = {load_id: read_part(folder / f"load={load_id}") for _, load_id in held.values()}
    offered = [Delivery(files.name(path), path, *digest(path)) for path in files.paths]
    drop = Drop(folder, held, parts, offered)
    fingerprint = files.format.fingerprint()
    drop.fresh = [each for each in offered if not _is_counted(each, drop, fingerprint)]
    at_hand = {each.name for each in offered}
    lost = [name for name, (_, load_id) in held.items() if not parts[load_id]]
    gone = sorted(name for name in lost if name not in at_hand)
    if gone:
        raise ConfigurationError(
            f"{len(gone)} loaded files are neither in the lake nor in {files.root}: {gone[0]}.",
            code="lake_lost",
            mend=f"Restore {folder} or put the files back; they are then read again.",
        )
    return drop


def _is_counted(delivery: Delivery, drop: Drop, fingerprint: str) -> bool:
    if delivery.name not in drop.held:
        return False
    sha256, load_id = drop.held[delivery.name]
    part = drop.parts[load_id]
    return sha256 == delivery.sha256 and part is not None and part.fingerprint == fingerprint
