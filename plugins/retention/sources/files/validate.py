"""Validate the form of a file and the document of a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from retention.sources.files.codes import US_STATES
from retention.sources.files.document import Flaw, Made
from retention.sources.files.fields import fields_of
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import StreamRule, missing_columns
from retention.sources.files.problems import Findings, nearest
from retention.sources.files.records import RECORDS
from retention.sources.files.rows import Form


def check_bytes(folder: Folder, file: str, form: Form, findings: Findings) -> None:
    """Warn about a byte order mark and about CR LF line ends."""
    path = folder.root / file
    if form.of(path) in {"parquet", "workbook"}:
        return
    with path.open("rb") as raw:
        start = raw.read(65_536)
    if start.startswith(b"\xef\xbb\xbf"):
        message = "the file starts with a byte order mark; it is skipped"
        findings.warn(file, 1, None, "byte_order_mark", message)
    if b"\r\n" in start and not start.startswith(b"\x1f\x8b"):
        findings.warn(file, 1, None, "crlf", "lines end in CR LF; they are read as usual")


def has_columns(
    rule: StreamRule, file: str, header: tuple[str, ...] | None, findings: Findings
) -> bool:
    """Return whether the header has every column of the rule; report missing ones as errors."""
    missing = missing_columns(rule, header)
    for column in missing:
        message = f"no column {column!r}. {nearest(column, header or ())}"
        findings.error(file, 1, column, "missing_column", message)
    return not missing


def paths(values: dict[str, Any], under: str = "") -> list[str]:
    """Return the names in a JSON object, nested names with dots."""
    found = []
    for name, value in values.items():
        found.append(under + name)
        if isinstance(value, dict):
            found += paths(value, f"{under}{name}.")
    return found


_STATE = re.compile("[A-Z]{2}")


def settle(stream: str, made: Made) -> None:
    """Add the contract violations of a document to its flaws; a violating value is lost.

    Without a fatal flaw, the document then satisfies the contract.
    """
    # Losing a value can reveal a contradiction of two others.
    while not made.is_lost and (flaws := contract_flaws(stream, made.doc)):
        for flaw in flaws:
            known = fields_of(stream)[flaw.column]
            made.flaws.append(replace(flaw, fatal=known.decisive))
            if not known.decisive:
                made.doc[known.name] = None


def contract_flaws(stream: str, doc: dict[str, Any]) -> list[Flaw]:
    """Return the contract violations of a document; they would send it to quarantine."""
    try:
        RECORDS[stream].model_validate(doc)
    except ValidationError as error:
        return [_flaw(stream, each) for each in error.errors(include_url=False)]
    return []


def _flaw(stream: str, error: Any) -> Flaw:
    field = str(error["loc"][0]) if error["loc"] else str(error["ctx"]["field"])
    code, message = error["type"], error["msg"].removeprefix("Value error, ")
    if code == "greater_than_equal":
        money = fields_of(stream)[field].kind == "money"
        code = "negative_amount" if money else "out_of_range"
        message = f"{field} {error['input']} is below {error['ctx']['ge']}"
    elif code == "less_than_equal":
        code, message = "out_of_range", f"{field} {error['input']} is above {error['ctx']['le']}"
    return Flaw(field, code, message)


def unusual_values(stream: str, doc: dict[str, Any]) -> Iterator[Flaw]:
    """Return unusual values that are loaded unchanged."""
    if stream == "accounts":
        yield from _account(doc)
    elif stream == "subscriptions" and doc["ends_on"] == doc["starts_on"]:
        yield Flaw("ends_on", "empty_term", f"it starts and ends on {doc['starts_on']}")
    elif stream == "tickets" and _later(doc["first_reply_at"], doc["closed_at"]):
        message = (
            f"the first reply at {doc['first_reply_at']}, closed at {doc['closed_at']} already"
        )
        yield Flaw("first_reply_at", "reply_after_close", message)


def _account(doc: dict[str, Any]) -> Iterator[Flaw]:
    region = doc["region"] or ""
    if doc["country"] == "US" and _STATE.fullmatch(region) and region not in US_STATES:
        yield Flaw("region", "unknown_region", f"{region!r} is not a state of the USA")
    if doc["parent_account_id"] == doc["account_id"]:
        yield Flaw("parent_account_id", "own_parent", "the account is its own parent")


def _later(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return False
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)
