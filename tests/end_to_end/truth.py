"""What raw ought to hold: the simulator's truth in the shape in which the connectors ask for it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from psycopg import sql

from demo.company.world import Version, World
from retention.source import Source, Stream
from retention.warehouse import Warehouse
from retention.window import Window

Doc = dict[str, Any]
# A record's history: each state it was in, and whether that was the end of it.
History = dict[str, list[tuple[Doc | None, bool]]]


def comparable(stream: Stream, doc: Doc) -> Doc:
    """The document without what the vendors' paging and our own joining put around it."""
    kept = {name: value for name, value in doc.items() if name != "form_title"}
    asked = stream.extra.get("properties")
    if asked:
        properties = {name: value for name, value in doc["properties"].items() if name in asked}
        kept["properties"] = {name: value for name, value in properties.items() if value}
        kept["associations"] = {
            target: sorted({str(each["id"]) for each in linked["results"]})
            for target, linked in doc.get("associations", {}).items()
            if target in stream.extra["associations"]
        }
    for name in ("items", "lines"):
        if name in kept:
            kept[name] = kept[name]["data"]
    return kept


def true_docs(world: World, source: Source, stream: Stream, day: date) -> dict[str, Doc]:
    """The living records at the end of the day, as far as the connector asks for them."""
    seen = world.visible(source.name, stream.name, Window.of_day(day).end)
    return {
        key: comparable(stream, version.doc) for key, version in seen.items() if not version.deleted
    }


def visible_versions(
    world: World, source: Source, stream: Stream, loads: Iterable[date]
) -> History:
    """Every state of every record that was there to see at the end of one of the days.

    What a deleted record still says differs by vendor, so its end has no document here; one
    that was gone before the first load was never there to see.
    """
    found: History = {}
    newest: dict[str, Version] = {}
    for day in sorted(set(loads)):
        seen = world.visible(source.name, stream.name, Window.of_day(day).end)
        for key, version in seen.items():
            if newest.get(key) is version or (version.deleted and key not in newest):
                continue
            newest[key] = version
            doc = None if version.deleted else comparable(stream, version.doc)
            found.setdefault(key, []).append((doc, version.deleted))
    return found


def held_versions(wh: Warehouse, source: Source, stream: Stream) -> History:
    """Every version in raw, in the order of the record's history.

    A record of which raw knows only the end is left out: some vendors tell, others do not.
    """
    query = sql.SQL(
        "select record_id, doc, deleted from {}"
        " order by source_updated_at asc nulls first, loaded_at, version_id"
    ).format(sql.Identifier("raw", f"{source.name}_{stream.name}"))
    with wh.connect("loader") as conn:
        rows = conn.execute(query).fetchall()
    found: History = defaultdict(list)
    for key, doc, deleted in rows:
        found[key].append((None if deleted else comparable(stream, doc), deleted))
    return {key: states for key, states in found.items() if states != [(None, True)]}


def without_repeats(history: History) -> History:
    """Each state once in a row: a listing restates what it cannot date, as still so.

    Stripe's objects do not say when they changed; see ``retention.sources.stripe``.
    """
    return {key: [state for state, _ in groupby(states)] for key, states in history.items()}


UsageKey = tuple[date, str, str, str]
Usage = dict[UsageKey, tuple[int, Decimal | None, datetime, datetime]]


def true_usage(world: World, through: date) -> Usage:
    """Events, units, first and last per day, company, person and feature, each event once.

    Of an event that was sent again, what was received last counts, by the end of the day
    ``through``.
    """
    end = Window.of_day(through).end
    newest: dict[str, Doc] = {}
    for event in world.events.to_pylist():
        known = newest.get(event["uuid"])
        if event["received_at"] < end and (
            known is None or event["received_at"] >= known["received_at"]
        ):
            newest[event["uuid"]] = event
    grouped: dict[UsageKey, list[Doc]] = defaultdict(list)
    for event in newest.values():
        day = event["timestamp"].astimezone(UTC).date()
        key = (day, event["company_id"], event["distinct_id"], event["event"])
        grouped[key].append(event)
    return {key: _rolled_up(events) for key, events in grouped.items()}


def _rolled_up(events: list[Doc]) -> tuple[int, Decimal | None, datetime, datetime]:
    quantities = [json.loads(event["properties"]).get("quantity") for event in events]
    units = [Decimal(str(quantity)) for quantity in quantities if quantity is not None]
    times = [event["timestamp"] for event in events]
    return len(events), sum(units) if units else None, min(times), max(times)


def held_usage(wh: Warehouse) -> Usage:
    """The newest rollup of every day, as readers of raw are to take it."""
    with wh.connect("loader") as conn:
        rows = conn.execute(
            """
            select event_date, account_key, user_key, feature, events, units, first_at, last_at
            from raw.posthog_usage_daily
            inner join (
                select distinct on (event_date) event_date, load_id from ops.usage_days
                where source = 'posthog' and stream = 'events'
                order by event_date, loaded_at desc, load_id desc
            ) as newest using (event_date, load_id)
            """
        ).fetchall()
    return {(row[0], row[1], row[2], row[3]): (row[4], row[5], row[6], row[7]) for row in rows}
