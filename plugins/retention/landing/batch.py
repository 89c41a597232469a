"""Validate the records of one window and spool them to disk for COPY."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import IO

import psycopg

from retention.landing.documents import Prepared, prepare
from retention.landing.drift import Shape
from retention.source import Extracted, Record, Rejected, Stream

# A larger window spools to disk, so that memory stays bounded.
IN_MEMORY = 32 << 20
CHUNK = 1 << 20

INCOMING = """
create temporary table incoming (
    seq bigint not null, record_id text not null, content_hash bytea not null,
    source_updated_at timestamptz, deleted boolean not null, doc jsonb not null,
    position text not null
) on commit drop
"""
REJECTS = """
create temporary table rejects (
    seq bigint generated always as identity, record_id text, position text not null,
    code text not null, reason text not null, raw text not null, path text
) on commit drop
"""
COPY_INCOMING = "copy incoming from stdin"
COPY_REJECTS = "copy rejects (record_id, position, code, reason, raw, path) from stdin"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})


class Batch:
    """The records of one extraction: ``fill``, then ``copy_into`` a transaction.

    No statement runs while the vendor is read, so a slow vendor does not delay vacuum. The
    spool files are unnamed and disappear with the process.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.shape = Shape()
        self.seen = 0
        self.rejected = 0
        self.unidentified = 0
        self.sanitised = 0
        self.set_aside = 0
        self.codes: Counter[str] = Counter()
        self.examples: list[str] = []
        self._good = _spool()
        self._bad = _spool()

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *_: object) -> None:
        self._good.close()
        self._bad.close()

    def fill(self, extracted: Extracted) -> Iterator[int]:
        """Validate and spool every record; yield the count so far after each."""
        for item in extracted:
            if isinstance(item, Rejected) and item.record_kept:
                # The row itself follows; it is seen and counted once.
                self.set_aside += 1
                self._hold(item)
                continue
            self.seen += 1
            ready = prepare(item, self.stream.record) if isinstance(item, Record) else item
            if isinstance(ready, Rejected):
                self._reject(ready)
            elif isinstance(item, Record):
                self._accept(ready, item)
            yield self.seen

    def copy_into(self, conn: psycopg.Connection) -> None:
        """Fill the temporary tables ``incoming`` and ``rejects`` of the open transaction."""
        for statement in (INCOMING, REJECTS):
            conn.execute(statement.encode())
        for statement, spool in ((COPY_INCOMING, self._good), (COPY_REJECTS, self._bad)):
            spool.seek(0)
            with conn.cursor() as cursor, cursor.copy(statement) as copy:
                while chunk := spool.read(CHUNK):
                    copy.write(chunk)
        conn.execute("analyze incoming (record_id)")

    def _accept(self, ready: Prepared, record: Record) -> None:
        self.sanitised += ready.sanitised
        if not ready.deleted:
            self.shape.observe(record.doc)
        updated_at = ready.updated_at.isoformat() if ready.updated_at else "\\N"
        fields = (
            str(self.seen),
            _escape(ready.record_id),
            f"\\\\x{ready.content_hash}",
            updated_at,
            "t" if ready.deleted else "f",
            ready.text.replace("\\", "\\\\"),  # canonical JSON has no raw tabs or line ends
            _escape(ready.position),
        )
        self._good.write(("\t".join(fields) + "\n").encode())
        for part in ready.set_aside:
            self.set_aside += 1
            # The record holds the rest of the row; the value of the part may be personal data.
            self._hold(
                Rejected(
                    part.code, part.reason, ready.position, "", ready.record_id, path=part.path
                )
            )

    def _reject(self, row: Rejected) -> None:
        self.rejected += 1
        self.codes[row.code] += 1
        if len(self.examples) < 3:
            self.examples.append(f"{row.position}, id {row.record_id}: {row.code}, {row.reason}")
        if row.record_id is None:
            self.unidentified += 1
        self._hold(row)

    def _hold(self, row: Rejected) -> None:
        """Write a row for quarantine."""
        record_id = "\\N" if row.record_id is None else _escape(row.record_id)
        path = "\\N" if row.path is None else _escape(row.path)
        texts = (row.position, row.code, row.reason, row.raw)
        line = "\t".join((record_id, *map(_escape, texts), path)) + "\n"
        self._bad.write(line.encode())


def _escape(text: str) -> str:
    """Escape the text for COPY; a lone surrogate is written as its readable escape."""
    return text.encode("utf-8", "backslashreplace").decode().translate(_ESCAPES)


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)
