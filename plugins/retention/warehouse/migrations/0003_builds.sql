-- What was built, what the gates said, and what readers were shown.

set local role loader;

create table if not exists ops.builds (
    build_id bigint generated always as identity primary key,
    as_of date not null,
    known_at timestamptz not null,
    status text not null check (status in ('running', 'done', 'failed')),
    started_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    models jsonb,
    error text
);
comment on table ops.builds is 'One row per dbt build of the marts.';

create sequence if not exists ops.gate_run_ids;

create table if not exists ops.gate_results (
    gate_run_id bigint not null,
    build_id bigint references ops.builds,
    gate text not null check (gate in ('arrived', 'marts')),
    suite text not null,
    expectation text not null,
    column_name text,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    success boolean not null,
    observed jsonb,
    unexpected_count bigint,
    checked_count bigint,
    notes text,
    at timestamptz not null default clock_timestamp()
);
comment on table ops.gate_results is 'Every check of every gate run. Never a value of the data, only counts.';
create index if not exists gate_results_by_build on ops.gate_results (build_id, gate, gate_run_id);
create index if not exists gate_results_by_run on ops.gate_results (gate_run_id);

create table if not exists ops.mart_checksums (
    build_id bigint not null references ops.builds,
    mart text not null,
    rows bigint not null,
    checksum text not null,
    at timestamptz not null default clock_timestamp(),
    primary key (build_id, mart)
);
comment on table ops.mart_checksums is 'The content the marts gate looked at; publishing anything else is refused.';

create table if not exists ops.publishes (
    publish_id bigint generated always as identity primary key,
    build_id bigint not null references ops.builds,
    as_of date not null,
    known_at timestamptz not null,
    status text not null check (status in ('published', 'rolled_back', 'pruned')),
    published_at timestamptz not null,
    actor text not null,
    reason text not null,
    stale_sources text[] not null default '{}',
    marts jsonb not null default '{}'
);
comment on table ops.publishes is 'Everything readers were ever shown, and who let it out.';
comment on column ops.publishes.marts is 'Per mart: rows shown, rows added, rows closed.';

create table if not exists ops.pointer_moves (
    from_publish bigint not null,
    to_publish bigint not null,
    moved_at timestamptz not null default clock_timestamp(),
    actor text not null,
    reason text not null
);
comment on table ops.pointer_moves is 'Each move of the pointer: publishes and rollbacks.';

reset role;
