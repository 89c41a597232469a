with

outcomes as (

    select
        'green_but_churned' as kind,
        'green' as missed_band,
        churns.customer_id,
        churns.churned_date as outcome_date,
        churns.segment,
        null as renewal_status,
        churns.reporting_currency,
        churns.lost_mrr_amount as mrr_amount,
        churns.churn_type,
        churns.churn_reason,
        warnings.warning_signs

    from {{ ref('int_churns') }} as churns
    inner join {{ ref('int_churn_warnings') }} as warnings
        on
            churns.customer_id = warnings.customer_id
            and churns.churned_date = warnings.churned_date

    union all

    select
        'red_but_renewed' as kind,
        'red' as missed_band,
        customer_id,
        renewal_date as outcome_date,
        segment,
        status as renewal_status,
        {{ policy('reporting_currency', 'text') }} as reporting_currency,
        renewed_mrr_amount as mrr_amount,
        null as churn_type,
        null as churn_reason,
        null as warning_signs

    from {{ ref('fct_renewals') }}

    where status in ('on_time', 'late')

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

),

-- The newest score at least the lead before the outcome.
scored as (

    select distinct on (outcomes.kind, outcomes.customer_id, outcomes.outcome_date)
        outcomes.*,
        health.as_of_date as score_date,
        health.score,
        health.coverage,
        health.band,
        health.score_definition,
        health.score_version,
        health.reasons as score_reasons

    from outcomes
    inner join health
        on
            outcomes.customer_id = health.customer_id
            and health.as_of_date
            <= outcomes.outcome_date - {{ policy('backtest_lead_days', 'int') }}
            and health.as_of_date
            >= outcomes.outcome_date - {{ policy('backtest_horizon_days', 'int') }}

    order by
        outcomes.kind asc,
        outcomes.customer_id asc,
        outcomes.outcome_date asc,
        health.as_of_date desc

)

select
    kind,
    customer_id,
    outcome_date,
    segment,
    renewal_status,
    score_date,
    score,
    coverage,
    score_definition,
    score_version,
    reporting_currency,
    (12 * mrr_amount)::numeric(18, 4) as arr_amount,
    churn_type,
    churn_reason,
    warning_signs,
    score_reasons,
    {{ as_of() }} as as_of_date

from scored

where band = missed_band
