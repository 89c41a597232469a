-- The logs of alerts are never written again for published days, so they follow their new name.

do $$
declare
    old_name text;
    new_name text;
    old_column text;
    new_column text;
begin
    for old_name, new_name, old_column, new_column in
        values
        ('int_risk_metric_changes', 'int_alert_metric_changes', 'signal', 'alert_rule'),
        ('int_risk_event_changes', 'int_alert_event_changes', 'risk_event', 'alert_event')
    loop
        if to_regclass('staging.' || old_name) is not null
            and to_regclass('staging.' || new_name) is null
        then
            execute format(
                'alter table staging.%I rename column %I to %I', old_name, old_column, new_column
            );
            execute format('alter table staging.%I rename to %I', old_name, new_name);
        end if;
    end loop;
end
$$;
