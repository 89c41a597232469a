"""Read plain or gzip event files; reject truncated ones."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from retention.errors import ExtractionError

CHUNK = 1 << 18
BLOCK = 1 << 22
WORTHWHILE = 1 << 20
# A longer line is not an event and may be a decompression bomb.
LONGEST_LINE = 1 << 24
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class EventFile:
    """One file to read; batches identify it by ``number``, errors by ``name``."""

    number: int
    name: str
    path: Path


def digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 and length of the file's bytes, without decompressing."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest(), path.stat().st_size


def is_gzip(path: Path) -> bool:
    with path.open("rb") as source:
        return source.read(2) == GZIP


def text_blocks(event_file: EventFile) -> Iterator[bytes]:
    """Yield the file's bytes, decompressed when it is gzip of one or more members.

    Raises ExtractionError (truncated_body) unless every member ends with its checksum: a
    truncated or damaged file is never read in part.
    """
    with event_file.path.open("rb") as source:
        is_compressed = source.read(2) == GZIP
        source.seek(0)
        if is_compressed:
            yield from _inflate(event_file, source)
        else:
            yield from iter(lambda: source.read(BLOCK), b"")


def _inflate(event_file: EventFile, source: BinaryIO) -> Iterator[bytes]:
    """Decompress member after member; some tools pad the last one with zeros."""
    member: Any = None
    try:
        for chunk in iter(lambda: source.read(CHUNK), b""):
            while chunk := chunk if member else chunk.lstrip(b"\0"):
                member = member or zlib.decompressobj(31)
                # The limit keeps a decompression bomb from expanding in one step.
                yield member.decompress(chunk, BLOCK)
                chunk = member.unused_data if member.eof else member.unconsumed_tail
                member = None if member.eof else member
        while member and (block := member.decompress(b"", BLOCK)):
            yield block
            member = None if member.eof else member
    except zlib.error as error:
        raise damaged(event_file, str(error)) from error
    if member and not member.eof:
        raise damaged(event_file, "it ends within a gzip member")


def damaged(event_file: EventFile, why: str) -> ExtractionError:
    """Build the error (truncated_body) of an incomplete or damaged file."""
    return ExtractionError(
        f"the file is incomplete or damaged: {why}.",
        code="truncated_body",
        where=event_file.name,
        hint="The file was not loaded; deliver it again.",
    )


def too_long(event_file: EventFile, number: int) -> ExtractionError:
    """Build the error (payload_too_large) of a line longer than LONGEST_LINE."""
    return ExtractionError(
        f"line {number} is longer than {LONGEST_LINE:,} bytes.",
        code="payload_too_large",
        where=event_file.name,
        hint="The file was not loaded; check that it has one event per line.",
    )


def text(event_file: EventFile) -> Iterator[bytes]:
    """Yield the file's text without a byte order mark, in blocks of at least WORTHWHILE bytes."""
    blocks = _merged(text_blocks(event_file))
    first = next(blocks, b"")
    yield first.removeprefix(b"\xef\xbb\xbf")
    yield from blocks


def _merged(blocks: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size >= WORTHWHILE:
            yield b"".join(held) if len(held) > 1 else block
            held, size = [], 0
    if held:
        yield b"".join(held)


def decompressed(event_file: EventFile, folder: Path) -> Path:
    """Return the file, or a decompressed copy of a gzip file, for readers that must seek."""
    if not is_gzip(event_file.path):
        return event_file.path
    target = folder / f"{event_file.number}.plain"
    with target.open("wb") as plain:
        plain.writelines(text_blocks(event_file))
    return target
