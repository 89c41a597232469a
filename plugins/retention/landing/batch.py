"""The records of one window on their way into the database: checked one by one, spooled to disk."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from typing import IO

import psycopg

from retention.landing.documents import Prepared, prepare
from retention.landing.drift import Shape
from retention.source import Extracted, Record, Rejected, Stream

# Up to this size a window never touches the disk; beyond it, memory stays flat.
IN_MEMORY = 32 << 20
CHUNK = 1 << 20

TABLES = (
    """
    create temporary table incoming (
        seq bigint not null, record_id text not null, content_hash bytea not null,
        source_updated_at timestamptz, deleted boolean not null, doc jsonb not null,
        position text not null
    ) on commit drop
    """,
    """
    create temporary table rejects (
        seq bigint generated always as identity, record_id text, position text not null,
        code text not null, reason text not null, raw text not null
    ) on commit drop
    """,
)
COPY_GOOD = "copy incoming from stdin"
COPY_BAD = "copy rejects (record_id, position, code, reason, raw) from stdin"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\ufffd"})


class Batch:
    """What an extractor gave: ``fill``, then ``copy_into`` a transaction.

    No statement runs while the vendor is being read, so a slow vendor holds back no vacuum.
    Nothing of it outlives the process: the spool has no name on disk.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.shape = Shape()
        self.seen = 0
        self.rejected = 0
        self.unidentified = 0
        self.sanitised = 0
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
        """Take in every record; yields after each so that the caller may look up now and then."""
        for item in extracted:
            self.seen += 1
            ready = prepare(item, self.stream.record) if isinstance(item, Record) else item
            if isinstance(ready, Rejected):
                self._reject(ready)
            elif isinstance(item, Record):
                self._accept(ready, item)
            yield self.seen

    def copy_into(self, conn: psycopg.Connection) -> None:
        """Fill the temporary tables ``incoming`` and ``rejects`` of the open transaction."""
        for statement in TABLES:
            conn.execute(statement.encode())
        for statement, spool in ((COPY_GOOD, self._good), (COPY_BAD, self._bad)):
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

    def _reject(self, row: Rejected) -> None:
        self.rejected += 1
        self.codes[row.code] += 1
        if len(self.examples) < 3:
            self.examples.append(f"{row.position}: {row.code}, {row.reason}")
        if row.record_id is None:
            self.unidentified += 1
        record_id = "\\N" if row.record_id is None else _escape(row.record_id)
        texts = (row.position, row.code, row.reason, row.raw)
        line = "\t".join((record_id, *map(_escape, texts))) + "\n"
        self._bad.write(line.encode())


def _escape(text: str) -> str:
    """The text for COPY; half a surrogate pair cannot be stored, but its escape can be read."""
    return text.encode("utf-8", "backslashreplace").decode().translate(_ESCAPES)


def _spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)
