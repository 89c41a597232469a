with

health as (

    select * from {{ ref('fct_customer_health_daily') }}

    where as_of_date = {{ as_of() }}

),

metrics as (

    select * from {{ ref('int_customer_metrics_daily') }}

    where as_of_date = {{ as_of() }}

),

renewals as (

    select * from {{ ref('int_renewals') }}

),

playbooks as (

    select * from {{ ref('playbooks') }}

),

-- Everything a trigger can look at, under one name each.
documents as (

    select
        metrics.customer_id,
        health.band,
        to_jsonb(metrics) || jsonb_build_object(
            'score', health.score,
            'days_to_notice', case
                when renewals.notice_date >= {{ as_of() }}
                    then renewals.notice_date - {{ as_of() }}
            end
        ) as doc

    from metrics
    inner join health on metrics.customer_id = health.customer_id
    left join renewals on metrics.customer_id = renewals.customer_id

),

looked_at as (

    select
        documents.customer_id,
        documents.band,
        playbooks.*,
        (documents.doc ->> playbooks.metric)::numeric(18, 4) as value

    from documents
    cross join playbooks

)

-- A null value fires nothing: what is not measured is no alarm.
select
    customer_id,
    trigger,
    priority,
    value,
    action,
    due_hours,
    is_enough,
    owner as action_owner,
    {{ sentence('sentence', 'value') }} as evidence

from looked_at

where
    (fires = 'at_least' and value >= threshold)
    or (fires = 'at_most' and value <= threshold)
    or (fires = 'below_band' and band = 'red')
