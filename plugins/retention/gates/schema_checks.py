"""Schema checks of loaded streams: missing streams and fields, values not of their type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from psycopg import sql
from pydantic import BaseModel

from retention.gates import raw_checks
from retention.gates.load_checks import Arrived, row
from retention.gates.report import Outcome
from retention.suites import Suite


def stream_has_not_vanished(conn: psycopg.Connection, arrived: Arrived) -> Iterator[Outcome]:
    """Fail when a full load has no record, or when no live record is left: an outage."""
    full, seen, before = row(
        conn,
        """
        select window_start is null, records_seen,
            (
                select coalesce(sum(earlier.records_seen), 0)::bigint from ops.loads as earlier
                where earlier.source = loads.source and earlier.stream = loads.stream
                    and earlier.status = 'done' and earlier.load_id < loads.load_id
            )
        from ops.loads
        where source = %s and stream = %s and status = 'done'
        order by load_id desc limit 1
        """,
        arrived.keys,
    )
    emptied = full and seen == 0 and before > 0
    extinct = before + seen > 0 and not _something_lives(conn, arrived)
    yield Outcome(
        arrived.suite_name,
        "stream_has_not_vanished",
        "critical",
        not (emptied or extinct),
        checked=seen,
        notes="A stream that had records still has some.",
        observed={"full_listing": full, "records": seen, "records_before": before},
    )


def _something_lives(conn: psycopg.Connection, arrived: Arrived) -> bool:
    if arrived.stream.kind == "usage":
        return True
    table = sql.Identifier("raw", f"{arrived.source.name}_{arrived.stream.name}")
    query = sql.SQL(
        """
        select exists (
            select from {table} as version
            where not deleted and not exists (
                select from {table} as newer
                where newer.record_id = version.record_id
                    and newer.version_id > version.version_id
            )
        ) or not exists (select from {table})
        """
    ).format(table=table)
    return bool(row(conn, query)[0])


def documented_fields_arrived(
    conn: psycopg.Connection, arrived: Arrived, suite: Suite
) -> Iterator[Outcome]:
    """Yield a failed outcome per required field missing from the newest load, else one success."""
    missing = conn.execute(
        "select path from ops.drift where kind = 'gone' and load_id = ("
        " select max(load_id) from ops.loads where source = %s and stream = %s"
        " and status = 'done' and records_seen > 0) order by path",
        arrived.keys,
    ).fetchall()
    required = required_paths(suite, arrived.stream.record)
    lost = [path for (path,) in missing if path in required]
    for path in lost:
        yield Outcome(
            arrived.suite_name,
            "documented_fields_arrived",
            "critical",
            False,
            column=path,
            notes="A required field is missing from every document of the newest load.",
        )
    if not lost:
        yield Outcome(
            arrived.suite_name,
            "documented_fields_arrived",
            "critical",
            True,
            checked=len(required),
            notes="Every required field is present.",
            observed={"other_fields_gone": len(missing)},
        )


def required_paths(suite: Suite, record: type[BaseModel]) -> set[str]:
    """Return the dotted paths of the suite's required columns and the contract's fields."""
    declared = {_dotted(column.path) for column in suite.columns.values() if column.required}
    return declared | set(_required_fields(record, ()))


def _dotted(path: Sequence[str | int]) -> str:
    """Format the path as in ``ops.drift``, where every array index is ``[]``."""
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def _required_fields(record: type[BaseModel], above: Sequence[str]) -> Iterator[str]:
    for name, info in record.model_fields.items():
        if not info.is_required():
            continue
        path = (*above, info.alias or name)
        yield ".".join(path)
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _required_fields(info.annotation, path)


def unreadable(conn: psycopg.Connection, suite: Suite, query: str) -> Iterator[Outcome]:
    """Count, per typed column, the texts that are not of its type."""
    typed = {n: c for n, c in suite.columns.items() if c.type not in ("text", "count")}
    if not typed:
        return
    counts = conn.execute(raw_checks.unreadable(typed, query)).fetchone() or ()
    for (name, column), unexpected in zip(typed.items(), counts[1:], strict=True):
        yield Outcome(
            suite.name,
            "values_read_as_their_type",
            column.unreadable,
            unexpected == 0,
            column=name,
            unexpected=unexpected,
            checked=counts[0],
            notes=column.notes or f"Every value is a valid {column.type}.",
        )
