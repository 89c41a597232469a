"""Clean and validate a vendor's record and encode it as canonical JSON."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from retention import jsondoc
from retention.landing.fit import SetAside, Unfit, fit, is_plausible
from retention.source import Record, Rejected

# Postgres accepts up to 255 MB; a vendor record of this size is already a mistake.
LARGEST = 16 << 20
LONGEST_ID = 1000
# A larger number overflows an IEEE double, which most readers use.
LARGEST_EXPONENT = 307

# The encoder writes decimals as marked text; the marks are removed afterwards. The mark is
# random in each process, so that vendor text cannot imitate it.
_MARK = f"\ue000{secrets.token_hex(8)}:"
_MARKED = re.compile(f'"{_MARK}([^"]*)"')
_LONE = re.compile("[\ud800-\udfff\x00]")
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Prepared:
    """A record ready to be stored; ``sanitised`` counts the strings that were cleaned.

    ``set_aside`` lists the parts that break the contract; ``text`` is without them.
    """

    record_id: str
    content_hash: str
    updated_at: datetime | None
    deleted: bool
    text: str
    position: str
    sanitised: int
    set_aside: tuple[SetAside, ...] = ()


def prepare(record: Record, contract: type[BaseModel]) -> Prepared | Rejected:
    """Convert the record to its stored form, or to a Rejected with the reason.

    Zero bytes and lone surrogates, which Postgres cannot store, become U+FFFD. Documents
    that differ only in key order get the same hash. A part that breaks the contract is set
    aside; the rest of the record is stored.
    """
    try:
        record_id = _identity(record.record_id)
        _require_plausible(record.updated_at)
        text, sanitised = canonical(record.doc)
        fitted, set_aside = _fit(record, contract)
        if set_aside:
            text, sanitised = canonical(fitted)
    except Unfit as unfit:
        return rejected(record, unfit.code, unfit.reason)
    except RecursionError:
        raw = f"(document with id {record.record_id}, nested too deeply to be written)"
        reason = "the document is nested too deeply"
        return Rejected("too_deep", reason, record.position, raw, record.record_id or None)
    return Prepared(
        record_id=record_id,
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        updated_at=record.updated_at,
        deleted=record.deleted,
        text=text,
        position=record.position,
        sanitised=sanitised,
        set_aside=tuple(set_aside),
    )


def rejected(record: Record, code: str, reason: str) -> Rejected:
    """Convert the complete record to a row for quarantine."""
    raw = jsondoc.text(record.doc)
    if len(raw) > LARGEST:
        raw = f"{raw[:LARGEST]}... ({len(raw)} characters)"
    return Rejected(code, reason, record.position, raw, record.record_id or None)


def canonical(doc: dict[str, Any]) -> tuple[str, int]:
    """Return the document as JSON with sorted keys, and the number of cleaned strings."""
    found = jsondoc.flaw(doc)
    if found:
        raise Unfit(*found)
    text, cleaned = _encode(doc), 0
    # An escaped zero byte or a literal backslash before "u0000": only sanitise can tell.
    if "\\u0000" in text or not _encodable(text):
        clean, cleaned = sanitise(doc)
        text = _encode(clean)
    if len(text) > LARGEST:
        raise Unfit("too_large", f"{len(text)} characters; the limit is {LARGEST}")
    return text, cleaned


def sanitise(value: Any) -> tuple[Any, int]:
    """Replace zero bytes and lone surrogates; return the value and the number of changes."""
    if isinstance(value, str):
        clean = _LONE.sub(_REPLACEMENT, value)
        return clean, int(clean != value)
    if isinstance(value, list):
        parts = [sanitise(item) for item in value]
        return [part for part, _ in parts], sum(count for _, count in parts)
    if isinstance(value, dict):
        return _sanitise_object(value)
    return value, 0


def _sanitise_object(value: dict[str, Any]) -> tuple[dict[str, Any], int]:
    clean: dict[str, Any] = {}
    total = 0
    for key, item in value.items():
        name, in_name = sanitise(key)
        if name in clean:
            raise Unfit("duplicate_key", "two keys are equal after cleaning")
        clean[name], in_item = sanitise(item)
        total += in_name + in_item
    return clean, total


def _identity(record_id: str) -> str:
    clean = _LONE.sub(_REPLACEMENT, str(record_id or "")).strip()
    if not clean:
        raise Unfit("missing_key", "the record has no id")
    if len(clean) > LONGEST_ID:
        raise Unfit("bad_key", f"an id of {len(clean)} characters; the limit is {LONGEST_ID}")
    return clean


def _encode(doc: dict[str, Any]) -> str:
    try:
        text = _ENCODER.encode(doc)
    except ValueError:  # float nan and inf from a lenient parser
        raise Unfit("not_a_number", "a number is NaN or infinite") from None
    return _MARKED.sub(r"\1", text) if _MARK in text else text


def _number(value: Any) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    if not value.is_finite():
        raise Unfit("not_a_number", "a number is NaN or infinite")
    if value and abs(value.adjusted()) > LARGEST_EXPONENT:
        raise Unfit("number_out_of_range", f"10 to the power of {value.adjusted()}")
    return f"{_MARK}{value}"


_ENCODER = json.JSONEncoder(
    sort_keys=True,
    ensure_ascii=False,
    allow_nan=False,
    separators=(",", ":"),
    default=_number,
)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fit(record: Record, contract: type[BaseModel]) -> tuple[dict[str, Any], list[SetAside]]:
    try:
        return fit(record.doc, contract)
    except Unfit:
        if record.deleted:  # a tombstone may contain only the id
            return record.doc, []
        raise


def _require_plausible(changed: datetime | None) -> None:
    """Reject a change time outside 1970 to 2100: a wrong unit or a placeholder."""
    if changed is not None and not is_plausible(changed):
        raise Unfit("bad_timestamp", f"changed is {changed.isoformat()}")
