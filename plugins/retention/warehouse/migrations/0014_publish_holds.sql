-- A rollback holds: the rejected publish does not come back until a person lifts the hold or new
-- records arrive.

create table if not exists ops.publish_holds (
    hold_id bigint generated always as identity primary key,
    rejected_publish bigint not null,
    rejected_known_at timestamptz not null,
    held_at timestamptz not null default clock_timestamp(),
    actor text not null,
    reason text not null,
    lifted_at timestamptz,
    lifted_by text,
    lift_reason text
);
comment on table ops.publish_holds is 'One row for each rollback that holds; lifted_at is null while it does.';
create unique index if not exists publish_holds_active on ops.publish_holds ((true))
where lifted_at is null;
grant select on ops.publish_holds to loader, transformer;
grant select, insert, update on ops.publish_holds to publisher;

set local role publisher;

create or replace view publish.hold as
select
    publish_holds.held_at as held_since,
    publish_holds.reason as hold_reason
from ops.publish_holds
where publish_holds.lifted_at is null;
grant select on publish.hold to loader;
comment on view publish.hold is 'One row while a rollback holds the publish that readers see; else none.';
comment on column publish.hold.held_since is 'Time of the rollback.';
comment on column publish.hold.hold_reason is 'Reason of the rollback; empty if none was given.';
comment on column publish.as_of.publish_id is 'Number of the publish that the other tables show.';
comment on column publish.as_of.build_id is 'Build that was published.';
comment on column publish.as_of.as_of is 'Last complete day in the tables, UTC, inclusive.';
comment on column publish.as_of.known_at is 'Records loaded up to this time are in the tables.';
comment on column publish.as_of.published_at is 'Time of the publish.';
comment on column publish.as_of.stale_sources is 'Sources that were incomplete at the end of as_of.';

reset role;
