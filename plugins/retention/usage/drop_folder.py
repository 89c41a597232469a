"""Compare the files of the drop folder with the loaded files and the lake."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from retention.errors import ConfigurationError
from retention.landing.load import Load
from retention.usage.compressed import EventFile, digest
from retention.usage.formats import EventFiles
from retention.usage.lake import Part, read_part
from retention.usage.rollup import Share, shares

_HELD = """
select distinct on (name) name, sha256, load_id from ops.files
where source = %s and stream = %s
order by name, load_id desc
"""


@dataclass(frozen=True)
class Delivery:
    """A file of the drop folder at the time of this load."""

    name: str
    path: Path
    sha256: str
    size: int


@dataclass
class DropFolder:
    """The files of one stream.

    ``held`` are the files that earlier loads counted (name -> sha256, load). ``fresh`` files
    are new, changed or have a new format. ``parts`` is the lake by load.
    """

    folder: Path
    held: dict[str, tuple[str, int]]
    parts: dict[int, Part | None]
    offered: list[Delivery]
    fresh: list[Delivery] = field(default_factory=list)

    def replaced(self) -> dict[str, int]:
        """Return the fresh files that an earlier load counted, with that load."""
        return {each.name: self.held[each.name][1] for each in self.fresh if each.name in self.held}

    def event_files(self) -> list[EventFile]:
        return [EventFile(number, each.name, each.path) for number, each in enumerate(self.fresh)]

    def settled_shares(self) -> tuple[Share, ...]:
        """Return the events of earlier loads that still count."""
        fresh = {each.name for each in self.fresh}
        kept = {name: load_id for name, (_, load_id) in self.held.items() if name not in fresh}
        return self._shares(kept)

    def replaced_shares(self) -> tuple[Share, ...]:
        """Return the events of earlier loads that this load replaces."""
        return self._shares(self.replaced())

    def has_lost_parts(self) -> bool:
        """Return whether the lake lacks the events of a replaced file."""
        return any(self.parts[load_id] is None for load_id in self.replaced().values())

    def _shares(self, files: dict[str, int]) -> tuple[Share, ...]:
        live = {name: f"load={load_id}" for name, load_id in files.items()}
        return shares([part for part in self.parts.values() if part], live)


def scan(load: Load, folder: Path, files: EventFiles) -> DropFolder:
    """Compare every file of the drop folder with the loaded ones.

    Raises ConfigurationError (lake_lost) when a loaded file is missing in both the lake and
    the drop folder: its days could not be rewritten completely.
    """
    rows = load.conn.execute(_HELD, [load.source, load.stream]).fetchall()
    held = {name: (sha256, load_id) for name, sha256, load_id in rows}
    parts = {load_id: read_part(folder / f"load={load_id}") for _, load_id in held.values()}
    offered = [Delivery(files.name(path), path, *digest(path)) for path in files.paths]
    drop = DropFolder(folder, held, parts, offered)
    fingerprint = files.format.fingerprint()
    drop.fresh = [each for each in offered if not _is_counted(each, drop, fingerprint)]
    available = {each.name for each in offered}
    lost = [name for name, (_, load_id) in held.items() if not parts[load_id]]
    missing = sorted(name for name in lost if name not in available)
    if missing:
        raise ConfigurationError(
            f"{len(missing)} loaded files are missing in the lake and in {files.root}, the first"
            f" is {missing[0]}.",
            code="lake_lost",
            hint=f"Restore {folder}, or put the files back to load them again.",
        )
    return drop


def _is_counted(delivery: Delivery, drop: DropFolder, fingerprint: str) -> bool:
    if delivery.name not in drop.held:
        return False
    sha256, load_id = drop.held[delivery.name]
    part = drop.parts[load_id]
    return sha256 == delivery.sha256 and part is not None and part.fingerprint == fingerprint
