"""Inject faulty data into the records that changed on one day.

While the faults are on, the servers return faulty records from that day on. Once they are off, the
servers return the original records, as after a vendor's repair.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from demo.company.render_stripe import SHAPES, event_of
from demo.servers.clock import write_atomically

Doc = dict[str, Any]
DEFAULT_KINDS = ("nps_eleven", "negative_price")


@dataclass(frozen=True)
class DataFaults:
    """``DataFaults(date(2026, 7, 1), ("nps_eleven", "vanished:hubspot/tickets"))``.

    Kinds: the names in DATA_FAULTS, each limited to three records by a ``*3`` suffix;
    ``vanished:<vendor>/<stream>`` (the stream no longer exists); ``emptied:<vendor>/<stream>`` (it
    exists and has no rows).
    """

    day: date
    kinds: tuple[str, ...] = DEFAULT_KINDS

    def __post_init__(self) -> None:
        for kind in self.kinds:
            name = kind.partition("*")[0]
            if name not in DATA_FAULTS and kind.partition(":")[0] not in ("vanished", "emptied"):
                known = ", ".join(DATA_FAULTS)
                raise ValueError(
                    f"unknown data fault {kind!r}; known: {known}, vanished:, emptied:"
                )


def score_eleven(doc: Doc) -> bool:
    """Set each 0-to-10 answer of an NPS response to 11."""
    if doc.get("form_id") != "nps":
        return False
    for answer in doc.get("answers") or ():
        if answer.get("type") == "number":
            answer["number"] = 11
            return True
    return False


def negate_prices(doc: Doc) -> bool:
    """Make the price of every subscription item negative."""
    return _reprice(doc, lambda amount: -abs(amount))


def unknown_currency(doc: Doc) -> bool:
    """Bill an invoice in a currency that does not exist."""
    doc["currency"] = "xqq"
    return True


def orphan(doc: Doc) -> bool:
    """Bill an invoice to a customer that does not exist."""
    doc["customer"] = "cus_unknown"
    return True


def inflate_prices(doc: Doc) -> bool:
    """Multiply the price of every subscription item by 1,000, as a wrong unit would."""
    return _reprice(doc, lambda amount: amount * 1000)


def _reprice(doc: Doc, change: Callable[[int], int]) -> bool:
    """Change every amount, in both representations of a price."""
    touched = False
    for item in (doc.get("items") or {}).get("data", ()):
        for name, price in (("unit_amount", item.get("price")), ("amount", item.get("plan"))):
            if price and price.get(name):
                price[name] = change(price[name])
                price |= {"unit_amount_decimal": str(price[name])} if name == "unit_amount" else {}
                touched = True
    return touched


def future_signup(doc: Doc) -> bool:
    """Set the sign-up date of a company to 2091."""
    doc["properties"]["createdate"] = doc["createdAt"] = "2091-01-01T00:00:00.000Z"
    return True


def impossible_date(doc: Doc) -> bool:
    """Set the creation date of a company to 30 February."""
    doc["properties"]["createdate"] = "2026-02-30T00:00:00.000Z"
    return True


def nul_in_text(doc: Doc) -> bool:
    """Put a NUL character, which Postgres cannot store, into the subject of a ticket."""
    doc["properties"]["subject"] = f"{doc['properties'].get('subject') or ''}\x00"
    return True


DATA_FAULTS: dict[str, tuple[str, str, Callable[[Doc], bool]]] = {
    "nps_eleven": ("typeform", "responses", score_eleven),
    "negative_price": ("stripe", "subscriptions", negate_prices),
    "unknown_currency": ("stripe", "invoices", unknown_currency),
    "orphan_invoices": ("stripe", "invoices", orphan),
    "inflated_prices": ("stripe", "subscriptions", inflate_prices),
    "future_signup": ("hubspot", "companies", future_signup),
    "impossible_date": ("hubspot", "companies", impossible_date),
    "nul_in_text": ("hubspot", "tickets", nul_in_text),
}


def inject(world: Any, bad: DataFaults) -> Any:
    """Return a copy of ``world`` with the faults of ``bad``; the original is unchanged."""
    records = dict(world.records)
    for kind in bad.kinds:
        name, _, most = kind.partition("*")
        if name in DATA_FAULTS:
            vendor, stream, fault = DATA_FAULTS[name]
            wanted = int(most) if most else None
            fresh = _faulty(records.get((vendor, stream), {}), bad.day, fault, wanted)
            records[vendor, stream] = {**records.get((vendor, stream), {}), **fresh}
            if vendor == "stripe":
                records[vendor, "events"] = {**records[vendor, "events"], **_events(stream, fresh)}
            continue
        verb, _, name = kind.partition(":")
        vendor, _, stream = name.partition("/")
        records.pop((vendor, stream), None)
        if verb == "emptied":
            records[vendor, stream] = {}
    faulty = copy.copy(world)
    object.__setattr__(faulty, "records", records)
    return faulty


def _faulty(
    stream: dict[str, list[Any]], day: date, fault: Callable[[Doc], bool], wanted: int | None
) -> dict[str, list[Any]]:
    """Return the records with a version of ``day``, made faulty; at most ``wanted`` of them.

    Where fewer records changed on that day, change others; without ``wanted``, change at least one.
    """
    start = datetime.combine(day, time(), tzinfo=UTC)
    end = start + timedelta(days=1)
    fresh: dict[str, list[Any]] = {}
    for record_id, versions in stream.items():
        if any(start <= version.at < end for version in versions):
            changed = [_apply(v, fault) if start <= v.at < end else v for v in versions]
            if any(after is not before for after, before in zip(changed, versions, strict=True)):
                fresh[record_id] = changed
    if len(fresh) >= (wanted or 1):
        return dict(islice(fresh.items(), wanted))
    rest = {key: versions for key, versions in stream.items() if key not in fresh}
    return fresh | _made(rest, start, fault, (wanted or 1) - len(fresh))


def _apply(version: Any, fault: Callable[[Doc], bool]) -> Any:
    doc = copy.deepcopy(version.doc)
    return replace(version, doc=doc) if fault(doc) else version


def _made(
    stream: dict[str, list[Any]], start: datetime, fault: Callable[[Doc], bool], wanted: int
) -> dict[str, list[Any]]:
    """Change the first records that can carry the fault, where none changed on the day itself."""
    made: dict[str, list[Any]] = {}
    for record_id, versions in stream.items():
        earlier = [version for version in versions if version.at < start]
        if not earlier or earlier[-1].deleted:
            continue
        faulty = _apply(earlier[-1], fault)
        if faulty is not earlier[-1]:
            at = start + timedelta(hours=12)
            later = [version for version in versions if version.at >= start]
            changed = replace(faulty, at=at, doc=_stamp(faulty.doc, at))
            made[record_id] = [*earlier, changed, *later]
            if len(made) == wanted:
                return made
    raise ValueError(f"no record before {start.date()} can carry the fault {fault.__name__}")


def _events(stream: str, fresh: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return the Stripe events of these versions; an event with a known id replaces the old one."""
    noun, events = SHAPES[stream][2], {}
    for key, versions in fresh.items():
        for place, version in enumerate(versions):
            before = versions[place - 1] if place else None
            event = event_of(key, place, version, before, noun)
            events[event["id"]] = [replace(version, doc=event)]
    return events


def _stamp(doc: Doc, at: datetime) -> Doc:
    """Set the modification timestamps of a changed record, where the vendor has such fields."""
    if "updatedAt" in doc:
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        doc["updatedAt"] = stamp
        for name in ("hs_lastmodifieddate", "lastmodifieddate"):
            if name in doc["properties"]:
                doc["properties"][name] = stamp
    if "submitted_at" in doc:
        doc["submitted_at"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return doc


class DataFaultsFile:
    """Read data faults from ``data_faults.json`` in the state folder; no file means no faults."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[int, DataFaults | None] = (0, None)

    def __call__(self) -> DataFaults | None:
        try:
            changed = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if changed != self._read[0]:
            found = json.loads(self.path.read_text())
            day = DataFaults(date.fromisoformat(found["day"]), tuple(found["kinds"]))
            self._read = (changed, day)
        return self._read[1]

    def switch_on(self, day: date, kinds: Iterable[str] = DEFAULT_KINDS) -> None:
        """Inject faults into ``day`` from the next request on.

        Raises ValueError for an unknown kind.
        """
        bad = DataFaults(day, tuple(kinds))
        write_atomically(self.path, json.dumps({"day": str(bad.day), "kinds": list(bad.kinds)}))

    def switch_off(self) -> None:
        """Serve the original data from the next request on."""
        self.path.unlink(missing_ok=True)
