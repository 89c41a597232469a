{#- A table, because many models join it and need its statistics. -#}
{{ config(materialized='table', indexes=[{'columns': ['customer_id']}]) }}

with

ranges as (

    select * from {{ ref('int_mrr_ranges') }}

),

volume_steps as (

    select * from {{ ref('int_mrr_volume_steps') }}

),

-- Adding amounts in different currencies only tests whether all are zero: no amount is
-- negative, so the sum is zero exactly when each amount is.
customer_days as (

    select
        customer_id,
        starts_date,
        sum(step_amount) as step_sum

    from ranges

    group by customer_id, starts_date

),

balances as (

    select
        customer_id,
        starts_date,
        sum(step_sum) over customer_days_in_order - step_sum as sum_before,
        sum(step_sum) over customer_days_in_order as sum_after,
        lag(starts_date) over customer_days_in_order as date_before

    from customer_days

    window customer_days_in_order as (partition by customer_id order by starts_date)

),

movements as (

    select
        ranges.customer_id,
        ranges.currency,
        case
            when balances.date_before is null then 'new'
            when balances.sum_before = 0 then 'reactivation'
            when balances.sum_after = 0 then 'churn'
            when ranges.step_amount > 0 then 'expansion'
            else 'contraction'
        end as movement,
        ranges.step_amount as movement_amount,
        ranges.starts_date as movement_date,
        case when balances.sum_before = 0 then ranges.starts_date - balances.date_before
        end as gap_days

    from ranges
    inner join balances
        on
            ranges.customer_id = balances.customer_id
            and ranges.starts_date = balances.starts_date

)

-- Only expansion and contraction have a price and a volume part.
select
    movements.*,
    (movements.movement_amount - volume_steps.volume_amount)::numeric(18, 4)
        as price_amount,
    volume_steps.volume_amount,
    movements.gap_days <= {{ policy('late_renewal_days', 'int') }} as is_late_renewal

from movements
left join volume_steps
    on
        movements.customer_id = volume_steps.customer_id
        and movements.currency = volume_steps.currency
        and movements.movement_date = volume_steps.step_date
        and movements.movement in ('expansion', 'contraction')
