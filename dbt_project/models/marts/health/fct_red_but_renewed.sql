with

renewals as (

    select * from {{ ref('fct_renewals') }}

    where status in ('on_time', 'late')

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

),

last_seen as (

    select distinct on (renewals.customer_id, renewals.renewal_date)
        renewals.customer_id,
        renewals.renewal_date,
        renewals.segment,
        renewals.status,
        renewals.renewed_mrr_amount,
        health.as_of_date as score_date,
        health.score,
        health.coverage,
        health.band,
        health.reasons,
        health.score_definition,
        health.score_version

    from renewals
    inner join health
        on
            renewals.customer_id = health.customer_id
            and health.as_of_date
            <= renewals.renewal_date - {{ policy('backtest_lead_days', 'int') }}
            and health.as_of_date
            >= renewals.renewal_date - {{ policy('backtest_horizon_days', 'int') }}

    order by
        renewals.customer_id asc,
        renewals.renewal_date asc,
        health.as_of_date desc

)

select
    customer_id,
    renewal_date,
    segment,
    status as renewal_status,
    score_date,
    score,
    coverage,
    score_definition,
    score_version,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    (12 * renewed_mrr_amount)::numeric(18, 4) as renewed_arr_amount,
    reasons as score_reasons,
    {{ as_of() }} as as_of_date

from last_seen

where band = 'red'
