"""Every problem of a folder, explained before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from retention.errors import ConfigurationError
from retention.sources.files.findings import Findings
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import Mapping
from retention.sources.files.mapping_file import find_mapping, read_mapping
from retention.sources.files.problem import Problem, has_errors
from retention.sources.files.references import Place, References
from retention.sources.files.rows import BrokenFile
from retention.sources.files.stream_check import StreamCheck

if TYPE_CHECKING:
    from retention.sources.files.usage_check import UsageCheck

__all__ = ["Problem", "check", "has_errors"]


def check(folder: str | Path, mapping: str | Path | None = None) -> list[Problem]:
    """Everything that is wrong with the folder, the errors first; nothing is loaded.

    Never raises for what the folder or the mapping holds. An error means that a row, a file or
    the whole mapping would be refused; ``has_errors`` tells whether there is one.
    """
    root = Path(folder)
    try:
        path = find_mapping(root, mapping)
    except ConfigurationError as error:
        said = f"{error.message} {error.mend}".strip()
        return [Problem(str(mapping or root), None, None, error.code, said)]
    read, problems = read_mapping(path)
    findings = Findings()
    for problem in problems:
        findings.add(problem)
    if read is not None:
        _check_files(Folder(root, read), _broken_streams(read, problems), findings)
    return findings.problems()


def _broken_streams(mapping: Mapping, problems: list[Problem]) -> set[str]:
    """The streams that cannot be read; all of them when it is the head that is wrong."""
    places = [(problem.column or "").split(".") for problem in problems]
    if any(place[0] != "streams" for place in places):
        return set(mapping.streams)
    return {place[1] for place in places}


def _check_files(folder: Folder, broken: set[str], findings: Findings) -> None:
    keys: dict[str, dict[str, Place]] = {}
    references: list[References] = []
    for stream in folder.mapping.streams:
        if stream in broken:
            continue
        try:
            checked = _checker(stream)(folder, stream, findings)
            checked.run()
        except BrokenFile as flaw:
            findings.error(flaw.file, flaw.line, None, flaw.code, flaw.message)
            continue
        keys[stream] = checked.keys
        references += checked.references.values()
    for each in references:
        if each.stream in keys:
            each.report(keys[each.stream], findings)


def _checker(stream: str) -> type[StreamCheck] | type[UsageCheck]:
    if stream == "usage_events":
        # The bulk path brings an analytical engine along; a folder without events goes without.
        from retention.sources.files.usage_check import UsageCheck

        return UsageCheck
    return StreamCheck
