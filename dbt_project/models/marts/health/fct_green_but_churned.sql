with

churns as (

    select * from {{ ref('fct_churn_events') }}

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

),

-- What the score said when there was still time to act.
last_seen as (

    select distinct on (churns.customer_id, churns.churned_date)
        churns.customer_id,
        churns.churned_date,
        churns.segment,
        churns.reporting_currency,
        churns.lost_mrr_amount,
        churns.churn_type,
        churns.churn_reason,
        churns.warning_signs,
        health.as_of_date as score_date,
        health.score,
        health.coverage,
        health.band,
        health.reasons,
        health.score_definition,
        health.score_version

    from churns
    inner join health
        on
            churns.customer_id = health.customer_id
            and health.as_of_date
            <= churns.churned_date - {{ policy('backtest_lead_days', 'int') }}
            and health.as_of_date
            >= churns.churned_date - {{ policy('backtest_horizon_days', 'int') }}

    order by
        churns.customer_id asc,
        churns.churned_date asc,
        health.as_of_date desc

)

select
    customer_id,
    churned_date,
    segment,
    score_date,
    score,
    coverage,
    score_definition,
    score_version,
    reporting_currency,
    (12 * lost_mrr_amount)::numeric(18, 4) as lost_arr_amount,
    churn_type,
    churn_reason,
    warning_signs,
    reasons as score_reasons,
    {{ as_of() }} as as_of_date

from last_seen

where band = 'green'
