-- Who may do what. Roles belong to the whole server, so every statement allows for a role that
-- is there already; grants inside the database follow in the scripts that make the objects.

do $$
declare
    wanted text;
begin
    foreach wanted in array array[
        'pipeline', 'loader', 'transformer', 'publisher', 'bi_reader', 'cs_reader', 'eraser'
    ] loop
        if not exists (select from pg_roles where rolname = wanted) then
            execute format('create role %I', wanted);
        end if;
        -- an administrator who is no superuser must be able to act as the roles it made
        if not pg_has_role(current_user, wanted, 'member') then
            execute format('grant %I to %I', wanted, current_user);
        end if;
    end loop;
end
$$;

alter role pipeline login noinherit;
alter role loader nologin noinherit;
alter role transformer nologin noinherit;
alter role publisher nologin noinherit;
alter role bi_reader login noinherit connection limit 40;
alter role cs_reader login noinherit connection limit 20;
alter role eraser login noinherit connection limit 2;

do $$
declare
    task text;
begin
    foreach task in array array['loader', 'transformer', 'publisher'] loop
        if not pg_has_role('pipeline', task, 'member') then
            execute format('grant %I to pipeline', task);
        end if;
    end loop;
end
$$;

-- A reader's forgotten query must not hold back vacuum or a migration for ever.
alter role bi_reader set default_transaction_read_only = on;
alter role bi_reader set statement_timeout = '120s';
alter role bi_reader set idle_in_transaction_session_timeout = '60s';
alter role cs_reader set default_transaction_read_only = on;
alter role cs_reader set statement_timeout = '120s';
alter role cs_reader set idle_in_transaction_session_timeout = '60s';

do $$
begin
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to pipeline, bi_reader, cs_reader, eraser', current_database());
    -- landing and dbt stage rows in temporary tables; readers get none
    execute format('grant temporary on database %I to loader, transformer, publisher, eraser', current_database());
    execute format('alter database %I set timezone = ''UTC''', current_database());
end
$$;

revoke all on schema public from public;

-- Large objects are a place to write that no schema grant covers.
do $$
declare
    routine regprocedure;
begin
    for routine in
        select oid::regprocedure from pg_proc
        where pronamespace = 'pg_catalog'::regnamespace
            and proname in ('lo_create', 'lo_creat', 'lo_from_bytea', 'lo_open', 'lo_put', 'lowrite')
    loop
        execute format('revoke execute on function %s from public', routine);
    end loop;
exception
    -- a managed server does not let its customer touch the catalogue
    when insufficient_privilege then
        raise notice 'large objects stay open to readers: not a superuser';
end
$$;

do $$
declare
    owned record;
begin
    for owned in
        select * from (values
            ('raw', 'loader'), ('ops', 'loader'),
            ('policy', 'transformer'), ('staging', 'transformer'), ('marts', 'transformer'),
            ('published', 'publisher'), ('publish', 'publisher'), ('people', 'publisher')
        ) as plan (name, keeper)
    loop
        execute format('create schema if not exists %I', owned.name);
        execute format('alter schema %I owner to %I', owned.name, owned.keeper);
        execute format('revoke all on schema %I from public', owned.name);
    end loop;
end
$$;

grant usage on schema raw to transformer, eraser;
grant usage on schema ops to transformer, publisher, eraser;
grant usage on schema policy, marts to publisher;
grant usage on schema published to eraser;
grant usage on schema publish to loader, transformer, bi_reader, cs_reader;
grant usage on schema people to cs_reader;

-- Grants by default, so that a table dbt drops and makes again is as readable as before.
alter default privileges for role loader in schema raw grant select on tables to transformer;
alter default privileges for role loader in schema raw grant select, delete on tables to eraser;
alter default privileges for role transformer in schema policy, marts
    grant select on tables to publisher;
alter default privileges for role publisher in schema published
    grant select, delete on tables to eraser;
alter default privileges for role publisher in schema publish
    grant select on tables to transformer, bi_reader, cs_reader;
alter default privileges for role publisher in schema people grant select on tables to cs_reader;
alter default privileges for role loader revoke execute on functions from public;
alter default privileges for role transformer revoke execute on functions from public;
alter default privileges for role publisher revoke execute on functions from public;
