-- The score of a published day is never computed again, so its parts follow their new names.

do $$
begin
    if to_regclass('marts.fct_customer_health_daily') is not null then
        update marts.fct_customer_health_daily
        set components = replace(
            replace(components::text, '"signal": ', '"component": '),
            '"signal_score": ', '"component_score": '
        )::jsonb
        where components @? '$[*].signal';
    end if;
    if exists (
        select from information_schema.columns
        where table_schema = 'marts'
            and table_name = 'fct_health_change_daily'
            and column_name = 'signal_effects'
    ) then
        alter table marts.fct_health_change_daily rename column signal_effects to component_effects;
        update marts.fct_health_change_daily
        set component_effects = replace(
            component_effects::text, '"signal": ', '"component": '
        )::jsonb
        where component_effects @? '$[*].signal';
    end if;
end
$$;
