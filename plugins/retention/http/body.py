"""Response bodies, decoded here because the ready-made clients take a cut gzip for a whole one."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from retention.errors import ExtractionError

_STEP = 1 << 18


def capped(chunks: Iterable[bytes], cap: int) -> Iterator[bytes]:
    """The chunks, until they exceed ``cap`` bytes: then payload_too_large."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > cap:
            raise ExtractionError(f"a body of more than {cap} bytes.", code="payload_too_large")
        yield chunk


def decoded(chunks: Iterable[bytes], encoding: str, cap: int) -> Iterator[bytes]:
    """The body's own bytes; never more than ``cap`` of them, packed or unpacked."""
    packed = capped(chunks, cap)
    if encoding in ("", "identity"):
        return packed
    if encoding in ("gzip", "x-gzip"):
        return capped(gunzip(packed), cap)
    raise ExtractionError(f"a body in the encoding {encoding[:40]!r}.", code="bad_body")


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What all members of a gzip stream hold, a piece at a time.

    Raises truncated_body when the last member has no end, bad_body for what is no gzip.
    """
    member = _Member()
    for chunk in chunks:
        rest = chunk
        while rest:
            if member.done:
                rest = rest.lstrip(b"\0")  # tar-style padding after the last member is legal
                member = _Member() if rest else member
            piece, rest = member.feed(rest)
            if piece:
                yield piece
    if not member.done:
        raise ExtractionError("the gzip stream stops before its end.", code="truncated_body")


class _Member:
    """One member of a gzip stream, unpacked in pieces of bounded size."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(wbits=31)

    @property
    def done(self) -> bool:
        return self._unpack.eof

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """One piece, and the bytes still to be fed."""
        if not data:
            return b"", b""
        try:
            piece = self._unpack.decompress(data, _STEP)
        except zlib.error as error:
            raise ExtractionError(f"a damaged gzip stream: {error}.", code="bad_body") from error
        return piece, self._unpack.unused_data if self.done else self._unpack.unconsumed_tail
