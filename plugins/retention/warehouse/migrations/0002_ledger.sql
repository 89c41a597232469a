-- What was loaded, when, by which run, and what did not pass. The loader owns all of it.

set local role loader;

create table if not exists ops.loads (
    load_id bigint generated always as identity primary key,
    source text not null,
    stream text not null,
    window_start timestamptz,
    window_end timestamptz not null,
    status text not null check (status in ('running', 'done', 'failed')),
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    loaded_at timestamptz,
    records_seen bigint not null default 0,
    versions_written bigint not null default 0,
    rejected bigint not null default 0,
    sanitised bigint not null default 0,
    requests bigint,
    control_total numeric,
    error_code text,
    error text,
    run_id text not null default ''
);
comment on table ops.loads is 'One row per attempt to load one window of one stream.';
create index if not exists loads_by_stream on ops.loads (source, stream, load_id desc);

create table if not exists ops.cursors (
    source text not null,
    stream text not null,
    cursor_at timestamptz not null,
    primary key (source, stream)
);
comment on table ops.cursors is 'Up to when each stream is complete; moves in the transaction of its rows.';

create table if not exists ops.quarantine (
    quarantine_id bigint generated always as identity primary key,
    load_id bigint not null references ops.loads,
    source text not null,
    stream text not null,
    record_id text,
    position text not null,
    code text not null,
    reason text not null,
    raw text not null,
    loaded_at timestamptz not null,
    resolved_at timestamptz
);
comment on table ops.quarantine is 'Rows that could not become records, whole, with the reason.';
comment on column ops.quarantine.resolved_at is 'When a later load brought this record in good order.';
create index if not exists quarantine_open on ops.quarantine (source, stream, record_id)
where resolved_at is null;

create table if not exists ops.drift (
    load_id bigint not null references ops.loads,
    source text not null,
    stream text not null,
    path text not null,
    kind text not null check (kind in ('new', 'gone', 'type')),
    detail text not null,
    seen_at timestamptz not null
);
comment on table ops.drift is 'Changes in the shape of a source''s documents.';
create index if not exists drift_by_stream on ops.drift (source, stream, seen_at desc);

create table if not exists ops.stream_paths (
    source text not null,
    stream text not null,
    path text not null,
    types text[] not null,
    documents bigint not null,
    sampled bigint not null,
    primary key (source, stream, path)
);
comment on table ops.stream_paths is 'Every path seen in a stream''s documents: the memory behind ops.drift.';
comment on column ops.stream_paths.documents is 'In how many of the documents sampled while it existed it stood.';

create table if not exists ops.files (
    source text not null,
    stream text not null,
    name text not null,
    sha256 text not null,
    bytes bigint not null,
    load_id bigint not null references ops.loads,
    primary key (source, stream, name, sha256)
);
comment on table ops.files is 'Files already taken in, by content.';

create table if not exists ops.usage_days (
    source text not null,
    stream text not null,
    event_date date not null,
    load_id bigint not null references ops.loads,
    loaded_at timestamptz not null,
    events bigint not null,
    rows bigint not null,
    primary key (source, stream, event_date, load_id)
);
comment on table ops.usage_days is 'Each writing of a day of usage; readers take the newest one they may know.';

-- One row that every commit of new knowledge updates. Its row lock puts commits in the order of
-- their loaded_at, so a known_at already handed out never gains a row behind its back.
create table if not exists ops.commit_clock (
    only_row boolean primary key default true check (only_row),
    ticked_at timestamptz not null
);
insert into ops.commit_clock (ticked_at) values (clock_timestamp()) on conflict do nothing;

reset role;
