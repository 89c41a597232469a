-- Small functions the pipeline and the models share.

set local role loader;

-- The next commit time. Holds the clock's row until the transaction ends (see ops.commit_clock)
-- and never gives the same time twice, even when the machine's clock is set back.
create or replace function ops.tick() returns timestamptz
language sql volatile security definer set search_path = pg_catalog as $$
    update ops.commit_clock
    set ticked_at = greatest(clock_timestamp(), ticked_at + interval '1 microsecond')
    returning ticked_at
$$;

-- Raw tables are append-only, for their owner too; erasure is the one lawful exception.
create or replace function ops.refuse_rewrite() returns trigger
language plpgsql set search_path = pg_catalog as $$
begin
    if current_user = 'eraser' and tg_op = 'DELETE' then
        return null;
    end if;
    raise exception 'raw.% is append-only: % refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end
$$;

-- HMAC-SHA256 as 64 hex digits. The key is 64 hex digits in the setting
-- retention.pseudonym_key, which lives outside the database. Null stays null.
create or replace function ops.pseudonym(plain text) returns text
language plpgsql stable strict parallel safe as $$
declare
    key_hex text := current_setting('retention.pseudonym_key', true);
    key_bits bit(256);
    inner_pad text := '';
    outer_pad text := '';
    part bit(64);
begin
    if key_hex is null or key_hex !~ '^[0-9a-fA-F]{64}$' then
        raise exception 'retention.pseudonym_key is missing or not 64 hex digits'
            using errcode = 'invalid_parameter_value',
            hint = 'Set it in the connection options: -c retention.pseudonym_key=<hex>.';
    end if;
    key_bits := ('x' || key_hex)::bit(256);
    -- XOR of the key with 0x36 and 0x5c, eight bytes at a time; the rest of the 64-byte block
    -- is the pad itself, since the key is 32 bytes long
    for i in 0..3 loop
        part := substring(key_bits from i * 64 + 1 for 64)::bit(64);
        inner_pad := inner_pad || lpad(to_hex((part # x'3636363636363636')::bigint), 16, '0');
        outer_pad := outer_pad || lpad(to_hex((part # x'5c5c5c5c5c5c5c5c')::bigint), 16, '0');
    end loop;
    return encode(
        sha256(
            decode(outer_pad || repeat('5c', 32), 'hex')
            || sha256(decode(inner_pad || repeat('36', 32), 'hex') || convert_to(plain, 'UTF8'))
        ), 'hex'
    );
end
$$;

-- Safe casts: what does not read as the type is null, and the caller decides what null means.

create or replace function ops.try_numeric(plain text) returns numeric
language sql immutable strict parallel safe as $$
    select case
        when plain ~ '^\s*[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([eE][+-]?\d{1,2})?\s*$'
            then plain::numeric
    end
$$;

create or replace function ops.try_boolean(plain text) returns boolean
language sql immutable strict parallel safe as $$
    select case
        when lower(btrim(plain)) in ('true', 't', 'yes', 'y', '1') then true
        when lower(btrim(plain)) in ('false', 'f', 'no', 'n', '0') then false
    end
$$;

-- ISO 8601 only, years 1970 to 2100: Feb 30, 'infinity' and 'today' are null. A timestamp
-- without a zone is read in the session's, which is UTC on every connection of the pipeline.
-- Servers before 16 have no pg_input_is_valid; there an exception block does its work.
do $body$
declare
    wanted text;
begin
    foreach wanted in array array['date', 'timestamptz'] loop
        if current_setting('server_version_num')::int >= 160000 then
            execute format($function$
                create or replace function ops.try_%1$s(plain text) returns %1$s
                language plpgsql stable strict parallel safe as $code$
                begin
                    if plain ~ '^\s*(19[7-9]|20\d|210)\d-\d\d-\d\d'
                        and pg_input_is_valid(plain, '%1$s')
                        and plain::%1$s < '2101-01-01'
                    then
                        return plain::%1$s;
                    end if;
                    return null;
                end
                $code$ $function$, wanted);
        else
            execute format($function$
                create or replace function ops.try_%1$s(plain text) returns %1$s
                language plpgsql stable strict parallel restricted as $code$
                begin
                    if plain ~ '^\s*(19[7-9]|20\d|210)\d-\d\d-\d\d'
                        and plain::%1$s < '2101-01-01'
                    then
                        return plain::%1$s;
                    end if;
                    return null;
                exception
                    when data_exception then return null;
                end
                $code$ $function$, wanted);
        end if;
    end loop;
end
$body$;

grant execute on function ops.tick() to loader, transformer, publisher, eraser;
grant execute on function ops.refuse_rewrite() to loader;
grant execute on function
    ops.pseudonym(text), ops.try_numeric(text), ops.try_boolean(text),
    ops.try_date(text), ops.try_timestamptz(text)
to loader, transformer, publisher, eraser;
revoke execute on all functions in schema ops from public;

reset role;
