-- A misspelt metric would never open a signal, without a word. Both columns must be
-- there: the value and the day it was observed.
with

columns as (

    select jsonb_object_keys(to_jsonb(metrics)) as column_name

    from (
        select * from {{ ref('int_customer_metrics_history') }}

        order by customer_id, as_of_date

        limit 1
    ) as metrics

)

select
    rules.signal,
    wanted.column_name

from {{ ref('risk_rules') }} as rules
cross join
    lateral (
        values (rules.metric), (rules.metric || '_date')
    ) as wanted (column_name)

where
    rules.kind = 'metric'
    and exists (select 1 from columns)
    and wanted.column_name not in (select columns.column_name from columns)
