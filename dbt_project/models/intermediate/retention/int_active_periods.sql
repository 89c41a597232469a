with

movements as (

    select distinct
        customer_id,
        movement,
        movement_date

    from {{ ref('int_mrr_movements') }}

    where
        movement in ('new', 'reactivation', 'churn')
        and movement_date <= {{ as_of() }}

),

followed as (

    select
        *,
        lead(movement_date) over (
            partition by customer_id order by movement_date
        ) as next_date

    from movements

)

-- The movement after a start is always the churn that ends the period.
select
    customer_id,
    movement_date as starts_date,
    next_date as churned_date

from followed

where movement != 'churn'
