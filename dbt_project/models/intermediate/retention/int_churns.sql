{{ config(materialized='table') }}

with

movements as materialized (

    select * from {{ ref('int_mrr_movements') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

reasons as (

    select * from {{ ref('int_churn_reasons') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

),

churns as (

    select
        movements.customer_id,
        movements.movement_date as churned_date,
        -sum((movements.movement_amount * fx_rates.fx_rate)::numeric(18, 4))
            as lost_mrr_amount

    from movements
    left join fx_rates
        on
            movements.currency = fx_rates.currency
            and date_trunc('month', movements.movement_date)::date = fx_rates.month

    where movements.movement = 'churn'

    group by movements.customer_id, movements.movement_date

),

starts as (

    select
        customer_id,
        min(movement_date) as first_paid_date

    from movements

    group by customer_id

),

won_back as (

    select
        churns.customer_id,
        churns.churned_date,
        min(movements.movement_date) as won_back_date

    from churns
    inner join movements
        on
            churns.customer_id = movements.customer_id
            and churns.churned_date < movements.movement_date
            and movements.movement = 'reactivation'

    group by churns.customer_id, churns.churned_date

)

select
    churns.customer_id,
    churns.churned_date,
    attributes.segment,
    attributes.industry,
    attributes.plan,
    attributes.region,
    attributes.csm_owner_id as csm_id,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    churns.lost_mrr_amount::numeric(18, 4) as lost_mrr_amount,
    churns.churned_date - starts.first_paid_date as tenure_days,
    coalesce(reasons.churn_type, 'unknown') as churn_type,
    reasons.churn_reason,
    reasons.reason_source,
    coalesce(reasons.is_deliberate_exit, false) as is_deliberate_exit,
    won_back.won_back_date

from churns
inner join starts on churns.customer_id = starts.customer_id
left join attributes
    on
        churns.customer_id = attributes.customer_id
        and churns.churned_date > attributes.starts_date
        and (
            attributes.ends_date is null
            or churns.churned_date <= attributes.ends_date
        )
left join reasons
    on
        churns.customer_id = reasons.customer_id
        and churns.churned_date = reasons.churned_date
left join won_back
    on
        churns.customer_id = won_back.customer_id
        and churns.churned_date = won_back.churned_date
