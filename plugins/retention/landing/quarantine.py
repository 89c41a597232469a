"""Quarantine: keep each rejected row or part once, until a valid version of its record arrives."""

from __future__ import annotations

from retention.landing.load import Load

# A repeated load rejects the same rows again. Only copies beyond the open ones are written:
# a file with a bad row twice keeps both, and a re-run adds none.
_KEEP = """
insert into ops.quarantine
    (load_id, source, stream, record_id, position, code, reason, raw, path, loaded_at)
with numbered as (
    select *, row_number() over (partition by identity, code, digest, part order by seq) as copy
    from (
        select *, coalesce(record_id, '') as identity, coalesce(path, '') as part,
            sha256(convert_to(raw, 'UTF8')) as digest
        from rejects
    ) as hashed
),
held as (
    select
        coalesce(record_id, '') as identity, code, sha256(convert_to(raw, 'UTF8')) as digest,
        coalesce(path, '') as part, count(*) as copies
    from ops.quarantine
    where source = %(source)s and stream = %(stream)s and resolved_at is null
    group by 1, 2, 3, 4
)
select %(load_id)s, %(source)s, %(stream)s, record_id, position, code, reason, raw,
    path, %(loaded_at)s
from numbered
left join held using (identity, code, digest, part)
-- Overlapping pages show one record twice, each time with the same part.
where copy > coalesce(copies, 0) and (path is null or copy = 1)
order by seq
"""
_RESOLVE = """
update ops.quarantine as held
set resolved_at = %(loaded_at)s
where held.source = %(source)s and held.stream = %(stream)s and held.resolved_at is null
    and held.record_id is not null
    and exists (select from incoming where incoming.record_id = held.record_id)
    and not exists (
        select from rejects
        where rejects.record_id = held.record_id
            and (rejects.path is null or rejects.path = held.path)
    )
"""


def keep(load: Load) -> None:
    """Write the transaction's ``rejects``; resolve records that are valid in ``incoming``."""
    values = {
        "load_id": load.load_id,
        "source": load.source,
        "stream": load.stream,
        "loaded_at": load.commit_time(),
    }
    load.conn.execute(_KEEP, values)
    load.conn.execute(_RESOLVE, values)
