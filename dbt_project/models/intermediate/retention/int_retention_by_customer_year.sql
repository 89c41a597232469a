with

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

months as (

    select * from {{ ref('int_months') }}

),

-- MRR at the close of a month and twelve months later, both at the earlier month's
-- rate.
pairs as (

    select
        earlier.customer_id,
        months.month,
        sum((earlier.closing_amount * earlier.closing_fx_rate)::numeric(18, 4))
            as then_amount,
        coalesce(
            sum((later.closing_amount * earlier.closing_fx_rate)::numeric(18, 4)), 0
        ) as now_amount,
        coalesce(bool_or(later.closing_amount > 0), false) as is_kept

    from mrr_by_month as earlier
    inner join months
        on earlier.month = (months.month - interval '12 months')::date
    left join mrr_by_month as later
        on
            earlier.customer_id = later.customer_id
            and earlier.currency = later.currency
            and months.month = later.month

    where earlier.closing_amount > 0

    group by earlier.customer_id, months.month

)

select
    pairs.*,
    customers.segment

from pairs
inner join customers on pairs.customer_id = customers.customer_id
