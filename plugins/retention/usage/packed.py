"""Event files as they lie there: plain or gzip, whole or refused."""

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
# A longer line is no event; what holds it may be a bomb.
LONGEST_LINE = 1 << 24
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Parcel:
    """One file to read: ``number`` stands for it in the batches, ``name`` in errors."""

    number: int
    name: str
    path: Path


def digest(path: Path) -> tuple[str, int]:
    """SHA-256 and length of the bytes as they lie there."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest(), path.stat().st_size


def is_gzip(path: Path) -> bool:
    with path.open("rb") as source:
        return source.read(2) == GZIP


def text_blocks(parcel: Parcel) -> Iterator[bytes]:
    """The file's bytes, decompressed when it is gzip of one or more members.

    Raises ExtractionError truncated_body unless every member ends with its checksum: a
    file cut or damaged anywhere is never read in part.
    """
    with parcel.path.open("rb") as source:
        packed = source.read(2) == GZIP
        source.seek(0)
        if packed:
            yield from _inflate(parcel, source)
        else:
            yield from iter(lambda: source.read(BLOCK), b"")


def _inflate(parcel: Parcel, source: BinaryIO) -> Iterator[bytes]:
    """The members one after the other; zeros behind the last are padding some tools write."""
    member: Any = None
    try:
        for chunk in iter(lambda: source.read(CHUNK), b""):
            while chunk := chunk if member else chunk.lstrip(b"\0"):
                member = member or zlib.decompressobj(31)
                # The cap keeps a chunk of a bomb from unfolding at once.
                yield member.decompress(chunk, BLOCK)
                chunk = member.unused_data if member.eof else member.unconsumed_tail
                member = None if member.eof else member
        while member and (block := member.decompress(b"", BLOCK)):
            yield block
            member = None if member.eof else member
    except zlib.error as error:
        raise damaged(parcel, str(error)) from error
    if member and not member.eof:
        raise damaged(parcel, "it ends within a gzip member")


def damaged(parcel: Parcel, why: str) -> ExtractionError:
    return ExtractionError(
        f"the file is incomplete or damaged: {why}.",
        code="truncated_body",
        where=parcel.name,
        mend="Nothing of it was loaded; deliver the file again.",
    )


def too_long(parcel: Parcel, number: int) -> ExtractionError:
    return ExtractionError(
        f"line {number} is longer than {LONGEST_LINE:,} bytes.",
        code="payload_too_large",
        where=parcel.name,
        mend="Nothing of the file was loaded.",
    )


def text(parcel: Parcel) -> Iterator[bytes]:
    """The file's text in blocks worth the overhead of a batch, without a byte order mark."""
    blocks = _regular(text_blocks(parcel))
    first = next(blocks, b"")
    yield first.removeprefix(b"\xef\xbb\xbf")
    yield from blocks


def _regular(blocks: Iterator[bytes]) -> Iterator[bytes]:
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


def unpacked(parcel: Parcel, folder: Path) -> Path:
    """The file itself, or a plain copy of it where it is gzip, for readers that must seek."""
    if not is_gzip(parcel.path):
        return parcel.path
    target = folder / f"{parcel.number}.plain"
    with target.open("wb") as plain:
        plain.writelines(text_blocks(parcel))
    return target
