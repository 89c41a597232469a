-- What has left the warehouse: one row per channel, reader and day, so that nothing goes twice.

set local role loader;

create table if not exists ops.outbox (
    channel text not null,
    recipient text not null,
    as_of date not null,
    publish_id bigint not null,
    sha256 text not null,
    status text not null check (status in ('sending', 'sent', 'failed')),
    error text,
    attempted_at timestamptz not null default clock_timestamp(),
    primary key (channel, recipient, as_of)
);
comment on table ops.outbox is 'One row per channel, recipient and day of what was sent, with the hash of its content.';
comment on column ops.outbox.status is 'sending is noted before and sent after; a row that stays at sending was cut off in between, and nobody knows.';
grant select, insert, update on ops.outbox to publisher;

reset role;
