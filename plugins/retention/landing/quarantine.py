"""Rows that could not become records: kept whole, once, until the record comes in good order."""

from __future__ import annotations

from retention.landing.load import Load

# Loading the same window again brings the same rows again; only what exceeds the copies that
# are still open is written, so a file with a bad row twice keeps both and a re-run adds none.
_KEEP = """
insert into ops.quarantine
    (load_id, source, stream, record_id, position, code, reason, raw, loaded_at)
with numbered as (
    select *, row_number() over (partition by identity, code, digest order by seq) as copy
    from (
        select *, coalesce(record_id, '') as identity, sha256(convert_to(raw, 'UTF8')) as digest
        from rejects
    ) as hashed
),
held as (
    select
        coalesce(record_id, '') as identity, code, sha256(convert_to(raw, 'UTF8')) as digest,
        count(*) as copies
    from ops.quarantine
    where source = %(source)s and stream = %(stream)s and resolved_at is null
    group by 1, 2, 3
)
select %(load_id)s, %(source)s, %(stream)s, record_id, position, code, reason, raw,
    %(loaded_at)s
from numbered
left join held using (identity, code, digest)
where copy > coalesce(copies, 0)
order by seq
"""
_RESOLVE = """
update ops.quarantine as held
set resolved_at = %(loaded_at)s
where held.source = %(source)s and held.stream = %(stream)s and held.resolved_at is null
    and held.record_id is not null
    and exists (select from incoming where incoming.record_id = held.record_id)
    and not exists (select from rejects where rejects.record_id = held.record_id)
"""


def keep(load: Load) -> None:
    """Write the transaction's ``rejects``, and resolve what ``incoming`` brought in good order."""
    values = {
        "load_id": load.load_id,
        "source": load.source,
        "stream": load.stream,
        "loaded_at": load.commit_time(),
    }
    load.conn.execute(_KEEP, values)
    load.conn.execute(_RESOLVE, values)
