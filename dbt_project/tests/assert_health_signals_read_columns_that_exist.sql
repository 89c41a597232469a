-- A misspelt metric would be unknown for ever, without a word. Both columns must be
-- there: the value and the day it was observed.
with

columns as (

    select jsonb_object_keys(to_jsonb(metrics)) as column_name

    from (
        select * from {{ ref('int_customer_metrics_daily') }}

        order by customer_id, as_of_date

        limit 1
    ) as metrics

)

select
    signals.signal,
    wanted.column_name

from {{ ref('health_score_signals') }} as signals
cross join
    lateral (
        values (signals.metric), (signals.metric || '_date')
    ) as wanted (column_name)

where
    exists (select 1 from columns)
    and wanted.column_name not in (select columns.column_name from columns)

union all

select
    caps.rule,
    wanted.column_name

from {{ ref('health_score_caps') }} as caps
cross join
    lateral (
        values
        (caps.metric),
        (case when caps.max_age_days is not null then caps.metric || '_date' end)
    ) as wanted (column_name)

where
    exists (select 1 from columns)
    and wanted.column_name not in (select columns.column_name from columns)

union all

select
    playbooks.trigger,
    playbooks.metric

from {{ ref('playbooks') }} as playbooks

where
    exists (select 1 from columns)
    and playbooks.metric not in ('score', 'days_to_notice')
    and playbooks.metric not in (select columns.column_name from columns)
