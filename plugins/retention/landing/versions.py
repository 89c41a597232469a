"""Select the rows of a batch that are new versions and write them to the raw table."""

from __future__ import annotations

from typing import LiteralString, cast

from psycopg import sql

from retention.errors import ExtractionError
from retention.landing.load import Load
from retention.source import Stream

# A listing that lacks a larger share of live records counts as an outage, not as deletions.
DELETE_RATE = 0.2
FEW_DELETES = 3

# The incoming rows that are new versions. `known` is false for a new record.
_CHOOSE = """
create temporary table chosen on commit drop as
with placed as (
    select
        incoming.seq, incoming.record_id, incoming.content_hash, incoming.deleted,
        -- a tombstone without a time ends the version it finds
        coalesce(
            incoming.source_updated_at,
            case when incoming.deleted then newest.source_updated_at end
        ) as source_updated_at,
        newest.content_hash is not null as known,
        newest.source_updated_at as newest_at,
        newest.content_hash as newest_hash,
        newest.deleted as newest_deleted
    from incoming
    left join lateral (
        select version.content_hash, version.deleted, version.source_updated_at
        from {table} as version
        where version.record_id = incoming.record_id
        order by version.source_updated_at desc nulls last,
            version.loaded_at desc, version.version_id desc
        limit 1
    ) as newest on true
)
select seq, record_id, source_updated_at, known
from placed
where case
    when not known then true
    -- an old copy without a time cannot be placed in the record's history
    when %(backfill)s and source_updated_at is null then false
    when source_updated_at is not distinct from newest_at
        then (content_hash, deleted) is distinct from (newest_hash, newest_deleted)
    else not exists (
        select from {table} as version
        where version.record_id = placed.record_id
            and version.source_updated_at is not distinct from placed.source_updated_at
            and version.content_hash = placed.content_hash
            and version.deleted = placed.deleted
    )
end
"""
# Two different rows of one batch with the same id and change time are a contradiction; the
# first is kept. The same row twice (overlapping pages) is none, and neither is a tombstone
# beside the record it ends; of that pair only the tombstone is kept.
_CONTRADICTIONS = """
with ranked as (
    select
        seq,
        row_number() over same_moment as place,
        content_hash != first_value(content_hash) over same_moment
            and deleted = first_value(deleted) over same_moment as differs,
        first_value(position) over same_moment as first_position
    from incoming
    window same_moment as (partition by record_id, source_updated_at order by deleted desc, seq)
),
doubles as (
    delete from incoming using ranked
    where incoming.seq = ranked.seq and ranked.place > 1
    returning
        incoming.seq, incoming.record_id, incoming.position, incoming.doc, differs, first_position
)
insert into rejects (record_id, position, code, reason, raw)
select record_id, position, 'duplicate_id',
    'the same id has different content at ' || first_position, doc::text
from doubles where differs order by seq
"""
_INSERT = """
insert into {table}
    (record_id, content_hash, source_updated_at, loaded_at, deleted, load_id, doc)
select incoming.record_id, incoming.content_hash, chosen.source_updated_at, %(loaded_at)s,
    incoming.deleted, %(load_id)s, incoming.doc
from chosen
inner join incoming using (seq)
order by seq
"""
# The live records of the table that a complete listing lacks.
_ABSENT = """
create temporary table absent on commit drop as
select newest.version_id
from (
    select distinct on (record_id) record_id, version_id, deleted
    from {table}
    order by record_id, source_updated_at desc nulls last, loaded_at desc, version_id desc
) as newest
where not newest.deleted
    and not exists (select from incoming where incoming.record_id = newest.record_id)
    and not exists (select from rejects where rejects.record_id = newest.record_id)
"""
# A record that only an old listing contains was deleted before the newer one.
_GONE_BEFORE = """
create temporary table absent on commit drop as
select version.version_id
from {table} as version
inner join chosen using (record_id)
where version.load_id = %(load_id)s and not chosen.known and not version.deleted
"""
_TOMBSTONES = """
insert into {table}
    (record_id, content_hash, source_updated_at, loaded_at, deleted, load_id, doc)
select record_id, content_hash, source_updated_at, %(loaded_at)s, true, %(load_id)s, doc
from {table}
where version_id in (select version_id from absent)
order by version_id
"""
_LIVE_COUNT = """
select count(*) from (
    select distinct on (record_id) deleted from {table}
    order by record_id, source_updated_at desc nulls last, loaded_at desc, version_id desc
) as newest where not deleted
"""


def reject_contradictions(load: Load) -> int:
    """Move all but the first of contradicting rows into ``rejects``; return their number."""
    return load.conn.execute(_CONTRADICTIONS).rowcount


def write(load: Load, stream: Stream, table: sql.Identifier, *, complete: bool) -> None:
    """Write the new versions of ``incoming`` and tombstones for records a listing lacks.

    Raises ExtractionError (delete_guard) when a listing lacks implausibly many records.
    """
    # Select before taking the commit time, which makes other commits wait.
    _execute(load, _CHOOSE, table, backfill=load.is_backfill)
    if complete and not load.is_backfill:
        absent = _execute(load, _ABSENT, table)
        _require_plausible(load, stream, table, absent)
    load.commit_time()
    load.versions_written = _execute(load, _INSERT, table)
    if complete:
        if load.is_backfill:
            _execute(load, _GONE_BEFORE, table)
        load.versions_written += _execute(load, _TOMBSTONES, table)


def _execute(load: Load, query: LiteralString, table: sql.Identifier, **more: object) -> int:
    values = {"load_id": load.load_id, "loaded_at": load.loaded_at, **more}
    return load.conn.execute(sql.SQL(query).format(table=table), values).rowcount


def _require_plausible(load: Load, stream: Stream, table: sql.Identifier, absent: int) -> None:
    rate = float(stream.extra.get("delete_rate", DELETE_RATE))
    if not absent:
        return
    row = load.conn.execute(sql.SQL(_LIVE_COUNT).format(table=table)).fetchone()
    live = cast("int", row[0]) if row else 0
    if load.records_seen == 0 or absent > max(FEW_DELETES, rate * live):
        raise ExtractionError(
            f"the complete listing lacks {absent} of {live} live records.",
            code="delete_guard",
            where=load.where,
            hint="Nothing was deleted. If they were deleted at the source, raise the stream's"
            " delete_rate.",
        )
