"""How a file of usage events is read: which column or path holds which canonical field."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from retention.errors import ConfigurationError

Kind = Literal["ndjson", "csv", "parquet"]
Duplicates = Literal["last", "reject", "keep"]

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Lookup:
    """A text found in another table: ``Lookup("payer", "select id as key, ...", on="sub")``.

    ``relation`` is a DuckDB query with text columns ``key`` and ``value``; ``on`` is an
    expression over the columns of the events. The value is the column ``name`` in the
    canonical expressions, null where the key is unknown or has several values. ``files``
    are what the relation reads: events are read again when their bytes change.
    """

    name: str
    relation: str
    on: str
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class EventFormat:
    """One shape of event file, plain or gzip.

    ``columns`` names what is taken from each row: a JSON path (``$.context.groupId``), a CSV
    header or a Parquet column; all arrive as text, null when absent. The other fields are
    DuckDB expressions over those names: times give ``timestamptz`` (``instant``,
    ``epoch_seconds`` and ``epoch_milliseconds`` write them), the rest text. Without
    ``received_at`` an event counts as received when it happened.

    ``duplicates`` says what one event id in several rows means: "last" the same event sent
    again, the last received wins; "reject" a defect, rows that contradict each other go to
    quarantine; "keep" nothing, every row is an event.
    """

    name: str
    kind: Kind
    columns: Mapping[str, str]
    event_id: str
    account: str
    feature: str
    occurred_at: str
    user: str = "''"
    subscription: str = "''"
    received_at: str | None = None
    units: str | None = None
    lookups: tuple[Lookup, ...] = ()
    duplicates: Duplicates = "last"
    delimiter: str = ","

    def __post_init__(self) -> None:
        names = [*self.columns, *(lookup.name for lookup in self.lookups)]
        broken = [name for name in names if not NAME.fullmatch(name)]
        reserved = {"file", "line", "raw", "flaw", "shape"} & set(names)
        if broken or reserved or len(set(names)) < len(names) or not self.columns:
            raise ConfigurationError(
                f"event format {self.name}: the columns {names} are not usable names.",
                mend="Use distinct names of a-z, 0-9, _; not file, line, raw, flaw or shape.",
            )

    def fingerprint(self) -> str:
        """Changes when the same bytes would be read differently."""
        digest = hashlib.sha256(repr(self).encode())
        for path in (path for lookup in self.lookups for path in lookup.files):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class EventFiles:
    """The event files of one stream as they lie there; names are paths below ``root``.

    A usage stream carries a function from its Connection to this in ``extra["event_files"]``.
    """

    format: EventFormat
    root: Path
    paths: tuple[Path, ...] = field(default=())

    @classmethod
    def below(cls, form: EventFormat, root: Path, *patterns: str) -> EventFiles:
        """All files below ``root`` that match a glob; ConfigurationError without the folder."""
        if not root.is_dir():
            raise ConfigurationError(
                f"there is no folder {root} with event files.", mend="Correct the connection."
            )
        found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
        return cls(form, root, tuple(sorted(found)))

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


# A time that was given but cannot be read; no real one is ever infinite.
UNREADABLE = "timestamptz 'infinity'"


def instant(text: str, zone: str = "UTC") -> str:
    """The SQL of an ISO 8601 text's moment; one without an offset is local to ``zone``."""
    if not re.fullmatch(r"[A-Za-z0-9_+\-/]+", zone):
        raise ConfigurationError(f"{zone!r} is no time zone.")
    moment = f"try_cast({text} as timestamptz)"
    if zone != "UTC":
        has_offset = f"regexp_matches({text}, ':.*([zZ]|[+-]\\d\\d(:?\\d\\d)?)$')"
        local = f"timezone('{zone}', try_cast({text} as timestamp))"
        moment = f"case when {has_offset} then {moment} else {local} end"
    return _given(text, moment)


def epoch_seconds(text: str) -> str:
    """The SQL of a count of seconds since 1970, fractions allowed."""
    return _given(text, f"try(to_timestamp(try_cast({text} as double)))")


def epoch_milliseconds(text: str) -> str:
    """The SQL of a count of milliseconds since 1970.

    Less than 10**11, the year 1973, is a count of seconds and so an unreadable time.
    """
    count = f"try_cast({text} as double)"
    return _given(text, f"case when {count} >= 1e11 then try(to_timestamp({count} / 1000)) end")


def _given(text: str, moment: str) -> str:
    """The moment, else null where nothing was given, else UNREADABLE."""
    return f"coalesce({moment}, case when trim({text}) != '' then {UNREADABLE} end)"


SEGMENT_TRACK = EventFormat(
    name="segment_track",
    kind="ndjson",
    columns={
        "id": "$.messageId",
        "account": "$.context.groupId",
        "person": "$.userId",
        "event": "$.event",
        "happened": "$.timestamp",
        "received": "$.receivedAt",
        "value": "$.properties.value",
    },
    event_id="id",
    account="account",
    user="person",
    feature="event",
    occurred_at=instant("happened"),
    received_at=instant("received"),
    units="value",
)

POSTHOG = EventFormat(
    name="posthog_batch_export",
    kind="ndjson",
    columns={
        "id": "$.uuid",
        "account": '$.properties."$groups".company',
        "person": "$.distinct_id",
        "event": "$.event",
        "happened": "$.timestamp",
        "received": "$.created_at",
        "quantity": "$.properties.quantity",
    },
    event_id="id",
    account="account",
    user="person",
    feature="event",
    occurred_at=instant("happened"),
    received_at=instant("received"),
    units="quantity",
)
