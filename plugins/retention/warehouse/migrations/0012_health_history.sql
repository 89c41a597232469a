-- The scored days are rows of an intermediate model, and the mart is a view of it. A published
-- day keeps its score, so its rows move with the table.

do $$
begin
    if exists (
        select from pg_tables
        where schemaname = 'marts' and tablename = 'fct_customer_health_daily'
    ) then
        alter table marts.fct_customer_health_daily rename to int_customer_health_history;
        alter table marts.int_customer_health_history set schema staging;
    end if;
end
$$;
