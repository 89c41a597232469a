-- The monthly retention of all customers must equal the sum of the MRR movements.
with

movements as (

    select
        month,
        coalesce(sum(movement_reporting_amount) filter (where movement = 'new'), 0)
            as new_amount,
        coalesce(
            sum(movement_reporting_amount) filter (where movement = 'expansion'), 0
        )
            as expansion_amount,
        coalesce(
            sum(movement_reporting_amount) filter (where movement = 'contraction'), 0
        )
            as contraction_amount,
        coalesce(sum(movement_reporting_amount) filter (where movement = 'churn'), 0)
            as churn_amount,
        coalesce(
            sum(movement_reporting_amount) filter (where movement = 'reactivation'), 0
        )
            as reactivation_amount,
        coalesce(sum(movement_reporting_amount) filter (where movement = 'fx'), 0)
            as fx_amount

    from {{ ref('fct_mrr_movements_monthly') }}

    group by month

)

select
    retention.starts_date,
    retention.new_amount,
    retention.expansion_amount,
    retention.contraction_amount,
    retention.churn_amount,
    retention.reactivation_amount,
    retention.fx_amount

from {{ ref('fct_retention') }} as retention
left join movements on retention.starts_date = movements.month

where
    retention.period = 'month'
    and retention.dimension = 'all'
    and (
        retention.new_amount != coalesce(movements.new_amount, 0)
        or retention.expansion_amount != coalesce(movements.expansion_amount, 0)
        or retention.contraction_amount != coalesce(movements.contraction_amount, 0)
        or retention.churn_amount != coalesce(movements.churn_amount, 0)
        or retention.reactivation_amount != coalesce(movements.reactivation_amount, 0)
        or retention.fx_amount != coalesce(movements.fx_amount, 0)
    )
