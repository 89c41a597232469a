-- Parts of a record that break its contract are set aside one by one: their entries name the path.

set local role loader;

alter table ops.quarantine add column if not exists path text;
comment on table ops.quarantine is 'Rows that could not become records, whole, and parts that were set aside from a record.';
comment on column ops.quarantine.path is 'The value or list item set aside; null for a whole row.';

-- Casts of text that a vendor's customer may have typed: what does not fit is null. The contract
-- of a stream has the same limits, so landing reports what these functions would drop.

create or replace function ops.try_decimal(plain text, digits int, decimals int) returns numeric
language plpgsql immutable strict parallel safe as $$
declare
    number numeric;
begin
    if plain !~ '^\s*[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([eE][+-]?\d{1,2})?\s*$' then
        return null;
    end if;
    number := round(plain::numeric, decimals);
    if abs(number) < power(10::numeric, digits - decimals) then
        return number;
    end if;
    return null;
end
$$;

-- 30.0 is a whole number, 30.5 is not.
create or replace function ops.try_bigint(plain text) returns bigint
language plpgsql immutable strict parallel safe as $$
declare
    number numeric;
begin
    if plain ~ '^-?\d{1,18}$' then
        return plain::bigint;
    end if;
    number := ops.try_decimal(plain, 120, 100);
    if number = trunc(number) and number between -9223372036854775808 and 9223372036854775807 then
        return number::bigint;
    end if;
    return null;
end
$$;

create or replace function ops.try_integer(plain text) returns integer
language plpgsql immutable strict parallel safe as $$
declare
    number bigint := ops.try_bigint(plain);
begin
    if number between -2147483648 and 2147483647 then
        return number;
    end if;
    return null;
end
$$;

-- Seconds since 1970, up to the end of 2100.
create or replace function ops.try_epoch(plain text) returns timestamptz
language plpgsql immutable strict parallel safe as $$
declare
    seconds bigint := ops.try_bigint(plain);
begin
    if seconds >= 0 and seconds < 4133980800 then
        return to_timestamp(seconds);
    end if;
    return null;
end
$$;

-- ISO 8601, or milliseconds since 1970 of 12 or 13 digits; fewer could be a date such as 20260131.
create or replace function ops.try_moment(plain text) returns timestamptz
language plpgsql stable strict parallel safe as $$
begin
    if plain ~ '^\s*\d{12,13}\s*$' then
        if plain::bigint < 4133980800000 then
            return to_timestamp(plain::bigint / 1000.0);
        end if;
        return null;
    end if;
    return ops.try_timestamptz(plain);
end
$$;

grant execute on function
    ops.try_decimal(text, int, int), ops.try_bigint(text), ops.try_integer(text),
    ops.try_epoch(text), ops.try_moment(text)
to loader, transformer, publisher, eraser;
revoke execute on all functions in schema ops from public;

reset role;

grant select (path) on ops.quarantine to transformer, publisher;
