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

warning_signs as materialized (

    select * from {{ ref('int_warning_signs') }}

),

actions as materialized (

    select * from {{ ref('int_actions') }}

    where acted_at::date <= {{ as_of() }}

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

returns as (

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

),

-- The day of the loss is too late to be a warning of it.
signs as (

    select
        churns.customer_id,
        churns.churned_date,
        array_agg(
            distinct warning_signs.sign_id order by warning_signs.sign_id
        ) as warning_ids,
        array_agg(distinct warning_signs.sign order by warning_signs.sign)
            as warning_signs,
        min(warning_signs.raised_date) as first_warning_date

    from churns
    inner join warning_signs
        on
            churns.customer_id = warning_signs.customer_id
            and churns.churned_date > warning_signs.raised_date
            and churns.churned_date
            <= warning_signs.raised_date + {{ policy('warning_window_days', 'int') }}

    group by churns.customer_id, churns.churned_date

),

acted as (

    select
        churns.customer_id,
        churns.churned_date,
        count(*) as actions_taken,
        count(*) filter (
            where actions.acted_at::date >= signs.first_warning_date
        ) as actions_after_warning

    from churns
    inner join actions
        on
            churns.customer_id = actions.customer_id
            and churns.churned_date > actions.acted_at::date
            and churns.churned_date
            <= actions.acted_at::date + {{ policy('warning_window_days', 'int') }}
    left join signs
        on
            churns.customer_id = signs.customer_id
            and churns.churned_date = signs.churned_date

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
    reasons.churn_reason is not null as has_reason,
    coalesce(signs.warning_signs, '{}') as warning_signs,
    coalesce(signs.warning_ids, '{}') as warning_ids,
    coalesce(cardinality(signs.warning_ids), 0) as alerts_before,
    signs.first_warning_date,
    coalesce(acted.actions_taken, 0) as actions_taken,
    coalesce(acted.actions_after_warning, 0) as actions_after_warning,
    returns.won_back_date,
    returns.won_back_date - churns.churned_date as days_until_return

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
left join returns
    on
        churns.customer_id = returns.customer_id
        and churns.churned_date = returns.churned_date
left join signs
    on
        churns.customer_id = signs.customer_id
        and churns.churned_date = signs.churned_date
left join acted
    on
        churns.customer_id = acted.customer_id
        and churns.churned_date = acted.churned_date
