-- The metrics of a published day are never computed again, so the wide history is converted.

do $$
begin
    if exists (
        select from information_schema.columns
        where table_schema = 'staging'
            and table_name = 'int_customer_metrics_history'
            and column_name = 'active_seat_ratio_date'
    ) and to_regclass('staging.int_customer_days_history') is null
    then
        alter table staging.int_customer_metrics_history rename to int_customer_metrics_wide;
        create table staging.int_customer_days_history as
        select customer_id, segment, mrr_reporting_amount, tenure_days, as_of_date
        from staging.int_customer_metrics_wide;
        create table staging.int_customer_metrics_history as
        select
            wide.customer_id,
            wide.as_of_date,
            measured.name as metric,
            measured.value::numeric(18, 4) as value,
            (document.doc ->> dated.name)::date as observed_date
        from staging.int_customer_metrics_wide as wide
        cross join lateral (select to_jsonb(wide) as doc) as document
        cross join lateral jsonb_each_text(document.doc) as measured (name, value)
        cross join
            lateral (
                select case
                    when measured.name in ('licensed_seats', 'active_users')
                        then 'active_seat_ratio_date'
                    when measured.name = 'open_tickets' then 'ticket_surge_ratio_date'
                    else measured.name || '_date'
                end as name
            ) as dated
        where
            document.doc ? dated.name
            and (measured.value is not null or document.doc ->> dated.name is not null);
        alter table staging.int_customer_days_history owner to transformer;
        alter table staging.int_customer_metrics_history owner to transformer;
        drop table staging.int_customer_metrics_wide cascade;
    end if;
end
$$;
