"""SQL that presents raw documents as a typed table: new versions, or the newest ones.

Names come from declarations and suites, never from data; psycopg quotes the literals.
"""

# ruff: noqa: S608

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from psycopg import sql

from retention.source import Stream
from retention.suites import Column, Suite

_PLAIN = (
    "record_id",
    "version_id",
    "load_id",
    "source_updated_at",
    "loaded_at",
)
_USAGE = "event_date, account_key, user_key, subscription_key, feature, events, units"
# Safe casts: text that is not of the type becomes null, and `unreadable` counts it.
_CASTS = {
    "integer": "(select n::bigint from ops.try_numeric({0}) as n where n = trunc(n))",
    "numeric": "ops.try_numeric({0})",
    "boolean": "ops.try_boolean({0})",
    "date": "ops.try_date({0})",
    "timestamp": "ops.try_timestamptz({0})",
    "epoch": "to_timestamp(ops.try_numeric({0}))",
}
_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?\}")


def _loads(source: str, stream: str, since: datetime | None) -> str:
    """Return the query of the ids of a stream's finished loads after ``since``."""
    after = "" if since is None else f" and loaded_at > {_literal(since.isoformat())}"
    return (
        f"select load_id from ops.loads where source = {_literal(source)}"
        f" and stream = {_literal(stream)} and status = 'done'{after}"
    )


def arrived(suite: Suite, source: str, stream: Stream, since: datetime | None) -> str:
    """Return the typed query of the newest versions that the loads after ``since`` wrote.

    Grain: one row per record, without deleted ones. For a usage stream: the rows of the days
    that those loads wrote, each from its newest load.
    """
    rows = _rows(
        suite, source, stream, f"load_id = any(array({_loads(source, stream.name, since)}))"
    )
    # `offset 0`: a cast runs once per row and statement, not at each mention of its column.
    return rows if stream.kind == "usage" else f"{rows} offset 0"


def newest(suite: Suite, source: str, stream: Stream) -> str:
    """Return the typed query of the newest version of every record, or of every usage day."""
    return _rows(suite, source, stream, "true")


def expand(query: str, view: Callable[[str, str], str]) -> str:
    """Replace ``{tickets}`` or ``{stripe.invoices}`` by the newest rows of that stream.

    ``{batch}`` is left for Great Expectations. ``view`` gets source ('' for the suite's own)
    and stream.
    """

    def one(match: re.Match[str]) -> str:
        if match.group(0) == "{batch}":
            return "{batch}"
        source, stream = match.group(1), match.group(2)
        pair = (source, stream) if stream else ("", source)
        inner = view(*pair).replace("{", "{{").replace("}", "}}")
        return f"({inner}) as {pair[1]}"

    return _PLACE.sub(one, query)


def unreadable(typed: Mapping[str, Column], relation: str) -> str:
    """Return a query of one row: the row count, then per column the texts not of its type."""
    counts = "".join(
        f", count(*) filter (where {_text(column)} is not null and {_cast(column)} is null)"
        for column in typed.values()
    )
    return f"select count(*){counts} from ({relation}) as arrived"


def _rows(suite: Suite, source: str, stream: Stream, which: str) -> str:
    if stream.kind == "usage":
        return _usage(source, stream.name, which)
    return _typed(suite, f"raw.{source}_{stream.name}", which)


def _typed(suite: Suite, table: str, which: str) -> str:
    plain = ", ".join(_PLAIN)
    typed = "".join(f", {_cast(column)} as {_name(name)}" for name, column in suite.columns.items())
    return f"select {plain}, doc{typed} from ({_documents(table, which)}) as newest"


def _documents(table: str, which: str) -> str:
    return (
        f"select * from (select distinct on (record_id) * from {table} where {which}"
        " order by record_id, source_updated_at desc nulls last, loaded_at desc,"
        " version_id desc) as versions where not deleted"
    )


def _usage(source: str, stream: str, which: str) -> str:
    # `is true` prevents a nested loop per day: the planner underestimates the number of days.
    return (
        f"select {_USAGE} from raw.{source}_usage_daily where {which}"
        " and ((event_date, load_id) in (select distinct on (event_date) event_date, load_id"
        f" from ops.usage_days where source = {_literal(source)} and stream = {_literal(stream)}"
        f" and {which} order by event_date, loaded_at desc, load_id desc)) is true"
    )


def _text(column: Column) -> str:
    """Return SQL of the path as text; an empty string is a cleared field and so null."""
    *parents, last = (_step(part) for part in column.path)
    return f"nullif({'->'.join(['doc', *parents])}->>{last}, '')"


def _cast(column: Column) -> str:
    if column.type == "text":
        return _text(column)
    if column.type == "count":
        place = "->".join(["doc", *(_step(part) for part in column.path)])
        return f"case when jsonb_typeof({place}) = 'array' then jsonb_array_length({place}) end"
    return _CASTS[column.type].format(_text(column))


def _step(part: str | int) -> str:
    return str(part) if isinstance(part, int) else _literal(part)


def _literal(value: str) -> str:
    return sql.Literal(value).as_string(None)


def _name(value: str) -> str:
    return sql.Identifier(value).as_string(None)
