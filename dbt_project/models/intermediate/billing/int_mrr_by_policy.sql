{{ config(**rebuilt(by_month=true)) }}

with

terms as (

    select * from {{ ref('int_mrr_terms') }}

    where {{ is_to_rebuild('customer_id', 'ends_date', or_open=true) }}

),

months as (

    select distinct month from {{ ref('int_fx_rates_monthly') }}

    where month <= {{ last_month() }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

-- Read once: this is the largest table of the MRR history.
steps as (

    select
        terms.policy,
        terms.position,
        terms.customer_id,
        terms.currency,
        terms.rated_date,
        date_trunc('month', step.step_date)::date as month,
        step.step_amount

    from terms
    cross join
        lateral (
            values
            (terms.starts_date, terms.mrr_amount),
            (terms.ends_date, -terms.mrr_amount)
        ) as step (step_date, step_amount)

    where step.step_date is not null

),

-- Renewals at the same price cancel out, which leaves few steps.
changes as (

    select
        policy,
        position,
        customer_id,
        currency,
        date_trunc('month', rated_date)::date as rated_month,
        month,
        sum(step_amount) as step_amount

    from steps

    group by
        policy, position, customer_id, currency, date_trunc('month', rated_date), month

    having sum(step_amount) != 0

),

balances as (

    select
        *,
        sum(step_amount) over line_in_order as mrr_amount,
        lead(month, 1, 'infinity') over line_in_order as until_month

    from changes

    window
        line_in_order as (
            partition by policy, position, customer_id, currency, rated_month
            order by month
        )

),

-- Where a policy fixes the rate at the start of a service, an amount keeps that rate.
by_rate as (

    select
        balances.policy,
        balances.position,
        balances.customer_id,
        balances.currency,
        months.month,
        balances.mrr_amount,
        balances.mrr_amount * fx_rates.fx_rate as reporting_amount

    from balances
    inner join months
        on
            balances.month <= months.month
            and balances.until_month > months.month
    left join fx_rates
        on
            balances.currency = fx_rates.currency
            and coalesce(balances.rated_month, months.month) = fx_rates.month

    where
        balances.mrr_amount != 0
        and {{ is_to_rebuild('balances.customer_id', 'months.month') }}

)

select
    policy,
    position,
    customer_id,
    currency,
    month,
    greatest(sum(mrr_amount), 0)::numeric(18, 4) as mrr_amount,
    case
        when bool_and(reporting_amount is not null)
            then greatest(sum(reporting_amount), 0)
    end::numeric(18, 4) as mrr_reporting_amount

from by_rate

group by policy, position, customer_id, currency, month
