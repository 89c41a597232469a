"""One bad day: the same world with poison in what changed on a given day.

The servers apply it at the wire while the day is switched on, from that day on; switched
off, they show the world as it was, which is what a vendor's repair looks like.
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
class BadDay:
    """``BadDay(date(2026, 7, 1), ("nps_eleven", "vanished:hubspot/tickets"))``.

    Kinds: the names in POISONS, each with ``*3`` behind it for three records, and
    ``vanished:<vendor>/<stream>`` (the stream no longer exists) or
    ``emptied:<vendor>/<stream>`` (it exists and has no rows).
    """

    day: date
    kinds: tuple[str, ...] = DEFAULT_KINDS

    def __post_init__(self) -> None:
        for kind in self.kinds:
            name = kind.partition("*")[0]
            if name not in POISONS and kind.partition(":")[0] not in ("vanished", "emptied"):
                known = ", ".join(POISONS)
                raise ValueError(f"no poison {kind!r}; there are {known}, vanished:, emptied:")


def score_eleven(doc: Doc) -> bool:
    """Turn the answers on a scale of 0 to 10 of an NPS response into 11."""
    if doc.get("form_id") != "nps":
        return False
    for answer in doc.get("answers") or ():
        if answer.get("type") == "number":
            answer["number"] = 11
            return True
    return False


def negate_prices(doc: Doc) -> bool:
    """Give every item of a subscription a negative price."""
    return _reprice(doc, lambda amount: -abs(amount))


def unknown_currency(doc: Doc) -> bool:
    """Bill an invoice in a currency that does not exist."""
    doc["currency"] = "xqq"
    return True


def orphan(doc: Doc) -> bool:
    """Bill an invoice to a customer that nobody knows."""
    doc["customer"] = "cus_nobody"
    return True


def inflate_prices(doc: Doc) -> bool:
    """Make every item of a subscription a thousand times dearer, as a wrong unit does."""
    return _reprice(doc, lambda amount: amount * 1000)


def _reprice(doc: Doc, change: Callable[[int], int]) -> bool:
    """Change every amount there is, in both of the faces that a price has."""
    touched = False
    for item in (doc.get("items") or {}).get("data", ()):
        for name, price in (("unit_amount", item.get("price")), ("amount", item.get("plan"))):
            if price and price.get(name):
                price[name] = change(price[name])
                price |= {"unit_amount_decimal": str(price[name])} if name == "unit_amount" else {}
                touched = True
    return touched


def future_signup(doc: Doc) -> bool:
    """Let a company have signed up in a far future."""
    doc["properties"]["createdate"] = doc["createdAt"] = "2091-01-01T00:00:00.000Z"
    return True


def impossible_date(doc: Doc) -> bool:
    """Put a date into a company that no calendar has."""
    doc["properties"]["createdate"] = "2026-02-30T00:00:00.000Z"
    return True


def nul_in_text(doc: Doc) -> bool:
    """Put a NUL character into the subject of a ticket, which Postgres cannot store."""
    doc["properties"]["subject"] = f"{doc['properties'].get('subject') or ''}\x00"
    return True


POISONS: dict[str, tuple[str, str, Callable[[Doc], bool]]] = {
    "nps_eleven": ("typeform", "responses", score_eleven),
    "negative_price": ("stripe", "subscriptions", negate_prices),
    "unknown_currency": ("stripe", "invoices", unknown_currency),
    "orphan_invoices": ("stripe", "invoices", orphan),
    "inflated_prices": ("stripe", "subscriptions", inflate_prices),
    "future_signup": ("hubspot", "companies", future_signup),
    "impossible_date": ("hubspot", "companies", impossible_date),
    "nul_in_text": ("hubspot", "tickets", nul_in_text),
}


def poison(world: Any, bad: BadDay) -> Any:
    """``world`` with the poison of ``bad``; the world handed in is left as it was."""
    records = dict(world.records)
    for kind in bad.kinds:
        name, _, most = kind.partition("*")
        if name in POISONS:
            vendor, stream, spoil = POISONS[name]
            wanted = int(most) if most else None
            fresh = _spoiled(records.get((vendor, stream), {}), bad.day, spoil, wanted)
            records[vendor, stream] = {**records.get((vendor, stream), {}), **fresh}
            if vendor == "stripe":
                records[vendor, "events"] = {**records[vendor, "events"], **_told(stream, fresh)}
            continue
        verb, _, name = kind.partition(":")
        vendor, _, stream = name.partition("/")
        records.pop((vendor, stream), None)
        if verb == "emptied":
            records[vendor, stream] = {}
    poisoned = copy.copy(world)
    object.__setattr__(poisoned, "records", records)
    return poisoned


def _spoiled(
    stream: dict[str, list[Any]], day: date, spoil: Callable[[Doc], bool], wanted: int | None
) -> dict[str, list[Any]]:
    """The records with a version of ``day``, spoiled, or ``wanted`` of them.

    Where there are fewer, the rest is made; where none is and no number wanted, one.
    """
    start = datetime.combine(day, time(), tzinfo=UTC)
    end = start + timedelta(days=1)
    fresh: dict[str, list[Any]] = {}
    for record_id, versions in stream.items():
        if any(start <= version.at < end for version in versions):
            changed = [_spoil(v, spoil) if start <= v.at < end else v for v in versions]
            if any(after is not before for after, before in zip(changed, versions, strict=True)):
                fresh[record_id] = changed
    if len(fresh) >= (wanted or 1):
        return dict(islice(fresh.items(), wanted))
    rest = {key: versions for key, versions in stream.items() if key not in fresh}
    return fresh | _made(rest, start, spoil, (wanted or 1) - len(fresh))


def _spoil(version: Any, spoil: Callable[[Doc], bool]) -> Any:
    doc = copy.deepcopy(version.doc)
    return replace(version, doc=doc) if spoil(doc) else version


def _made(
    stream: dict[str, list[Any]], start: datetime, spoil: Callable[[Doc], bool], wanted: int
) -> dict[str, list[Any]]:
    """On a day without changes of its own, the first records that can be spoiled change."""
    made: dict[str, list[Any]] = {}
    for record_id, versions in stream.items():
        earlier = [version for version in versions if version.at < start]
        if not earlier or earlier[-1].deleted:
            continue
        spoiled = _spoil(earlier[-1], spoil)
        if spoiled is not earlier[-1]:
            at = start + timedelta(hours=12)
            later = [version for version in versions if version.at >= start]
            changed = replace(spoiled, at=at, doc=_stamp(spoiled.doc, at))
            made[record_id] = [*earlier, changed, *later]
            if len(made) == wanted:
                return made
    raise ValueError(f"nothing before {start.date()} can carry the poison {spoil.__name__}")


def _told(stream: str, fresh: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The events that tell of these versions; one known by its id is told anew."""
    noun, told = SHAPES[stream][2], {}
    for key, versions in fresh.items():
        for place, version in enumerate(versions):
            before = versions[place - 1] if place else None
            event = event_of(key, place, version, before, noun)
            told[event["id"]] = [replace(version, doc=event)]
    return told


def _stamp(doc: Doc, at: datetime) -> Doc:
    """A record that changes says so, where the vendor has a field for it."""
    if "updatedAt" in doc:
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        doc["updatedAt"] = stamp
        for name in ("hs_lastmodifieddate", "lastmodifieddate"):
            if name in doc["properties"]:
                doc["properties"][name] = stamp
    if "submitted_at" in doc:
        doc["submitted_at"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return doc


class BadDayFile:
    """The switch ``bad_day.json`` in the state folder; no file, no bad day."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[int, BadDay | None] = (0, None)

    def __call__(self) -> BadDay | None:
        try:
            changed = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if changed != self._read[0]:
            found = json.loads(self.path.read_text())
            day = BadDay(date.fromisoformat(found["day"]), tuple(found["kinds"]))
            self._read = (changed, day)
        return self._read[1]

    def switch_on(self, day: date, kinds: Iterable[str] = DEFAULT_KINDS) -> None:
        """Poison ``day`` from the next request on; raises ValueError for an unknown kind."""
        bad = BadDay(day, tuple(kinds))
        write_atomically(self.path, json.dumps({"day": str(bad.day), "kinds": list(bad.kinds)}))

    def switch_off(self) -> None:
        """Show the world unpoisoned from the next request on."""
        self.path.unlink(missing_ok=True)
