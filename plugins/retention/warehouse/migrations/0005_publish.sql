-- What readers see: views over stamped rows, filtered by one pointer row.

set local role publisher;

create table if not exists published.pointer (
    only_row boolean primary key default true check (only_row),
    publish_id bigint not null
);
comment on table published.pointer is 'The publish every reader sees; publishing and rolling back update this row.';
insert into published.pointer (publish_id) values (0) on conflict do nothing;

reset role;

-- Who may read and write which table of ops. Quarantined rows are raw personal data: their
-- text is for the loader and the eraser alone.
grant select on ops.migrations to loader, transformer, publisher;
grant select on ops.loads, ops.cursors, ops.drift, ops.stream_paths, ops.files, ops.usage_days,
    ops.builds, ops.gate_results, ops.mart_checksums, ops.publishes, ops.pointer_moves
to transformer, publisher, eraser;
grant select (
    quarantine_id, load_id, source, stream, record_id, position, code, reason, loaded_at,
    resolved_at
) on ops.quarantine to transformer, publisher;
grant select, delete on ops.quarantine to eraser;
grant insert, update on ops.builds to transformer;
grant insert on ops.gate_results to transformer, publisher;
grant insert, update, delete on ops.mart_checksums to transformer, publisher;
grant usage on sequence ops.gate_run_ids to transformer, publisher;
grant insert, update on ops.publishes to publisher;
grant insert on ops.pointer_moves to publisher;

set local role publisher;

create or replace view publish.as_of as
select
    publishes.publish_id,
    publishes.build_id,
    publishes.as_of,
    publishes.known_at,
    publishes.published_at,
    publishes.stale_sources
from ops.publishes
inner join published.pointer on publishes.publish_id = pointer.publish_id;
grant select on publish.as_of to loader;
comment on view publish.as_of is 'One row: which publish the other tables show, and how fresh it is.';

reset role;
