"""Formats of event files: the columns or paths that hold the canonical fields."""

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
    """A value from another table: ``Lookup("payer", "select id as key, ...", on="sub")``.

    ``relation`` is a DuckDB query with text columns ``key`` and ``value``; ``on`` is an
    expression over the columns of the events. Canonical expressions see the value as the
    column ``name``, null for a key that is unknown or has several values. ``files`` are the
    inputs of the relation: events are reloaded when their bytes change.
    """

    name: str
    relation: str
    on: str
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class EventFormat:
    """One format of event file, plain or gzip.

    ``columns`` maps names to JSON paths (``$.context.groupId``), CSV headers or Parquet
    columns; all values are text, null when absent. The other fields are DuckDB expressions
    over those names: times are ``timestamptz`` (see ``instant``, ``epoch_seconds`` and
    ``epoch_milliseconds``), the rest text. Without ``received_at`` an event counts as
    received when it occurred.

    ``duplicates`` decides about rows with the same event id. "last": the same event sent
    again, the last received row wins. "reject": rows with different content go to
    quarantine. "keep": every row is an event.
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
                hint="Use distinct names of a-z, 0-9, _; not file, line, raw, flaw or shape.",
            )

    def fingerprint(self) -> str:
        """Return a hash that changes when the same bytes would be read differently."""
        digest = hashlib.sha256(repr(self).encode())
        for path in (path for lookup in self.lookups for path in lookup.files):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class EventFiles:
    """The event files of one stream; their names are paths relative to ``root``.

    A usage stream has a function from its Connection to this in ``extra["event_files"]``.
    """

    format: EventFormat
    root: Path
    paths: tuple[Path, ...] = field(default=())

    @classmethod
    def below(cls, form: EventFormat, root: Path, *patterns: str) -> EventFiles:
        """Collect the files below ``root`` that match a glob; raises ConfigurationError."""
        if not root.is_dir():
            raise ConfigurationError(
                f"there is no folder {root} with event files.",
                hint="Set the host of the connection to the folder of event files.",
            )
        found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
        return cls(form, root, tuple(sorted(found)))

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


# Marks a time that is present but invalid; no valid time is infinite.
UNREADABLE = "timestamptz 'infinity'"


def instant(text: str, zone: str = "UTC") -> str:
    """Return SQL that parses an ISO 8601 text; without an offset it is local to ``zone``."""
    if not re.fullmatch(r"[A-Za-z0-9_+\-/]+", zone):
        raise ConfigurationError(f"{zone!r} is not a time zone.", hint="Use an IANA name.")
    moment = f"try_cast({text} as timestamptz)"
    if zone != "UTC":
        has_offset = f"regexp_matches({text}, ':.*([zZ]|[+-]\\d\\d(:?\\d\\d)?)$')"
        local = f"timezone('{zone}', try_cast({text} as timestamp))"
        moment = f"case when {has_offset} then {moment} else {local} end"
    return _given(text, moment)


def epoch_seconds(text: str) -> str:
    """Return SQL that parses seconds since 1970, fractions allowed.

    A value outside 10**8 to 10**11 (1973 to 5138) has another unit and so is an invalid time.
    """
    count = f"try_cast({text} as double)"
    return _given(
        text, f"case when {count} >= 1e8 and {count} < 1e11 then try(to_timestamp({count})) end"
    )


def epoch_milliseconds(text: str) -> str:
    """Return SQL that parses milliseconds since 1970.

    A value below 10**11 (the year 1973) is taken for seconds and so is an invalid time.
    """
    count = f"try_cast({text} as double)"
    return _given(text, f"case when {count} >= 1e11 then try(to_timestamp({count} / 1000)) end")


def epoch_microseconds(text: str) -> str:
    """Return SQL that parses microseconds since 1970; a value below 10**14 is an invalid time."""
    count = f"try_cast({text} as double)"
    return _given(text, f"case when {count} >= 1e14 then try(to_timestamp({count} / 1000000)) end")


def _given(text: str, moment: str) -> str:
    """Return SQL for the time: null for an empty text, UNREADABLE for an invalid one."""
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

_POSTHOG_EVENT = {
    "id": "$.uuid",
    "person": "$.distinct_id",
    "event": "$.event",
    "happened": "$.timestamp",
    "received": "$.created_at",
}


def posthog(group_type: str = "company", *, as_text: bool = False) -> EventFormat:
    """Return the format of PostHog's batch export.

    ``group_type`` is the group that stands for a customer. ``as_text`` means that ``properties`` is
    a JSON text instead of an object, as some destinations write it.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_ -]*", group_type):
        raise ConfigurationError(
            f"{group_type!r} is not the name of a PostHog group type.",
            code="group_type",
            hint="Set group_type in the extra of the connection, such as organization.",
        )
    quoted = group_type if group_type.isidentifier() else f'"{group_type}"'
    paths = {"account": f'"$groups".{quoted}', "quantity": "quantity"}
    if as_text:
        columns = {**_POSTHOG_EVENT, "properties": "$.properties"}
        found = {n: f"try(json_extract_string(properties, '$.{p}'))" for n, p in paths.items()}
    else:
        columns = _POSTHOG_EVENT | {name: f"$.properties.{path}" for name, path in paths.items()}
        found = {name: name for name in paths}
    return EventFormat(
        name="posthog_batch_export",
        kind="ndjson",
        columns=columns,
        event_id="id",
        account=found["account"],
        user="person",
        feature="event",
        occurred_at=instant("happened"),
        received_at=instant("received"),
        units=found["quantity"],
    )


POSTHOG = posthog()
