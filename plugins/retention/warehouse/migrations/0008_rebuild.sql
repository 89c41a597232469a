-- Where a past day is built again: beside what the next daily build goes on from.

do $$
declare
    name text;
begin
    foreach name in array
        array['rebuild_policy', 'rebuild_staging', 'rebuild_marts', 'rebuild_statistics']
    loop
        execute format('create schema if not exists %I', name);
        execute format('alter schema %I owner to transformer', name);
        execute format('revoke all on schema %I from public', name);
    end loop;
end
$$;

-- The publisher alone sees both what was published and what is compared with it.
grant usage on schema rebuild_marts to publisher;
alter default privileges for role transformer in schema rebuild_marts
    grant select on tables to publisher;
