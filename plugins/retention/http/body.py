"""Decode response bodies; common HTTP clients accept a truncated gzip stream as complete."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from retention.errors import ExtractionError

_STEP = 1 << 18


def capped(chunks: Iterable[bytes], cap: int) -> Iterator[bytes]:
    """Yield the chunks; raises ExtractionError (payload_too_large) beyond ``cap`` bytes."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > cap:
            raise ExtractionError(f"body exceeds {cap} bytes.", code="payload_too_large")
        yield chunk


def decoded(chunks: Iterable[bytes], encoding: str, cap: int) -> Iterator[bytes]:
    """Decode the body; at most ``cap`` bytes are accepted, compressed or not."""
    compressed = capped(chunks, cap)
    if encoding in ("", "identity"):
        return compressed
    if encoding in ("gzip", "x-gzip"):
        return capped(gunzip(compressed), cap)
    raise ExtractionError(f"unsupported content encoding {encoding[:40]!r}.", code="bad_body")


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress all members of a gzip stream, one piece at a time.

    Raises ExtractionError: truncated_body when the last member is incomplete, bad_body for
    data that is not gzip.
    """
    member = _Member()
    for chunk in chunks:
        rest = chunk
        while rest:
            if member.done:
                rest = rest.lstrip(b"\0")  # zero padding after the last member is legal
                member = _Member() if rest else member
            piece, rest = member.feed(rest)
            if piece:
                yield piece
    if not member.done:
        raise ExtractionError("the gzip stream is truncated.", code="truncated_body")


class _Member:
    """One member of a gzip stream, decompressed in pieces of bounded size."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj(wbits=31)

    @property
    def done(self) -> bool:
        return self._decompressor.eof

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Return one decompressed piece and the input that is left."""
        if not data:
            return b"", b""
        try:
            piece = self._decompressor.decompress(data, _STEP)
        except zlib.error as error:
            raise ExtractionError(f"corrupt gzip stream: {error}.", code="bad_body") from error
        left = self._decompressor
        return piece, left.unused_data if self.done else left.unconsumed_tail
