with

ranges as (

    select * from {{ ref('int_mrr_ranges') }}

),

-- A customer's amounts in different currencies are added here only to ask whether all
-- of them are zero: no amount is negative, so the sum is zero exactly when each of them
-- is.
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
        sum(step_sum) over customer_days_in_order as sum_after

    from customer_days

    window customer_days_in_order as (partition by customer_id order by starts_date)

),

first_days as (

    select
        customer_id,
        min(starts_date) as first_date

    from ranges

    group by customer_id

),

movements as (

    select
        ranges.customer_id,
        ranges.currency,
        case
            when balances.sum_before = 0 and ranges.starts_date = first_days.first_date
                then 'new'
            when balances.sum_before = 0 then 'reactivation'
            when balances.sum_after = 0 then 'churn'
            when ranges.step_amount > 0 then 'expansion'
            else 'contraction'
        end as movement,
        ranges.step_amount as movement_amount,
        ranges.starts_date as movement_date

    from ranges
    inner join balances
        on
            ranges.customer_id = balances.customer_id
            and ranges.starts_date = balances.starts_date
    inner join first_days on ranges.customer_id = first_days.customer_id

)

select * from movements
