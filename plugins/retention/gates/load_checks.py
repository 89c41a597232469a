"""Checks of every loaded stream besides its suite: raw rows against the load log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import psycopg
from psycopg import sql

from retention.gates.report import Outcome
from retention.source import Source, Stream

# A vendor may send a few bad rows; 5 % is a broken feed. Landing has the same limit.
QUARANTINE_RATE = 0.05
# Clocks of two machines differ by seconds; a cursor further ahead would skip records.
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Arrived:
    """One stream of an enabled source; ``since`` is the ``known_at`` of the last publish."""

    source: Source
    stream: Stream
    since: datetime | None

    @property
    def name(self) -> str:
        return f"{self.source.name}.{self.stream.name}"

    @property
    def suite_name(self) -> str:
        return f"raw_{self.source.name}_{self.stream.name}"

    @property
    def keys(self) -> list[Any]:
        return [self.source.name, self.stream.name]


def last_seen(conn: psycopg.Connection) -> datetime | None:
    """Return the newest ``known_at`` of any publish; None before the first."""
    return cast("datetime | None", _value(conn, "select max(known_at) from ops.publishes"))


def streams_with_loads(conn: psycopg.Connection) -> set[tuple[str, str]]:
    """Return the (source, stream) pairs with at least one finished load."""
    rows = conn.execute("select distinct source, stream from ops.loads where status = 'done'")
    return {(source, stream) for source, stream in rows}


def newest_window_end(conn: psycopg.Connection) -> datetime:
    """Return the end of the newest loaded window of any stream."""
    end = _value(conn, "select max(window_end) from ops.loads where status = 'done'")
    return cast("datetime", end) if end else datetime(1970, 1, 1, tzinfo=UTC)


def source_arrived(source: Source, streams: int) -> Outcome:
    """Warn about a source without loads; it may be enabled before its account is connected."""
    return Outcome(
        f"raw_{source.name}",
        "source_arrived",
        "warning",
        streams > 0,
        checked=streams,
        notes="The source has finished at least one load of one stream.",
    )


def something_arrived(streams: int) -> Outcome:
    """Fail when no stream has a finished load: there is nothing to build from."""
    return Outcome(
        "raw",
        "something_arrived",
        "critical",
        streams > 0,
        checked=streams,
        notes="At least one stream of one source has finished a load.",
    )


def has_rows(conn: psycopg.Connection, query: str) -> bool:
    """Return whether the query has rows; True as well when it cannot be evaluated."""
    try:
        with conn.transaction():
            return bool(_value(conn, f"select exists ({query})"))
    except psycopg.Error:
        return True


def outcomes(
    conn: psycopg.Connection, arrived: Arrived, complete_to: datetime
) -> Iterator[Outcome]:
    """Yield all checks of one stream; ``complete_to`` is the end of the day to build."""
    yield _rows_match_the_load_log(conn, arrived)
    yield _quarantine_is_small(conn, arrived)
    yield _values_fit_the_contract(conn, arrived)
    yield _stream_is_fresh(conn, arrived, complete_to)
    yield _cursor_is_not_ahead(conn, arrived)


def _rows_match_the_load_log(conn: psycopg.Connection, arrived: Arrived) -> Outcome:
    table = "usage_daily" if arrived.stream.kind == "usage" else arrived.stream.name
    query = sql.SQL(
        """
        with loads as (
            select load_id, versions_written from ops.loads
            where source = %s and stream = %s and status = 'done'
                and (%s::timestamptz is null or loaded_at > %s)
        )
        select count(*) filter (where coalesce(found.rows, 0) != versions_written),
            coalesce(sum(found.rows), 0)::bigint, coalesce(sum(versions_written), 0)::bigint
        from loads
        left join (
            select load_id, count(*) as rows from {table}
            where load_id in (select load_id from loads) group by load_id
        ) as found using (load_id)
        """
    ).format(table=sql.Identifier("raw", f"{arrived.source.name}_{table}"))
    wrong, rows, written = row(conn, query, [*arrived.keys, arrived.since, arrived.since])
    return Outcome(
        arrived.suite_name,
        "rows_match_the_load_log",
        "critical",
        wrong == 0,
        unexpected=abs(rows - written),
        checked=written,
        notes="The raw table has exactly the versions that the loads counted.",
        observed={"rows": rows, "load_log": written, "loads_that_differ": wrong},
    )


def _quarantine_is_small(conn: psycopg.Connection, arrived: Arrived) -> Outcome:
    limit = float(arrived.stream.extra.get("quarantine_rate", QUARANTINE_RATE))
    rejected, seen = row(
        conn,
        """
        select
            (
                select count(*) from ops.quarantine inner join ops.loads using (load_id)
                where loads.source = %(source)s and loads.stream = %(stream)s
                    and loads.status = 'done' and quarantine.resolved_at is null
                    and quarantine.path is null
                    and (%(since)s::timestamptz is null or loads.loaded_at > %(since)s)
            ),
            (
                select coalesce(sum(records_seen), 0)::bigint from ops.loads
                where source = %(source)s and stream = %(stream)s and status = 'done'
                    and (%(since)s::timestamptz is null or loaded_at > %(since)s)
            )
        """,
        {"source": arrived.source.name, "stream": arrived.stream.name, "since": arrived.since},
    )
    return Outcome(
        arrived.suite_name,
        "quarantine_is_small",
        "critical",
        rejected <= max(1, seen * limit),
        unexpected=rejected,
        checked=seen,
        notes=f"At most one row, or {limit:.1%} of the records seen, may be unreadable.",
        observed={"limit": limit},
    )


def _values_fit_the_contract(conn: psycopg.Connection, arrived: Arrived) -> Outcome:
    """Warn when a property is set aside so often that its type has probably changed."""
    found = conn.execute(
        r"""
        select regexp_replace(quarantine.path, '\.\d+( \(.*\))?$', '') as property,
            count(distinct quarantine.record_id) as records
        from ops.quarantine inner join ops.loads using (load_id)
        where loads.source = %(source)s and loads.stream = %(stream)s
            and loads.status = 'done' and quarantine.resolved_at is null
            and quarantine.path is not null
            and (%(since)s::timestamptz is null or loads.loaded_at > %(since)s)
        group by property order by records desc, property limit 5
        """,
        {"source": arrived.source.name, "stream": arrived.stream.name, "since": arrived.since},
    ).fetchall()
    (seen,) = row(
        conn,
        """
        select coalesce(sum(records_seen), 0)::bigint from ops.loads
        where source = %(source)s and stream = %(stream)s and status = 'done'
            and (%(since)s::timestamptz is null or loaded_at > %(since)s)
        """,
        {"source": arrived.source.name, "stream": arrived.stream.name, "since": arrived.since},
    )
    most = max((records for _, records in found), default=0)
    return Outcome(
        arrived.suite_name,
        "values_fit_the_contract",
        "warning",
        most <= max(1, seen * QUARANTINE_RATE),
        unexpected=most,
        checked=seen,
        notes=f"At most {QUARANTINE_RATE:.1%} of the records lack a value because it broke the"
        " contract. Correct the property at the source, or its type in the contract.",
        observed={"records_by_property": dict(found)},
    )


def _stream_is_fresh(conn: psycopg.Connection, arrived: Arrived, complete_to: datetime) -> Outcome:
    end = _value(
        conn,
        "select max(window_end) from ops.loads where source = %s and stream = %s"
        " and status = 'done'",
        arrived.keys,
    )
    late = complete_to - end > arrived.source.freshness
    return Outcome(
        arrived.suite_name,
        "stream_is_fresh",
        "warning",
        not late,
        notes=f"Loaded up to {end:%Y-%m-%d %H:%M}Z; the day ends {complete_to:%Y-%m-%d %H:%M}Z.",
        observed={"window_end": end.isoformat(), "complete_to": complete_to.isoformat()},
    )


def _cursor_is_not_ahead(conn: psycopg.Connection, arrived: Arrived) -> Outcome:
    cursor, end = row(
        conn,
        """
        select
            (select cursor_at from ops.cursors where source = %(source)s and stream = %(stream)s),
            (
                select max(window_end) from ops.loads
                where source = %(source)s and stream = %(stream)s and status = 'done'
            )
        """,
        {"source": arrived.source.name, "stream": arrived.stream.name},
    )
    ahead = cursor is not None and cursor > end + CLOCK_TOLERANCE
    return Outcome(
        arrived.suite_name,
        "cursor_is_not_ahead",
        "critical",
        not ahead,
        notes="The cursor is not later than the end of every load; it would skip records.",
        observed={"cursor": cursor.isoformat() if cursor else None},
    )


def row(conn: psycopg.Connection, query: Any, values: Any = None) -> tuple[Any, ...]:
    """Return the row of a query that always has exactly one."""
    found = conn.execute(query, values).fetchone()
    if found is None:
        raise LookupError("a query returned no row")
    return tuple(found)


def _value(conn: psycopg.Connection, query: str, values: Any = None) -> Any:
    return row(conn, query, values)[0]
