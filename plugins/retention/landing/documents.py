"""From a vendor's record to what is stored: cleaned, checked, and written in one canonical way."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from retention import jsondoc
from retention.source import Record, Rejected

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2101, 1, 1, tzinfo=UTC)
# Postgres takes up to 255 MB; a record of that size is a mistake long before.
LARGEST = 16 << 20
LONGEST_ID = 1000
# Beyond this a number is infinite for every program that reads it as a double.
LARGEST_EXPONENT = 307

# Decimals leave the encoder as marked text and lose the marks afterwards. The mark is drawn
# anew for every process, so that no vendor's text can pretend to be a number.
_MARK = f"\ue000{secrets.token_hex(8)}:"
_MARKED = re.compile(f'"{_MARK}([^"]*)"')
_LONE = re.compile("[\ud800-\udfff\x00]")
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Prepared:
    """A record ready to be stored; ``sanitised`` counts the texts that had to be cleaned."""

    record_id: str
    content_hash: str
    updated_at: datetime | None
    deleted: bool
    text: str
    position: str
    sanitised: int


def prepare(record: Record, contract: type[BaseModel]) -> Prepared | Rejected:
    """The record as it will be stored, or the reason why it cannot be.

    Zero bytes and lone surrogates, which Postgres cannot hold, become U+FFFD. Two documents
    that differ only in the order of their keys get the same hash.
    """
    try:
        record_id = _identity(record.record_id)
        _require_plausible(record.updated_at, "changed")
        text, sanitised = canonical(record.doc)
        if not record.deleted:  # a tombstone may carry no more than the id
            _require_contract(record.doc, contract)
    except _Unfit as unfit:
        return rejected(record, unfit.code, unfit.reason)
    except RecursionError:
        raw = f"(a document of id {record.record_id}, nested too deeply to be written out)"
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
    )


def rejected(record: Record, code: str, reason: str) -> Rejected:
    """The record, whole, as a row for quarantine."""
    raw = jsondoc.text(record.doc)
    if len(raw) > LARGEST:
        raw = f"{raw[:LARGEST]}... ({len(raw)} characters)"
    return Rejected(code, reason, record.position, raw, record.record_id or None)


def canonical(doc: dict[str, Any]) -> tuple[str, int]:
    """The document as JSON with sorted keys and exact numbers, and how many texts were cleaned."""
    found = jsondoc.flaw(doc)
    if found:
        raise _Unfit(*found)
    text, cleaned = _encode(doc), 0
    # An escaped zero byte, or a text that speaks of one: the slow way tells them apart.
    if "\\u0000" in text or not _encodable(text):
        clean, cleaned = sanitise(doc)
        text = _encode(clean)
    if len(text) > LARGEST:
        raise _Unfit("too_large", f"{len(text)} characters; the most is {LARGEST}")
    return text, cleaned


def sanitise(value: Any) -> tuple[Any, int]:
    """The value with zero bytes and lone surrogates replaced, and how many texts had some."""
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
            raise _Unfit("duplicate_key", "two keys are the same once they are cleaned")
        clean[name], in_item = sanitise(item)
        total += in_name + in_item
    return clean, total


class _Unfit(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def _identity(record_id: str) -> str:
    clean = _LONE.sub(_REPLACEMENT, str(record_id or "")).strip()
    if not clean:
        raise _Unfit("missing_key", "the record has no id")
    if len(clean) > LONGEST_ID:
        raise _Unfit("bad_key", f"an id of {len(clean)} characters; the most is {LONGEST_ID}")
    return clean


def _encode(doc: dict[str, Any]) -> str:
    try:
        text = _ENCODER.encode(doc)
    except ValueError:  # float nan and inf, which only a careless parser lets in
        raise _Unfit("not_a_number", "a number is NaN or infinite") from None
    return _MARKED.sub(r"\1", text) if _MARK in text else text


def _number(value: Any) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} is not JSON")
    if not value.is_finite():
        raise _Unfit("not_a_number", "a number is NaN or infinite")
    if value and abs(value.adjusted()) > LARGEST_EXPONENT:
        raise _Unfit("number_out_of_range", f"10 to the power of {value.adjusted()}")
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


def _require_contract(doc: dict[str, Any], contract: type[BaseModel]) -> None:
    try:
        parsed = contract.model_validate(doc)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "$"
        is_time = first["type"].startswith(("date", "time"))
        code = "bad_timestamp" if is_time else "contract"
        raise _Unfit(code, f"{place}: {first['msg']}") from None
    _require_plausible_fields(parsed)


def _require_plausible_fields(parsed: BaseModel) -> None:
    for name, value in parsed.__dict__.items():
        if isinstance(value, date):
            _require_plausible(value, name)
        elif isinstance(value, BaseModel):
            _require_plausible_fields(value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, BaseModel):
                    _require_plausible_fields(item)


def _require_plausible(value: date | None, name: str) -> None:
    """Refuse years outside 1970 to 2100: a wrong unit or a placeholder, never a date of ours."""
    if value is None:
        return
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        fits = EARLIEST <= moment < LATEST
    else:
        fits = EARLIEST.date() <= value < LATEST.date()
    if not fits:
        raise _Unfit("bad_timestamp", f"{name} is {value.isoformat()}")
